"""The part of a gallery that is searched: its embedder, its index, and what is kept of it in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
from sqlalchemy import Connection

from knownface.errors import GalleryEmptyError, IndexDamagedError, KnownFaceError
from knownface.gallery.contracts import check_same
from knownface.gallery.database import GalleryDatabase
from knownface.gallery.index.local import LiveIndex, Snapshot
from knownface.gallery.index.options import TOLD, IndexOptions, index_options
from knownface.gallery.index.person_means import PersonMeans, with_means
from knownface.gallery.index.remote import EngineIndex, EngineOptions, engine_options
from knownface.settings import Settings
from knownface.storage import Database
from knownface.storage.watch import open_watch
from knownface.types import EmbedderContract, Embeddings, Ids, Neighbours

_log = logging.getLogger(__name__)

_AROUND = 20
"""Nearest templates among which people are looked for whose means are compared."""


class Searchable(GalleryDatabase):
    """The part of :class:`knownface.gallery.Gallery` that answers who is near."""

    def __init__(
        self,
        database: Database,
        options: EngineOptions | None = None,
        index: IndexOptions | None = None,
    ) -> None:
        super().__init__(database)
        location = database.location
        self._lock = threading.Lock()
        self._live: LiveIndex | EngineIndex = (
            LiveIndex(self._place, location.file, index) if options is None else EngineIndex(database, options)
        )
        self._renewing: threading.Thread | None = None
        self._wrote = False
        self._watch = open_watch(database)
        self._seen: int | str | None = None
        self._bound: EmbedderContract | None = None
        self._means = PersonMeans(self._place)

    @classmethod
    def open(
        cls,
        location: str | Path,
        *,
        create: bool = True,
        engine: EngineOptions | None = None,
        index: IndexOptions | None = None,
    ) -> Self:
        """Open a gallery.

        Args:
            location: A file, a database URL, or ``":memory:"`` for one that is gone when it is closed.
            create: Whether a gallery that does not exist is made, with the folders above it.
            engine: Who searches it; None is this process.
            index: How this process searches; None chooses by size.

        Raises:
            GalleryEmptyError: There is none, and ``create`` is False.
            GalleryDamagedError, GalleryVersionError: It cannot be used; it is left untouched.
            GalleryLockedError: Another program kept it locked for half a minute.
            OutputError: The disk is full.
            SettingsError: The search engine cannot search such a gallery.
            GalleryError: It may not be read or written, is another program's file, or its server does not answer.
        """
        database = Database.open(location, create=create)
        try:
            return cls(database, engine, index)
        except BaseException:
            database.close()
            raise

    @classmethod
    def open_by(cls, settings: Settings, *, create: bool = True) -> Self:
        """Open the gallery that the settings name, with the search engine that they name.

        Raises:
            KnownFaceError: As :meth:`open`.
        """
        return cls.open(settings.gallery, create=create, engine=engine_options(settings), index=index_options(settings))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with super()._writing() as connection:
            yield connection
        self._wrote = True

    @contextmanager
    def _removing(self) -> Iterator[Connection]:
        with super()._removing() as connection:
            yield connection
        # An engine outside of the database must not keep what was removed until somebody searches.
        self._bring_engine_in_step()

    def _bring_engine_in_step(self) -> None:
        if not isinstance(self._live, EngineIndex):
            return
        try:
            with self._lock:
                self._update(index=True)
        except KnownFaceError as error:
            _log.warning("The search engine lags behind %s and follows as soon as it answers: %s", self._place, error)

    def close(self) -> None:
        """Close the gallery, saving its index where that is worth it."""
        if not self.database.closed:
            try:
                self._save_if_worth_it()
            except KnownFaceError as error:
                _log.warning("The index was not saved; it is built again when needed: %s", error)
            if isinstance(self._live, EngineIndex):
                if self._wrote:
                    self._bring_engine_in_step()
                self._live.close()
        # Before the others, so that the last connection may write: it then puts the side files away.
        if self._watch is not None:
            self._watch.close()
        super().close()

    @property
    def contract(self) -> EmbedderContract | None:
        """The contract of the embedder that filled the gallery; before the first template, the one bound, if any."""
        view = self._view()
        return view.contract if view.holds_vectors else self._bound or view.contract

    def check_contract(self, contract: EmbedderContract) -> None:
        """Raise if this embedder's vectors cannot be compared with those in the gallery.

        Raises:
            ContractMismatchError: Another embedder filled the gallery.
        """
        view = self._view()
        if view.holds_vectors:
            check_same(view.contract, contract, self._place)

    def bind(self, contract: EmbedderContract) -> None:
        """Say which embedder the templates to be added come from; it is stored with the first of them.

        Raises:
            ContractMismatchError: Another embedder filled the gallery.
        """
        self.check_contract(contract)
        self._bound = contract

    def __len__(self) -> int:
        """Templates, counter-examples aside."""
        return self._view().templates

    def __bool__(self) -> bool:
        """True, also of an empty gallery."""
        return True

    def check_not_empty(self) -> None:
        """Raise if there is nothing to compare a face with.

        Raises:
            GalleryEmptyError: There is no template.
        """
        if not len(self):
            raise GalleryEmptyError(f"Nobody is enrolled in the gallery {self._place}.")

    @property
    def generation(self) -> int:
        """One higher after every change of people or templates, whoever made it."""
        return self._view().state.generation

    @property
    def names(self) -> Mapping[int, str]:
        """Name of each person id; read-only."""
        return self._view().names

    @property
    def person_thresholds(self) -> Mapping[int, float]:
        """The people's own thresholds by person id; read-only."""
        return self._view().thresholds

    def negatives(self) -> tuple[Embeddings, Ids]:
        """The counter-examples, float32, shape (n, dim), and the ids of the people they are not."""
        view = self._view()
        return view.negatives, view.negative_owners

    def search(self, embeddings: Embeddings, k: int) -> Neighbours:
        """Find the k nearest templates of each probe; the same alone and in a batch.

        Up to about 20,000 templates the answer is exact; beyond, a neighbour may be missed (docs/scaling.md).

        Args:
            embeddings: Float32, shape (n, dim), unit norm.
            k: How many, at least 1.

        Raises:
            ValueError: The shape does not fit the gallery's embedder.
        """
        with self._lock:
            self._update(index=True)
            try:
                return self._live.search(embeddings, k)
            except IndexDamagedError as error:
                _log.warning("The saved index is damaged (%s); it is built anew from the gallery.", error)
            if isinstance(self._live, LiveIndex):
                self._live.forget()
            self._update(index=True)
            return self._live.search(embeddings, k)

    def search_with_means(self, embeddings: Embeddings, k: int) -> Neighbours:
        """As :meth:`search`, where the mean embedding of each person counts as one more template of theirs.

        The means are those of the people who have several templates, one of them among the 20 nearest.

        Args:
            embeddings: Float32, shape (n, dim), unit norm.
            k: How many, at least 1.

        Raises:
            ValueError: The shape does not fit the gallery's embedder.
        """
        near = self.search(embeddings, max(k, _AROUND))
        people, dim = np.unique(near.people[near.people >= 0]), embeddings.shape[1]
        with self._lock:
            people, means = self._means.of(people, dim, self._live.view.state.generation, self._reading)
        return with_means(near, embeddings, people, means, k)

    def build_index(self) -> int:
        """Bring the index up to date and save it beside the database; returns the number of templates in it.

        Never needed: a search does the first, and closing a large gallery the second.

        Raises:
            OutputError: It cannot be saved.
        """
        with self._lock:
            self._save()
            return self._live.view.templates

    def index_told(self) -> tuple[str, bool | None]:
        """What searches, as users are told, and whether the next start finds it saved; None where others search."""
        view = self._view()
        if not isinstance(self._live, LiveIndex):
            return self._live.told, None
        with self._lock, self._reading() as connection:
            return TOLD[self._live.kind], view.templates > 0 and self._live.is_saved(connection)

    def _view(self) -> Snapshot:
        with self._lock:
            self._update(index=False)
            return self._live.view

    def _update(self, *, index: bool) -> None:
        self.database.check_open()
        # Read before the database is: what is committed in between is then looked at twice, never missed.
        version = None if self._watch is None else self._watch.version()
        if version is not None and version == self._seen and (self._live.in_step or not index):
            return
        with self._reading() as connection:
            if index:
                self._live.sync(connection)
            else:
                self._live.look(connection)
        self._seen = version
        if index and isinstance(self._live, LiveIndex):
            self._place_and_renew(self._live)

    def _place_and_renew(self, live: LiveIndex) -> None:
        try:
            if live.waits_for_place:
                with self._writing() as connection:
                    live.place(connection)
            if not live.is_outgrown or self._renewing is not None:
                return
            if self._watch is None:
                # In memory there is one connection, which a thread would keep from everybody.
                with self._reading() as connection:
                    live.adopt(connection, live.build(connection))
            else:
                self._renewing = threading.Thread(target=self._renew, args=(live,), name="knownface-index")
                self._renewing.start()
        except KnownFaceError as error:
            _log.warning("The index of %s was not saved; it is built again when needed: %s", self._place, error)

    def _renew(self, live: LiveIndex) -> None:
        """Build a larger index on a thread of its own, while the old one answers."""
        try:
            with self._reading() as connection:
                built = live.build(connection)
            with self._lock, self._writing() as connection:
                live.adopt(connection, built)
                live.place(connection)
            self._renewing = None
        except KnownFaceError as error:
            # Not tried again before the next start.
            _log.warning("The index of %s goes on as it is; a larger one was not built: %s", self._place, error)

    def _save(self) -> None:
        if isinstance(self._live, EngineIndex):
            self._update(index=True)
            return
        with self._writing() as connection:
            self._live.save(connection)

    def _save_if_worth_it(self) -> None:
        renewing = self._renewing
        if renewing is not None:
            renewing.join()
        if isinstance(self._live, LiveIndex) and self._live.is_worth_saving:
            with self._lock:
                self._save()
