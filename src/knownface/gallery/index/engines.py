"""The two search engines outside the process, and how each is brought in step with the database."""

from __future__ import annotations

import secrets
from typing import Protocol

import numpy as np
from sqlalchemy import Connection, Engine, func, select

from knownface.gallery.changes import State, read_changes, read_position, stamp_at
from knownface.gallery.templates import read_owners, read_vectors
from knownface.search.milvus import GALLERY_NUMBERS, Mark, MilvusPartition
from knownface.search.milvus_options import MilvusOptions
from knownface.search.pgvector import PgvectorOptions, PgvectorTable
from knownface.storage import insert_new
from knownface.storage.schema import meta, templates
from knownface.types import Embeddings, Ids

META_MILVUS_NUMBER = "milvus_number"
"""Key in ``meta``: the number of this gallery in Milvus."""

STEP = 10_000
"""Templates brought over in one transaction; other writers get their turn in between."""


class SearchEngine(Protocol):
    """Something that finds candidates near a probe. The database stays the truth."""

    def is_behind(self, connection: Connection, state: State) -> bool:
        """Whether the engine holds something else than this state's templates."""
        ...

    def step(self, connection: Connection, state: State) -> bool:
        """Bring the engine nearer to the state, inside a writing transaction; returns whether it is there."""
        ...

    def tend(self, engine: Engine) -> None:
        """Do what may take minutes and keeps nobody waiting."""
        ...

    def candidates(self, connection: Connection, probes: Embeddings, k: int) -> Ids:
        """The ids of about the k nearest templates of each probe, int64, shape (n, k), -1 where there are fewer."""
        ...

    def close(self) -> None:
        """Let go of the engine."""
        ...


class PgvectorEngine:
    """pgvector in the gallery's own database: what is removed there goes in the same transaction.

    Args:
        options: Of the graph.
        dim: Length of a vector.
        place: What messages call the gallery.
    """

    def __init__(self, options: PgvectorOptions, dim: int, place: str) -> None:
        self._table = PgvectorTable(dim, templates.name, options)
        self._dim, self._place = dim, place

    def is_behind(self, connection: Connection, state: State) -> bool:  # noqa: ARG002  (rows that went are gone)
        """Whether templates were added that the table does not hold."""
        newest = select(func.max(templates.c.id)).where(templates.c.negative.is_(False))
        return (connection.scalar(newest) or -1) > self._table.last_id(connection)

    def step(self, connection: Connection, state: State) -> bool:  # noqa: ARG002
        """Copy the next templates."""
        self._table.prepare(connection)
        first = self._table.last_id(connection) + 1
        vectors, ids, _ = read_vectors(connection, self._dim, self._place, first=first, limit=STEP)
        self._table.add(connection, ids, vectors)
        return len(ids) < STEP

    def tend(self, engine: Engine) -> None:
        """Build the graph once the table is large enough."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self._table.wants_graph(connection):
                self._table.build_graph(connection)

    def candidates(self, connection: Connection, probes: Embeddings, k: int) -> Ids:
        """See :class:`SearchEngine`."""
        return self._table.candidates(connection, probes, k)

    def close(self) -> None:
        """Nothing is held."""


class MilvusEngine:
    """A partition in Milvus, which follows by the gallery's generation and stamp.

    Args:
        connection: Of the gallery, in a writing transaction: a gallery new to Milvus gets its number.
        options: Where Milvus is, and which index it keeps.
        dim: Length of a vector.
        place: What messages call the gallery.
    """

    def __init__(self, connection: Connection, options: MilvusOptions, dim: int, place: str) -> None:
        number = str(secrets.randbelow(GALLERY_NUMBERS))
        insert_new(connection, meta, [{"key": META_MILVUS_NUMBER, "value": number}])
        number = connection.execute(select(meta.c.value).where(meta.c.key == META_MILVUS_NUMBER)).scalar_one()
        self._partition = MilvusPartition(options, dim, int(number))
        self._dim, self._place = dim, place

    def is_behind(self, connection: Connection, state: State) -> bool:  # noqa: ARG002  (Milvus itself is asked)
        """Whether the partition does not hold exactly this state's templates."""
        return not self._holds(self._partition.mark(), state)

    @staticmethod
    def _holds(mark: Mark, state: State) -> bool:
        return mark.whole and mark.stamp == state.stamp

    def step(self, connection: Connection, state: State) -> bool:
        """Remove what went, add the next templates, note how far it is; a step that was cut short is repeated."""
        mark = self._partition.mark()
        if self._holds(mark, state):
            return True
        # A gallery that was restored has another log: the stamps tell.
        known = mark.position >= 0 and stamp_at(connection, mark.position) == mark.stamp
        changes = read_changes(connection, mark.position) if known else None
        if changes is None:
            mark = self._compare(connection, state)
        elif len(changes.removed):
            self._partition.remove(changes.removed)
        vectors, ids, _ = read_vectors(connection, self._dim, self._place, first=mark.last_id + 1, limit=STEP)
        self._partition.add(ids, vectors)
        last = int(ids[-1]) if len(ids) else mark.last_id
        done = len(ids) < STEP
        self._partition.set_mark(Mark(read_position(connection), state.stamp, last, done))
        return done

    def _compare(self, connection: Connection, state: State) -> Mark:
        """Remove whatever the gallery does not hold, and find the first template that is missing."""
        ids, _ = read_owners(connection)
        last = int(ids[-1]) if len(ids) else -1
        held = self._partition.ids(0, last)
        self._partition.remove(np.setdiff1d(held, ids, assume_unique=True))
        self._partition.remove_beyond(last)
        missing = np.setdiff1d(ids, held, assume_unique=True)
        return Mark(read_position(connection), state.stamp, int(missing[0]) - 1 if len(missing) else last)

    def tend(self, engine: Engine) -> None:
        """Milvus builds its indexes by itself."""

    def candidates(self, connection: Connection, probes: Embeddings, k: int) -> Ids:  # noqa: ARG002
        """See :class:`SearchEngine`."""
        return self._partition.candidates(probes, k)

    def close(self) -> None:
        """Close the connection."""
        self._partition.close()
