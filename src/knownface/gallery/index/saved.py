"""The copy of the index that lies beside a gallery's database: disposable, and used only if all of it fits."""

from __future__ import annotations

import glob
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from knownface.errors import GalleryError, IndexDamagedError
from knownface.files import replacing, sha256_of
from knownface.gallery.index.snapshot import Revision
from knownface.search import VectorIndex
from knownface.search.row_file import erase_rows
from knownface.types import Ids

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexDescription:
    """What a saved index was made from.

    Attributes:
        generation: Of the gallery, for people who read the file.
        revision: Of the gallery's templates.
        count: Vectors held.
        kind: Name of the kind of index.
        templates_per_person: The most that it holds of each person; None for all.
    """

    generation: int
    revision: Revision
    count: int
    kind: str
    templates_per_person: int | None


@dataclass(frozen=True, slots=True, eq=False)
class SavedIndex:
    """An index that was saved.

    Attributes:
        index: The index; vectors that were erased since are not held any more.
        templates: The ids that it held when it was saved, ascending.
        people: Whose these templates were.
    """

    index: VectorIndex
    templates: Ids
    people: Ids


def index_files(gallery: Path) -> tuple[Path, Path, Path]:
    """The index of a gallery's file, the description beside it, and whose the templates in it are."""
    index, description, people = (gallery.with_name(gallery.name + end) for end in (".index", ".index.json", ".owners"))
    return index, description, people


def describe_index(
    gallery: Path, description: IndexDescription, kind: type[VectorIndex], templates: Ids, people: Ids
) -> None:
    """Write whose templates the index holds that was put in its place just now, then its description.

    To be called inside a writing transaction, with an index that holds nothing that was removed.

    Raises:
        OutputError: They cannot be written; an older set may then be torn, which loading notices.
    """
    index_file, description_file, people_file = index_files(gallery)
    identity = kind.identity(index_file)
    with replacing(people_file, private=True) as half, half.open("wb") as out:
        np.save(out, np.stack([templates, people]).astype("<i8"))
    with replacing(description_file, private=True) as half:
        fields = asdict(description)
        fields |= {**fields.pop("revision"), "identity": identity, "owners_sha256": sha256_of(people_file)}
        half.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def read_description(gallery: Path) -> IndexDescription | None:
    """What the saved index says it was made from; None where there is none that can be read."""
    found = _read_description(gallery)
    return None if found is None else found[0]


def _read_description(gallery: Path) -> tuple[IndexDescription, str, str] | None:
    index_file, description_file, _ = index_files(gallery)
    if not index_file.exists() or not description_file.exists():
        return None
    try:
        fields = json.loads(description_file.read_text(encoding="utf-8"))
        identity, people = str(fields.pop("identity")), str(fields.pop("owners_sha256"))
        revision = Revision(**{name: fields.pop(name) for name in Revision.__dataclass_fields__})
        return IndexDescription(revision=revision, **fields), identity, people
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _log.warning("%s cannot be read (%s); the index is built from the gallery.", description_file, error)
        return None


def load_index(gallery: Path, dim: int, kind: type[VectorIndex], effort: int | None = None) -> SavedIndex | None:
    """The saved index, if it is whole; what it was made from is for the caller to judge.

    Args:
        gallery: The gallery's file.
        dim: Length of a vector.
        kind: That of the description.
        effort: As for :meth:`knownface.search.VectorIndex.load`.
    """
    found = _read_description(gallery)
    if found is None:
        return None
    description, identity, people_sha256 = found
    index_file, _, people_file = index_files(gallery)
    try:
        if kind.identity(index_file) != identity or sha256_of(people_file) != people_sha256:
            raise IndexDamagedError(f"{index_file} is not what was saved")
        index = kind.load(index_file, effort)
        templates, people = np.load(people_file).astype(np.int64)
        if (len(templates), index.dim) != (description.count, dim):
            raise IndexDamagedError(f"{index_file} does not hold {description.count} vectors of length {dim}")
    except (GalleryError, OSError, ValueError) as error:
        _log.warning("The saved index is damaged (%s); it is built anew from the gallery.", error)
        return None
    return SavedIndex(index, templates, people)


def erase_templates(gallery: Path, ids: Ids) -> None:
    """Leave no trace of templates in the saved index: overwrite them there, or delete it where that cannot be.

    Also deletes what programs that were killed while saving or restoring left half-written. To be called inside a
    writing transaction: nobody else saves or restores then.

    Raises:
        OSError: A file cannot be written or deleted.
    """
    try:
        erase_rows(index_files(gallery)[0], ids)
    except IndexDamagedError:
        # Missing, or of a kind whose files are not erased where they stand.
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
