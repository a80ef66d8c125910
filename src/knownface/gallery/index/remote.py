"""The face of a live index over a search engine outside the process; see :mod:`knownface.gallery.index.engines`."""

from __future__ import annotations

import logging
import threading

import numpy as np
from sqlalchemy import Connection

from knownface.errors import KnownFaceError, SettingsError
from knownface.gallery.changes import read_state
from knownface.gallery.index.engines import MilvusEngine, PgvectorEngine, SearchEngine
from knownface.gallery.index.snapshot import Snapshot, SnapshotReader
from knownface.gallery.templates import read_vectors_of
from knownface.search.base import checked_k, checked_vectors, empty_answer, nearest
from knownface.search.milvus_options import MilvusOptions
from knownface.search.pgvector import PgvectorOptions
from knownface.settings import Settings
from knownface.storage import Database
from knownface.types import EmbedderContract, Embeddings, Ids, Neighbours

_log = logging.getLogger(__name__)

_SPARE = 16
"""Candidates asked for beyond k: the engine's order is approximate, ours is exact among what it found."""

MOST_CANDIDATES = 16_384

EngineOptions = PgvectorOptions | MilvusOptions
"""Which engine searches a gallery, and how."""


def engine_options(settings: Settings) -> EngineOptions | None:
    """What the settings say about a search engine; None where the process searches by itself.

    Raises:
        SettingsError: They do not fit together.
    """
    effort = {} if settings.search_effort is None else {"effort": settings.search_effort}
    if settings.index == "pgvector":
        return PgvectorOptions(**effort)
    if settings.index != "milvus":
        return None
    if settings.milvus_uri is None:
        raise SettingsError("index is milvus, and milvus_uri is not set.", "Set it to http://host:19530 or a .db file.")
    token = "" if settings.milvus_token is None else settings.milvus_token.get_secret_value()
    probed = {} if settings.search_effort is None else {"probed": settings.search_effort}
    return MilvusOptions(
        settings.milvus_uri, token, settings.milvus_collection, settings.milvus_index, **probed, **effort
    )


class EngineIndex:
    """The view of a gallery, and a search engine that follows it; one thread at a time may use it.

    The engine proposes; owners and vectors of what it proposes are read from the database in the same moment. So
    nobody who was removed is named, however far the engine lags behind, and distances are those of every other index.

    Args:
        database: The gallery's.
        options: Which search engine, and how.

    Raises:
        SettingsError: The search engine cannot search such a gallery.
    """

    def __init__(self, database: Database, options: EngineOptions) -> None:
        location = database.location
        if location.file is None and location.is_sqlite:
            raise SettingsError("A gallery in memory is searched by its own process.", "Set index to auto.")
        if isinstance(options, PgvectorOptions) and location.is_sqlite:
            raise SettingsError(
                f"pgvector searches galleries on a PostgreSQL server, and {location} is a file.",
                "Set gallery to a postgresql:// URL, or index to auto.",
            )
        self._database, self._place, self._options = database, str(location), options
        self._looking = SnapshotReader(self._place)
        self._found: SearchEngine | None = None
        self._fingerprint = ""
        self._followed: str | None = None
        self._tending: threading.Thread | None = None

    @property
    def view(self) -> Snapshot:
        """What the gallery said when it was looked at last."""
        return self._looking.view

    def look(self, connection: Connection) -> Snapshot:
        """Bring the view up to date."""
        return self._looking.look(connection)

    @property
    def told(self) -> str:
        """What searches, as users are told."""
        if isinstance(self._options, PgvectorOptions):
            return "pgvector: the gallery's own server proposes, the best are compared exactly"
        return f"milvus: {self._options.place} proposes ({self._options.kind}), the best are compared exactly"

    @property
    def in_step(self) -> bool:
        """Whether the search engine holds what the view speaks of."""
        return self._followed == self.view.state.stamp

    def sync(self, connection: Connection) -> None:
        """Bring the view and the search engine up to date; what has to be written is, in transactions of its own.

        Args:
            connection: In a reading transaction.

        Raises:
            GalleryError: The search engine or the database does not answer.
        """
        view = self.look(connection)
        if self.in_step or view.contract is None:
            return
        made = self._found if self._fingerprint == view.contract.fingerprint else None
        if made is not None and not made.is_behind(connection, view.state):
            self._followed = view.state.stamp
            return
        while not self._step(view.contract):
            pass
        self._tend()

    def _step(self, contract: EmbedderContract) -> bool:
        with self._database.writing() as connection:
            if self._found is None or self._fingerprint != contract.fingerprint:
                self._let_go()
                self._found, self._fingerprint = self._make(connection, contract.dim), contract.fingerprint
            state = read_state(connection)
            done = self._found.step(connection, state)
            self._followed = state.stamp if done else None
        return done

    def _make(self, connection: Connection, dim: int) -> SearchEngine:
        if isinstance(self._options, PgvectorOptions):
            return PgvectorEngine(self._options, dim, self._place)
        return MilvusEngine(connection, self._options, dim, self._place)

    def _tend(self) -> None:
        if self._found is not None and (self._tending is None or not self._tending.is_alive()):
            self._tending = threading.Thread(target=self._tend_now, args=(self._found,), name="knownface-index")
            self._tending.start()

    def _tend_now(self, found: SearchEngine) -> None:
        try:
            found.tend(self._database.engine)
        except KnownFaceError as error:
            _log.warning("The index of %s was not built; the next start tries again: %s", self._place, error)

    def search(self, embeddings: Embeddings, k: int) -> Neighbours:
        """The k nearest templates of each probe, as far as the engine finds them, with exact distances."""
        contract = self.view.contract
        distances, ids = empty_answer(len(embeddings), checked_k(k))
        owners = np.full(ids.shape, -1, dtype=np.int64)
        if contract is None or self._found is None or not self.view.templates:
            return Neighbours(distances, ids, owners)
        probes = checked_vectors(embeddings, contract.dim)
        rows, fetched = np.arange(len(probes)), k + _SPARE
        with self._database.reading() as connection:
            while len(rows):
                fetched = min(fetched, MOST_CANDIDATES)
                proposed = self._found.candidates(connection, probes[rows], fetched)
                whose = self._read(connection, np.unique(proposed[proposed >= 0]), contract.dim)
                short = []
                for row, candidates in zip(rows, proposed, strict=True):
                    known = np.isin(whose[1], candidates)
                    near, found = nearest(probes[row].astype(np.float64), whose[0][known], whose[1][known], k)
                    distances[row, : len(found)], ids[row, : len(found)] = near, found
                    owners[row, : len(found)] = whose[2][np.searchsorted(whose[1], found)]
                    # Some of the proposed were removed meanwhile: ask for more, unless there are no more.
                    if len(found) < k and (candidates >= 0).all() and fetched < MOST_CANDIDATES:
                        short.append(row)
                rows, fetched = np.array(short, dtype=np.int64), 4 * fetched
        return Neighbours(distances, ids, owners)

    def _read(self, connection: Connection, ids: Ids, dim: int) -> tuple[Embeddings, Ids, Ids]:
        vectors, found, people = read_vectors_of(connection, ids, dim, self._place)
        # Whom the view does not know yet was enrolled since it was taken; the next request sees them.
        known = np.array([person in self.view.names for person in people.tolist()], dtype=bool)
        order = np.argsort(found[known])
        return vectors[known][order], found[known][order], people[known][order]

    def _let_go(self) -> None:
        if self._found is not None:
            self._found.close()
            self._found = None

    def close(self) -> None:
        """Wait for what is being built, then let go of the engine."""
        if self._tending is not None:
            self._tending.join()
        self._let_go()
