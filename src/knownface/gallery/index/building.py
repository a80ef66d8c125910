"""Building an index from the database, in little memory, and the file beside a gallery as it is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from knownface.files import unwritable
from knownface.gallery.index.options import IndexOptions, LocalIndex, lists_of
from knownface.gallery.index.person_lookup import PersonLookup
from knownface.gallery.index.saved import IndexKey
from knownface.gallery.index.snapshot import Snapshot
from knownface.gallery.index.template_selection import read_kept
from knownface.gallery.templates import read_owners, read_vectors, read_vectors_of
from knownface.search import CompressedIndex, FaissFlatIndex
from knownface.search.coder import Coder, sample_size
from knownface.search.compressed import spread
from knownface.search.row_file import write_rows
from knownface.types import Embeddings, Ids

_BLOCK = 10_000

_FEWEST_TRAINED_ON = 16


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The file that an index was built into, before it has its place.

    Attributes:
        file: Its name.
        key: What it was made from.
        templates: The ids that it holds, ascending.
        owners: Whose they were.
    """

    file: Path
    key: IndexKey
    templates: Ids
    owners: Ids


@dataclass(slots=True, eq=False)
class Built:
    """An index with what it was made from; it changes as the gallery does.

    Attributes:
        index: The index.
        owners: The templates that it holds, and whose they are.
        stamp: Of the gallery's templates.
        position: The end of the gallery's log of changes.
        last_template: No template of a greater id was there.
        fingerprint: Of the embedder's contract.
        unsaved: Vectors added or removed since it was saved; None if it is not saved.
        part: The file that its vectors are mapped from, while that waits for its place.
    """

    index: LocalIndex
    owners: PersonLookup
    stamp: str
    position: int
    last_template: int
    fingerprint: str
    unsaved: int | None = None
    part: Part | None = None


def build(connection: Connection, view: Snapshot, options: IndexOptions, place: str, file: Path | None = None) -> Built:
    """Build an index of everything in the gallery.

    Args:
        connection: Sees the state that the view is of.
        view: Of the gallery; has a contract.
        options: Which index, and of what.
        place: What messages call the gallery.
        file: Where an index that maps its vectors is to be written; None keeps them in memory.

    Raises:
        GalleryDamagedError: A template cannot be read.
        OutputError: The file cannot be written.
        IndexDamagedError: Somebody deleted it meanwhile.
    """
    assert view.contract is not None  # noqa: S101  (the caller has looked)
    dim = view.contract.dim
    most = options.templates_per_person
    ids, owners = read_owners(connection) if most is None else read_kept(connection, None, most, dim, place)
    kind = options.kind_for(len(ids))
    blocks = _blocks(connection, ids, dim, place)
    index: LocalIndex
    if kind == "flat":
        index = FaissFlatIndex(dim)
        for some, vectors in blocks:
            index.add(some, vectors)
    else:
        lists = lists_of(kind, len(ids))
        sample, _, _ = read_vectors_of(connection, spread(ids, sample_size(lists)), dim, place)
        missing = max(0, _FEWEST_TRAINED_ON - len(sample))
        coder = Coder.train(np.concatenate([sample, np.zeros((missing, dim), dtype=np.float32)]), lists)
        if file is None:
            index = CompressedIndex.build(coder, blocks, options.probes)
        else:
            try:
                write_rows(file, len(ids), coder, blocks)
            except OSError as error:
                file.unlink(missing_ok=True)
                raise unwritable(file, error) from error
            index = CompressedIndex.load(file, options.probes)
    key = IndexKey(
        view.state.generation,
        view.state.stamp,
        view.position,
        view.last_template,
        view.contract.fingerprint,
        len(ids),
        kind,
        most,
    )
    built = Built(index, PersonLookup(ids, owners), key.stamp, key.position, key.last_template, key.fingerprint)
    if kind != "flat" and file is not None:
        built.part, built.unsaved = Part(file, key, ids, owners), 0
    return built


def _blocks(connection: Connection, ids: Ids, dim: int, place: str) -> Iterator[tuple[Ids, Embeddings]]:
    first = 0
    while first <= (ids[-1] if len(ids) else -1):
        vectors, found, _ = read_vectors(connection, dim, place, first=first, limit=_BLOCK)
        wanted = np.isin(found, ids[np.searchsorted(ids, found[0]) : np.searchsorted(ids, found[-1], side="right")])
        if wanted.any():
            yield found[wanted], vectors[wanted]
        first = int(found[-1]) + 1
