"""Building an index from the database, in little memory, and the file beside a gallery as it is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from knownface.files import unwritable
from knownface.gallery.index.person_lookup import PersonLookup
from knownface.gallery.index.saved import IndexDescription
from knownface.gallery.index.snapshot import Revision, Snapshot
from knownface.gallery.index.template_selection import select_templates
from knownface.gallery.templates import read_people, read_vectors, read_vectors_of
from knownface.search import VectorIndex, VectorSource
from knownface.types import Embeddings, Ids

_BLOCK = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class UnplacedFile:
    """The file that an index was built into and maps, before it has its place beside the gallery.

    Attributes:
        path: Its present name.
        description: What it was made from.
        templates: The ids that it holds, ascending.
        people: Whose they were.
    """

    path: Path
    description: IndexDescription
    templates: Ids
    people: Ids


@dataclass(slots=True, eq=False)
class BuiltIndex:
    """An index with what it was made from; it changes as the gallery does.

    Attributes:
        index: The index.
        people: The templates that it holds, and whose they are.
        revision: Of the gallery's templates.
        unsaved: Vectors added or removed since it was saved; None if it is not saved.
        unplaced: The file that its vectors are mapped from, while that waits for its place.
    """

    index: VectorIndex
    people: PersonLookup
    revision: Revision
    unsaved: int | None = None
    unplaced: UnplacedFile | None = None


def build(
    connection: Connection,
    snapshot: Snapshot,
    kind_for: Callable[[int], type[VectorIndex]],
    most: int | None = None,
    effort: int | None = None,
    path: Path | None = None,
) -> BuiltIndex:
    """Build an index of everything in the gallery.

    Args:
        connection: Sees the state that the snapshot is of.
        snapshot: Of the gallery; has a contract.
        kind_for: Which index for so many templates.
        most: Templates of each person that are searched; None for all.
        effort: As for :meth:`knownface.search.VectorIndex.build`.
        path: Where an index that maps its vectors is written; None keeps them in memory.

    Raises:
        GalleryDamagedError: A template cannot be read.
        OutputError: The file cannot be written.
        IndexDamagedError: Somebody deleted it meanwhile.
    """
    assert snapshot.contract is not None  # noqa: S101  (the caller has looked)
    dim = snapshot.contract.dim
    ids, people = read_people(connection) if most is None else select_templates(connection, None, most, dim)
    kind = kind_for(len(ids))
    source = VectorSource(
        dim,
        ids,
        read=lambda some: read_vectors_of(connection, some, dim)[0],
        blocks=lambda: _blocks(connection, ids, dim),
    )
    path = path if kind.maps_file else None
    try:
        index = kind.build(source, path, effort)
    except OSError as error:
        if path is None:
            raise
        raise unwritable(path, error) from error
    built = BuiltIndex(index, PersonLookup(ids, people), snapshot.revision)
    if path is not None:
        description = IndexDescription(snapshot.generation, snapshot.revision, len(ids), kind.name, most)
        built.unplaced, built.unsaved = UnplacedFile(path, description, ids, people), 0
    return built


def _blocks(connection: Connection, ids: Ids, dim: int) -> Iterator[tuple[Ids, Embeddings]]:
    first = 0
    while first <= (ids[-1] if len(ids) else -1):
        vectors, found, _ = read_vectors(connection, dim, first=first, limit=_BLOCK)
        wanted = np.isin(found, ids[np.searchsorted(ids, found[0]) : np.searchsorted(ids, found[-1], side="right")])
        if wanted.any():
            yield found[wanted], vectors[wanted]
        first = int(found[-1]) + 1
