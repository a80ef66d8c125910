"""A search engine outside of this process as the index of a gallery: it proposes, the database decides."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np
from sqlalchemy import Connection, Engine

from knownface.errors import KnownFaceError, SettingsError
from knownface.gallery.changes import State, read_state
from knownface.gallery.index.snapshot import SnapshotReader
from knownface.gallery.templates import read_vectors_of
from knownface.search.base import NO_ID, checked_k, checked_vectors, empty_answer, nearest
from knownface.types import EmbedderContract, Embeddings, Ids, Neighbours

_log = logging.getLogger(__name__)

_EXTRA = 16
"""Candidates asked for beyond k: the engine's order is approximate, ours is exact among what it found."""

MOST_CANDIDATES = 16_384

STEP = 10_000
"""Templates brought over in one transaction; other writers get their turn in between."""


class RemoteIndex(Protocol):
    """An engine that finds candidates near a probe. The database stays the truth."""

    def is_behind(self, connection: Connection, state: State) -> bool:
        """Whether the engine holds something else than this state's templates."""
        ...

    def step(self, connection: Connection, state: State) -> bool:
        """Bring the engine nearer to the state, inside a writing transaction; returns whether it is there."""
        ...

    def maintain(self, engine: Engine) -> None:
        """Do what may take minutes and keeps nobody waiting."""
        ...

    def candidates(self, connection: Connection, probes: Embeddings, k: int) -> Ids:
        """The ids of about the k nearest templates of each probe, int64, shape (n, k), -1 where there are fewer."""
        ...

    def close(self) -> None:
        """Let go of the engine."""
        ...


