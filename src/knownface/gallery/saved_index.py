"""The copy of the search index that lies beside a gallery's database: disposable, and trusted only if all fits."""

from __future__ import annotations

import glob
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from knownface.errors import GalleryError, IndexDamagedError
from knownface.files import replacing, sha256_of
from knownface.search import FaissFlatIndex

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexKey:
    """What a saved index was made from; it is used only where this is equal.

    Attributes:
        generation: Of the gallery, for people who look at the file.
        stamp: Of the gallery's templates.
        fingerprint: Of the embedder's contract.
        count: Vectors held.
    """

    generation: int
    stamp: str
    fingerprint: str
    count: int


def index_files(gallery: Path) -> tuple[Path, Path]:
    """The index of a gallery's file, and the description beside it."""
    return gallery.with_name(gallery.name + ".faiss"), gallery.with_name(gallery.name + ".index.json")


def save_index(gallery: Path, index: FaissFlatIndex, key: IndexKey) -> None:
    """Write the index, then its description.

    Raises:
        OutputError: They cannot be written; an older pair may then be torn, which loading notices.
    """
    file, description = index_files(gallery)
    index.save(file)
    with replacing(description, private=True) as part:
        fields = {**asdict(key), "sha256": sha256_of(file)}
        part.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def saved_key(gallery: Path) -> tuple[IndexKey, str] | None:
    """What the saved index says it was made from, and its SHA-256; None where there is none that can be read."""
    file, description = index_files(gallery)
    if not file.exists() or not description.exists():
        return None
    try:
        fields = json.loads(description.read_text(encoding="utf-8"))
        sha256 = str(fields.pop("sha256"))
        return IndexKey(**fields), sha256
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _log.warning("%s cannot be read (%s); the index is built from the gallery.", description, error)
        return None


def load_index(gallery: Path, stamp: str, fingerprint: str, dim: int) -> FaissFlatIndex | None:
    """The saved index, if it is whole and was made from exactly these templates; else None."""
    found = saved_key(gallery)
    if found is None or (found[0].stamp, found[0].fingerprint) != (stamp, fingerprint):
        return None
    key, sha256 = found
    file, _ = index_files(gallery)
    try:
        if sha256_of(file) != sha256:
            raise IndexDamagedError(f"{file} is not what was saved")
        index = FaissFlatIndex.load(file)
        if (len(index), index.dim) != (key.count, dim):
            raise IndexDamagedError(f"{file} does not hold {key.count} vectors of length {dim}")
    except (GalleryError, OSError) as error:
        _log.warning("The saved index is damaged (%s); it is built anew from the gallery.", error)
        return None
    return index


def delete_index(gallery: Path) -> None:
    """Delete the saved index, and what programs that were killed while saving or restoring left half-written.

    To be called inside a writing transaction: nobody else saves or restores then.

    Raises:
        OSError: A file cannot be deleted.
    """
    for file in (*index_files(gallery), *_unfinished(gallery)):
        file.unlink(missing_ok=True)


def _unfinished(gallery: Path) -> list[Path]:
    # Named as knownface.files.beside names them.
    number = "[0-9a-f]" * 12
    return [
        part
        for file in (gallery, *index_files(gallery))
        for part in gallery.parent.glob(f".{glob.escape(file.stem[:80])}-{number}.part{glob.escape(file.suffix)}")
    ]
