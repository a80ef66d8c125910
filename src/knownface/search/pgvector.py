"""pgvector's HNSW index over half-precision vectors, in a table beside the gallery's own.

The server searches, so no process keeps a copy. The table holds two bytes a number, which is enough to find
candidates; whoever asks ranks them by the float32 vectors of the gallery. A row goes with the row that it copies
(``ON DELETE CASCADE``), in the same transaction.

Methods: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
Small World graphs", 2018; https://github.com/pgvector/pgvector for the SQL.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from knownface.errors import GalleryError, SettingsError
from knownface.types import Embeddings, Ids

TABLE = "pgvector_index"
INDEX = "pgvector_index_hnsw"

GRAPH_FROM = 10_000
"""Rows from which on a graph is built; fewer are compared one by one, which is exact and takes a few milliseconds."""

_ROWS_PER_COPY = 4096
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"

_LARGEST_BUILD_MEMORY = 4 << 30
_BUILD_LOCK = 7236530418

_VALID_GRAPH = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:index)")
_SET_BUILD_MEMORY = text(
    "SELECT set_config('maintenance_work_mem', greatest(CAST(:wanted AS bigint), "
    "pg_size_bytes(current_setting('maintenance_work_mem')) / 1024)::text || 'kB', false)"
)


@dataclass(frozen=True, slots=True)
class PgvectorOptions:
    """How the graph is built and searched.

    Attributes:
        m: Links of a node, 2 to 100.
        ef_construction: Candidates compared when a node is linked, at least twice ``m``.
        ef_search: Candidates kept while searching, 1 to 1000: more find more, and take longer. With 100,
            3 % of the answers were others than an exact search's (docs/scaling.md).

    Raises:
        SettingsError: The effort is more than pgvector takes.
    """

    m: int = 16
    ef_construction: int = 128
    ef_search: int = 400

    def __post_init__(self) -> None:
        if not 1 <= self.ef_search <= 1000:
            raise SettingsError(f"pgvector takes a search_effort of 1 to 1000, got {self.ef_search}.", "Set it anew.")


class PgvectorTable:
    """The table, over the caller's transactions.

    Args:
        dim: Length of a vector, at most 4000.
        source: Table whose ``id`` the rows follow.
        options: Of the graph.
    """

    def __init__(self, dim: int, source: str, options: PgvectorOptions) -> None:
        self._dim, self._source, self._options = dim, source, options
        # Materialised, or the probe would be read from its text once a row.
        self._nearest = text(
            f"WITH probe AS MATERIALIZED (SELECT number, CAST(written AS halfvec({dim})) AS vector "  # noqa: S608
            f"FROM unnest(CAST(:probes AS text[])) WITH ORDINALITY AS probes(written, number)) "
            f"SELECT probe.number, near.template_id FROM probe CROSS JOIN LATERAL "
            f"(SELECT template_id FROM {TABLE} ORDER BY embedding <-> probe.vector LIMIT :k) AS near"
        )

    def prepare(self, connection: Connection) -> None:
        """Make the table where it is missing, or was made for vectors of another length.

        Raises:
            GalleryError: The server has no pgvector of version 0.8 or later, or the user may not switch it on.
        """
        length = connection.scalar(
            text("SELECT atttypmod FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attname = 'embedding'"),
            {"table": TABLE},
        )
        if length == self._dim:
            return
        _enable_extension(connection)
        drop_table(connection)
        connection.execute(
            text(
                f"CREATE TABLE {TABLE} ("
                f"template_id bigint PRIMARY KEY REFERENCES {self._source}(id) ON DELETE CASCADE, "
                f"embedding halfvec({self._dim}) NOT NULL)"
            )
        )

    def last_id(self, connection: Connection) -> int:
        """The largest id held, or -1, also where there is no table. Ids grow, so what is missing has larger ones."""
        if connection.scalar(text("SELECT to_regclass(:table)"), {"table": TABLE}) is None:
            return -1
        last = connection.scalar(text(f"SELECT max(template_id) FROM {TABLE}"))  # noqa: S608
        return -1 if last is None else int(last)

    def add(self, connection: Connection, ids: Ids, vectors: Embeddings) -> None:
        """Add vectors of new ids.

        Args:
            connection: In a transaction.
            ids: Int64, shape (n,).
            vectors: Float32, shape (n, dim), unit norm.
        """
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  (it is open)
        with driver.cursor().copy(f"COPY {TABLE} (template_id, embedding) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_SIGNATURE)
            for first in range(0, len(ids), _ROWS_PER_COPY):
                part = slice(first, first + _ROWS_PER_COPY)
                copy.write(_rows(ids[part], vectors[part]))
            copy.write(_TRAILER)

    def wants_graph(self, connection: Connection) -> bool:
        """Whether the table is large enough for a graph and has none."""
        if connection.scalar(_VALID_GRAPH, {"index": INDEX}):
            return False
        rows = connection.scalar(text(f"SELECT count(*) FROM (SELECT 1 FROM {TABLE} LIMIT {GRAPH_FROM}) AS counted"))  # noqa: S608
        return int(rows or 0) >= GRAPH_FROM

    def build_graph(self, connection: Connection) -> None:
        """Build the graph, unless there is one or somebody else is at it; others may read and write meanwhile.

        Args:
            connection: In autocommit mode.
        """
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _BUILD_LOCK}):
            return
        try:
            if not self.wants_graph(connection):
                return
            connection.execute(text(f"DROP INDEX IF EXISTS {INDEX}"))  # left by a build that was cut short
            connection.execute(_SET_BUILD_MEMORY, {"wanted": self._build_memory(connection) // 1024})
            connection.execute(
                text(
                    f"CREATE INDEX CONCURRENTLY {INDEX} ON {TABLE} USING hnsw (embedding halfvec_l2_ops) "
                    f"WITH (m = {self._options.m}, ef_construction = {self._options.ef_construction})"
                )
            )
            connection.execute(text("RESET maintenance_work_mem"))
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _BUILD_LOCK})

    def _build_memory(self, connection: Connection) -> int:
        # A graph that outgrows its memory is built several times slower: a row's vector and links, with some room.
        rows = int(connection.scalar(text(f"SELECT count(*) FROM {TABLE}")) or 0)  # noqa: S608
        return min(int(1.3 * rows * (2 * self._dim + 24 * self._options.m + 200)), _LARGEST_BUILD_MEMORY)

    def candidates(self, connection: Connection, probes: Embeddings, k: int) -> Ids:
        """The ids of about the k nearest rows of each probe, in no order.

        Args:
            connection: In a transaction, which may be a reading one.
            probes: Float32, shape (n, dim).
            k: How many.

        Returns:
            Int64, shape (n, k); -1 where fewer were found.
        """
        # A scan goes on where it met rows that were deleted, until k are found (pgvector 0.8).
        connection.execute(
            text(
                "SELECT set_config('hnsw.ef_search', :effort, true), "
                "set_config('hnsw.iterative_scan', 'relaxed_order', true)"
            ),
            {"effort": str(self._options.ef_search)},
        )
        texts = [_as_text(probe) for probe in probes]
        found = np.full((len(probes), k), -1, dtype=np.int64)
        filled = np.zeros(len(probes), dtype=np.int64)
        for number, template_id in connection.execute(self._nearest, {"probes": texts, "k": k}):
            found[number - 1, filled[number - 1]] = template_id
            filled[number - 1] += 1
        return found


_SOUND = (0, 8, 4)


def drop_table(connection: Connection) -> None:
    """Drop the table and its graph, where they are: they hold vectors that count no more."""
    connection.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))


def _enable_extension(connection: Connection) -> None:
    try:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    except DBAPIError as error:
        said = " ".join(str(error.orig).split())
        raise GalleryError(
            f"pgvector cannot be used on this server ({said}).",
            "Have it installed, and an administrator run: CREATE EXTENSION vector.",
        ) from error
    version = str(connection.scalar(text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")))
    if tuple(int(part) for part in version.split(".")[:2]) < (0, 8):
        raise GalleryError(
            f"pgvector {version} is too old; 0.8 is needed.", "Update it, then run: ALTER EXTENSION vector UPDATE."
        )


def pgvector_of(connection: Connection) -> tuple[str | None, bool]:
    """The version of pgvector that a server has, if any, and whether it builds graphs (HNSW) without a known fault.

    Before 0.8.4 a build could corrupt the graph; see pgvector's change log. What counts is the library on the server,
    which may be newer than the extension in the database.
    """
    query = text("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
    version = connection.scalar(query)
    parts = tuple(int(part) for part in (version or "").split(".") if part.isdecimal())
    return version, parts >= _SOUND


def _as_text(probe: Embeddings) -> str:
    return "[" + ",".join(map(repr, probe.tolist())) + "]"


def _rows(ids: Ids, vectors: Embeddings) -> bytes:
    """Rows as binary COPY takes them: counts and lengths, then the values, most significant byte first.

    See https://www.postgresql.org/docs/current/sql-copy.html, and ``halfvec_recv`` of pgvector.
    """
    dim = vectors.shape[1]
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("id_size", ">i4"),
            ("id", ">i8"),
            ("vector_size", ">i4"),
            ("dim", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f2", (dim,)),
        ]
    )
    rows = np.zeros(len(ids), dtype=row)
    rows["fields"], rows["id_size"], rows["id"] = 2, 8, ids
    rows["vector_size"], rows["dim"], rows["vector"] = 4 + 2 * dim, dim, vectors
    return rows.tobytes()
