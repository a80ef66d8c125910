"""The copy of the search index that lies beside a gallery's database: disposable, and trusted only if all fits."""

from __future__ import annotations

import glob
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from knownface.errors import GalleryError, IndexDamagedError
from knownface.files import replacing, sha256_of
from knownface.gallery.index.options import Kind, LocalIndex, kind_of
from knownface.search import CompressedIndex, FaissFlatIndex
from knownface.search.row_file import erase_rows, read_token
from knownface.types import Ids

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexKey:
    """What a saved index was made from.

    Attributes:
        generation: Of the gallery, for people who look at the file.
        stamp: Of the gallery's templates.
        position: The end of the gallery's log of changes.
        last_template: No template of a greater id was there.
        fingerprint: Of the embedder's contract.
        count: Vectors held.
        kind: Of the index.
        templates_per_person: The most that it holds of each person; None for all.
    """

    generation: int
    stamp: str
    position: int
    last_template: int
    fingerprint: str
    count: int
    kind: Kind
    templates_per_person: int | None


@dataclass(frozen=True, slots=True, eq=False)
class SavedIndex:
    """An index that was saved.

    Attributes:
        key: What it was made from.
        index: The index; vectors that were erased since are not held any more.
        templates: The ids that it held when it was saved, ascending.
        owners: Whose these templates were.
    """

    key: IndexKey
    index: LocalIndex
    templates: Ids
    owners: Ids


def index_files(gallery: Path) -> tuple[Path, Path, Path]:
    """The index of a gallery's file, the description beside it, and whose the templates in it are."""
    index, description, owners = (gallery.with_name(gallery.name + end) for end in (".index", ".index.json", ".owners"))
    return index, description, owners


def describe_index(gallery: Path, key: IndexKey, templates: Ids, owners: Ids) -> None:
    """Write whose templates the index holds that was put in its place just now, then its description.

    To be called inside a writing transaction, with an index that holds nothing that was removed.

    Raises:
        OutputError: They cannot be written; an older set may then be torn, which loading notices.
    """
    file, description, owner_file = index_files(gallery)
    identity = _identity(file, key.kind)
    with replacing(owner_file, private=True) as half, half.open("wb") as out:
        np.save(out, np.stack([templates, owners]).astype("<i8"))
    with replacing(description, private=True) as half:
        fields = {**asdict(key), "identity": identity, "owners_sha256": sha256_of(owner_file)}
        half.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def _identity(file: Path, kind: Kind) -> str:
    # A row file changes where rows are erased, and has checksums of its own.
    return sha256_of(file) if kind == "flat" else read_token(file)


def saved_key(gallery: Path) -> IndexKey | None:
    """What the saved index says it was made from; None where there is none that can be read."""
    fields = _description(gallery)
    return None if fields is None else fields[0]


def _description(gallery: Path) -> tuple[IndexKey, str, str] | None:
    file, description, _ = index_files(gallery)
    if not file.exists() or not description.exists():
        return None
    try:
        fields = json.loads(description.read_text(encoding="utf-8"))
        identity, owners = str(fields.pop("identity")), str(fields.pop("owners_sha256"))
        return IndexKey(**fields), identity, owners
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _log.warning("%s cannot be read (%s); the index is built from the gallery.", description, error)
        return None


def load_index(gallery: Path, dim: int, probes: int | None = None) -> SavedIndex | None:
    """The saved index, if it is whole; what it was made from is for the caller to judge."""
    found = _description(gallery)
    if found is None:
        return None
    key, identity, owners_sha256 = found
    file, _, owner_file = index_files(gallery)
    try:
        if _identity(file, key.kind) != identity or sha256_of(owner_file) != owners_sha256:
            raise IndexDamagedError(f"{file} is not what was saved")
        index = read_index(file, key.kind, probes)
        templates, owners = np.load(owner_file).astype(np.int64)
        if (len(templates), index.dim, kind_of(index)) != (key.count, dim, key.kind):
            raise IndexDamagedError(f"{file} does not hold {key.count} vectors of length {dim}")
    except (GalleryError, OSError, ValueError) as error:
        _log.warning("The saved index is damaged (%s); it is built anew from the gallery.", error)
        return None
    return SavedIndex(key, index, templates, owners)


def read_index(file: Path, kind: Kind, probes: int | None) -> LocalIndex:
    """Read an index file.

    Raises:
        IndexDamagedError: It is missing or damaged.
    """
    return FaissFlatIndex.load(file) if kind == "flat" else CompressedIndex.load(file, probes)


def forget_templates(gallery: Path, ids: Ids) -> None:
    """Leave no trace of templates in the saved index: overwrite them there, or delete it where that cannot be.

    Also deletes what programs that were killed while saving or restoring left half-written. To be called inside a
    writing transaction: nobody else saves or restores then.

    Raises:
        OSError: A file cannot be written or deleted.
    """
    key = saved_key(gallery)
    try:
        if key is None or key.kind == "flat":
            delete_index(gallery)
            return
        erase_rows(index_files(gallery)[0], ids)
    except IndexDamagedError:
        delete_index(gallery)
    for part in _unfinished(gallery):
        part.unlink(missing_ok=True)


def delete_index(gallery: Path) -> None:
    """Delete the saved index, and what programs that were killed while saving or restoring left half-written.

    To be called inside a writing transaction.

    Raises:
        OSError: A file cannot be deleted.
    """
    for file in (*index_files(gallery), gallery.with_name(gallery.name + _OLD), *_unfinished(gallery)):
        file.unlink(missing_ok=True)


_OLD = ".faiss"
"""Where the index was saved before there were several kinds."""


def _unfinished(gallery: Path) -> list[Path]:
    # Named as knownface.files.beside names them.
    number = "[0-9a-f]" * 12
    return [
        part
        for file in (gallery, *index_files(gallery))
        for part in gallery.parent.glob(f".{glob.escape(file.stem[:80])}-{number}.part{glob.escape(file.suffix)}")
    ]
