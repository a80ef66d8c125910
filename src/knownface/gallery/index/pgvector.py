"""pgvector, in the gallery's own PostgreSQL database, as the index of a gallery."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, func, select

from knownface.errors import SettingsError
from knownface.gallery.changes import State
from knownface.gallery.index import remote
from knownface.gallery.index.snapshot import SnapshotReader
from knownface.gallery.templates import read_vectors
from knownface.search.pgvector import PgvectorOptions, PgvectorTable
from knownface.settings import Settings
from knownface.storage.schema import templates
from knownface.types import Embeddings, Ids


@dataclass(frozen=True, slots=True)
class Pgvector:
    """pgvector as the index; see :class:`knownface.gallery.index.copy.IndexChoice`.

    Attributes:
        options: Of the graph.
    """

    options: PgvectorOptions = field(default_factory=PgvectorOptions)

    @classmethod
    def from_settings(cls, settings: Settings) -> Pgvector:
        """What the settings say.

        Raises:
            SettingsError: The effort is more than pgvector takes.
        """
        effort = settings.search_effort
        return cls(PgvectorOptions() if effort is None else PgvectorOptions(ef_search=effort))

    def open(self, snapshots: SnapshotReader) -> remote.RemoteCopy:
        """The copy for one opened gallery.

        Raises:
            SettingsError: The gallery is no PostgreSQL database.
        """
        location = snapshots.database.location
        if location.file is not None:
            raise SettingsError(
                f"pgvector searches galleries on a PostgreSQL server, and {location} is a file.",
                "Set gallery to a postgresql:// URL, or index to auto.",
            )
        return remote.RemoteCopy(
            snapshots,
            lambda _, dim: PgvectorIndex(self.options, dim),
            "pgvector: the gallery's own server proposes, the best are compared exactly",
        )


class PgvectorIndex:
    """pgvector in the gallery's own database: what is removed there goes in the same transaction.

    Args:
        options: Of the graph.
        dim: Length of a vector.
    """

    def __init__(self, options: PgvectorOptions, dim: int) -> None:
        self._table = PgvectorTable(dim, templates.name, options)
        self._dim = dim

    def is_behind(self, connection: Connection, state: State) -> bool:  # noqa: ARG002  (rows that went are gone)
        """Whether templates were added that the table does not hold."""
        newest = select(func.max(templates.c.id)).where(templates.c.negative.is_(False))
        return (connection.scalar(newest) or -1) > self._table.last_id(connection)

    def step(self, connection: Connection, state: State) -> bool:  # noqa: ARG002
        """Copy the next templates."""
        self._table.prepare(connection)
        first = self._table.last_id(connection) + 1
        vectors, ids, _ = read_vectors(connection, self._dim, first=first, limit=remote.STEP)
        self._table.add(connection, ids, vectors)
        return len(ids) < remote.STEP

    def maintain(self, engine: Engine) -> None:
        """Build the graph once the table is large enough."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self._table.wants_graph(connection):
                self._table.build_graph(connection)

    def candidates(self, connection: Connection, probes: Embeddings, k: int) -> Ids:
        """See :class:`knownface.gallery.index.remote.RemoteIndex`."""
        return self._table.candidates(connection, probes, k)

    def close(self) -> None:
        """Nothing is held."""