class RemoteCopy:
    """See :class:`knownface.gallery.index.copy.SearchCopy`.

    People and vectors of what the engine proposes are read from the database in the same moment. So nobody who was
    removed is named, however far the engine lags behind, and distances are those of every other index.

    Args:
        snapshots: Of the gallery.
        connect: Makes the engine's side, in a writing transaction, for vectors of a length.
        description: What searches, for users.

    Raises:
        SettingsError: The gallery is in memory, or encrypted.
    """

    def __init__(
        self, snapshots: SnapshotReader, connect: Callable[[Connection, int], RemoteIndex], description: str
    ) -> None:
        self._snapshots, self._database = snapshots, snapshots.database
        if self._database.location.is_memory:
            raise SettingsError("A gallery in memory is searched by its own process.", "Set index to auto.")
        if self._database.sealer is not None:
            raise SettingsError(
                f"The gallery {self._database} is encrypted: an engine outside of this process cannot search vectors "
                "that it cannot read.",
                "Set index to auto.",
            )
        self._connect, self.description = connect, description
        self._remote: RemoteIndex | None = None
        self._fingerprint = ""
        self._followed: str | None = None
        self._has_grown = False
        self._maintaining: threading.Thread | None = None
        with self._database.reading() as connection:
            self._found_at_opening = read_state(connection).stamp

    @property
    def is_current(self) -> bool:
        """Whether the engine holds the templates of the latest snapshot."""
        return self._followed == self._snapshots.latest.revision.stamp

    def update(self, connection: Connection) -> None:
        """Bring the engine to the latest snapshot; what has to be written is, in transactions of its own."""
        contract = self._snapshots.latest.contract
        if self.is_current or contract is None:
            return
        state = read_state(connection)
        same = self._remote if self._fingerprint == contract.fingerprint else None
        if same is not None and not same.is_behind(connection, state):
            self._followed = state.stamp
            return
        while not self._step(contract):
            pass
        self._has_grown = True

    def _step(self, contract: EmbedderContract) -> bool:
        with self._database.writing() as connection:
            if self._remote is None or self._fingerprint != contract.fingerprint:
                self._let_go()
                self._remote, self._fingerprint = self._connect(connection, contract.dim), contract.fingerprint
            state = read_state(connection)
            done = self._remote.step(connection, state)
            self._followed = state.stamp if done else None
        return done

    def maintain(self) -> None:
        """Have the engine index what was brought over, on a thread of its own."""
        busy = self._maintaining is not None and self._maintaining.is_alive()
        if self._remote is None or not self._has_grown or busy:
            return
        self._has_grown = False
        self._maintaining = threading.Thread(target=self._maintain, args=(self._remote,), name="knownface-index")
        self._maintaining.start()

    def _maintain(self, remote: RemoteIndex) -> None:
        try:
            remote.maintain(self._database.engine)
        except KnownFaceError as error:
            _log.warning("The index of %s was not built yet, which is tried again later: %s", self._database, error)

    def search(self, embeddings: Embeddings, k: int) -> Neighbours:
        """The k nearest templates of each probe, as far as the engine finds them, with exact distances."""
        snapshot = self._snapshots.latest
        distances, ids = empty_answer(len(embeddings), checked_k(k))
        people = np.full(ids.shape, NO_ID, dtype=np.int64)
        if snapshot.contract is None or self._remote is None or not snapshot.templates:
            return Neighbours(distances, ids, people)
        probes = checked_vectors(embeddings, snapshot.contract.dim)
        rows, fetched = np.arange(len(probes)), k + _EXTRA
        with self._database.reading() as connection:
            while len(rows):
                fetched = min(fetched, MOST_CANDIDATES)
                proposed = self._remote.candidates(connection, probes[rows], fetched)
                vectors, known_ids, known_people = self._read(connection, np.unique(proposed[proposed >= 0]))
                short = []
                for row, candidates in zip(rows, proposed, strict=True):
                    among = np.isin(known_ids, candidates)
                    near, found = nearest(probes[row].astype(np.float64), vectors[among], known_ids[among], k)
                    distances[row, : len(found)], ids[row, : len(found)] = near, found
                    people[row, : len(found)] = known_people[np.searchsorted(known_ids, found)]
                    # Some of the proposed were removed meanwhile: ask for more, unless there are no more.
                    if len(found) < k and (candidates >= 0).all() and fetched < MOST_CANDIDATES:
                        short.append(row)
                rows, fetched = np.array(short, dtype=np.int64), 4 * fetched
        return Neighbours(distances, ids, people)

    def _read(self, connection: Connection, ids: Ids) -> tuple[Embeddings, Ids, Ids]:
        snapshot = self._snapshots.latest
        assert snapshot.contract is not None  # noqa: S101  (the caller has looked)
        vectors, found, people = read_vectors_of(connection, ids, snapshot.contract.dim)
        # Whom the snapshot does not know yet was enrolled since; the next request sees them.
        known = np.array([person in snapshot.names for person in people.tolist()], dtype=bool)
        order = np.argsort(found[known])
        return vectors[known][order], found[known][order], people[known][order]

    def reset(self) -> None:
        """Nothing: the engine mends itself."""

    def save(self) -> None:
        """Bring the engine up to date; it keeps what it holds."""
        with self._database.reading() as connection:
            self._snapshots.read(connection)
            self.update(connection)
        self.maintain()

    def is_saved(self, connection: Connection) -> None:
        """None: the next start asks the engine."""

    def after_removal(self) -> None:
        """Bring the engine up to date: it must not keep what was removed until somebody searches."""
        self._catch_up()

    def _catch_up(self) -> None:
        try:
            with self._snapshots.lock:
                with self._database.reading() as connection:
                    stamp = read_state(connection).stamp
                if stamp not in (self._found_at_opening, self._followed):
                    self.save()
        except KnownFaceError as error:
            _log.warning(
                "The search engine lags behind %s and follows as soon as it answers: %s", self._database, error
            )

    def close(self) -> None:
        """Bring the engine up to date where the gallery has changed, wait for what it builds, and let go of it."""
        self._catch_up()
        if self._maintaining is not None:
            self._maintaining.join()
        self._let_go()

    def _let_go(self) -> None:
        if self._remote is not None:
            self._remote.close()
            self._remote = None
