"""The part of a gallery that is searched: its embedder, its index, and what is kept of it in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from sqlalchemy import Engine

from knownface.errors import GalleryEmptyError, KnownFaceError
from knownface.gallery.contracts import check_same
from knownface.gallery.database import GalleryDatabase
from knownface.gallery.live_index import LiveIndex, View
from knownface.gallery.saved_index import save_index, saved_key
from knownface.storage import Location
from knownface.storage.failures import translated
from knownface.storage.watch import ChangeWatch
from knownface.types import EmbedderContract, Embeddings, Ids, Neighbours

_log = logging.getLogger(__name__)

WORTH_SAVING = 20_000
"""Templates from which on closing a gallery saves its index. Building a smaller one takes no time that is felt."""


class Searchable(GalleryDatabase):
    """The part of :class:`knownface.gallery.Gallery` that answers who is near."""

    def __init__(self, engine: Engine, location: Location) -> None:
        super().__init__(engine, location)
        self._lock = threading.Lock()
        self._live = LiveIndex(self._place, location.file)
        self._watch = None if location.file is None else ChangeWatch(location.file)
        self._seen: int | None = None
        self._bound: EmbedderContract | None = None

    def close(self) -> None:
        """Close the gallery, saving its index where that is worth it."""
        if not self._closed:
            try:
                self._save_if_worth_it()
            except KnownFaceError as error:
                _log.warning("The index was not saved; it is built again when needed: %s", error)
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
        """Find the k nearest templates of each probe; exact, and the same alone and in a batch.

        Args:
            embeddings: Float32, shape (n, dim), unit norm.
            k: How many, at least 1.

        Raises:
            ValueError: The shape does not fit the gallery's embedder.
        """
        with self._lock:
            self._update(index=True)
            return self._live.search(embeddings, k)

    def build_index(self) -> int:
        """Bring the index up to date and save it beside the database; returns the number of templates in it.

        Never needed: a search does the first, and closing a large gallery the second.

        Raises:
            OutputError: It cannot be saved.
        """
        with self._lock:
            self._save()
            return self._live.view.templates

    def _view(self) -> View:
        with self._lock:
            self._update(index=False)
            return self._live.view

    def _update(self, *, index: bool) -> None:
        self._check_open()
        # Read before the database is: what is committed in between is then looked at twice, never missed.
        with translated(self._place):
            version = None if self._watch is None else self._watch.version()
        if version is not None and version == self._seen and (self._live.in_step or not index):
            return
        with self._reading() as connection:
            if index:
                self._live.sync(connection)
            else:
                self._live.look(connection)
        self._seen = version

    def _save(self) -> None:
        # Inside a writing transaction, so that nobody can remove a person between the look at the database and the
        # saving of an index that still holds them.
        with self._writing() as connection:
            key, index, file = self._live.sync(connection), self._live.index, self._location.file
            if index is None or key is None or file is None:
                return
            found = saved_key(file)
            if found is None or found[0].stamp != key.stamp:
                save_index(file, index, key)

    def _save_if_worth_it(self) -> None:
        index = self._live.index
        if self._location.file is not None and index is not None and len(index) >= WORTH_SAVING:
            with self._lock:
                self._save()
