"""A gallery in figures."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from knownface.gallery.index.gallery_index import GalleryIndex
from knownface.gallery.values import GalleryInfo
from knownface.storage import Database
from knownface.storage.migrate import HEAD
from knownface.storage.schema import groups, people
from knownface.types import EmbedderContract


def read_info(database: Database, index: GalleryIndex, contract: EmbedderContract | None) -> GalleryInfo:
    """The figures.

    Args:
        database: The gallery's.
        index: What searches it.
        contract: Of its embedder.
    """
    snapshot, file = index.snapshot(), database.location.file
    described, saved = index.describe()
    with database.reading() as connection:
        people_count = connection.scalar(select(func.count()).select_from(people)) or 0
        group_count = connection.scalar(select(func.count()).select_from(groups)) or 0
    return GalleryInfo(
        location=str(database),
        people=people_count,
        templates=snapshot.templates,
        negatives=len(snapshot.negative_people),
        groups=group_count,
        contract=contract,
        generation=snapshot.generation,
        encrypted=database.sealer is not None,
        schema=HEAD,
        size=None if file is None else _size(file),
        index=described,
        index_saved=saved,
    )


def _size(file: Path) -> int:
    files = (file, file.with_name(file.name + "-wal"))
    return sum(f.stat().st_size for f in files if f.exists())
