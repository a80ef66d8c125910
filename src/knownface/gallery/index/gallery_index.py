"""``GalleryIndex``: who is near a probe, whoever changed the gallery meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import Connection

from knownface.decision import AROUND
from knownface.errors import DamagedTemplatesError, GalleryEmptyError, IndexDamagedError, KnownFaceError
from knownface.gallery.changes import (
    note_templates_rearranged,
    note_templates_replaced,
    read_changes,
    read_position,
)
from knownface.gallery.index.copy import IndexChoice
from knownface.gallery.index.person_means import PersonMeans
from knownface.gallery.index.saved import delete_index, erase_templates
from knownface.gallery.index.snapshot import Snapshot, SnapshotReader
from knownface.gallery.index.spread_keeper import SpreadKeeper, is_behind
from knownface.gallery.network_change import set_aside
from knownface.gallery.spread import follow_templates
from knownface.scorings import Scoring
from knownface.search.pgvector import drop_table
from knownface.storage import Database
from knownface.storage.watch import open_watch
from knownface.types import Embeddings, Neighbours

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class GalleryIndex:
    """The index of a gallery, up to date with its database at every search; for several threads.

    Args:
        database: The gallery's.
        choice: Which index.

    Raises:
        SettingsError: This index cannot search such a gallery.
    """

    def __init__(self, database: Database, choice: IndexChoice) -> None:
        self._database = database
        self._snapshots = SnapshotReader(database)
        self._lock = self._snapshots.lock
        self._copy = choice.open(self._snapshots)
        self._watch = open_watch(database)
        self._version: int | str | None = None
        self._means = PersonMeans(database)
        self._spread = SpreadKeeper(database)

    def snapshot(self) -> Snapshot:
        """What the gallery holds now, whoever changed it."""
        with self._lock:
            self._update(index=False)
            return self._snapshots.latest

    def check_not_empty(self) -> None:
        """Raise if there is nothing to compare a face with.

        Raises:
            GalleryEmptyError: There is no template.
        """
        if not self.snapshot().templates:
            raise GalleryEmptyError(f"Nobody is enrolled in the gallery {self._database}.")

    def prepare(self) -> None:
        """Do now what the first search would have to do first; what hinders it is left to that search."""
        with suppress(KnownFaceError), self._lock:
            self._update(index=True)

    def search(self, embeddings: Embeddings, k: int, scoring: Scoring = "nearest") -> Neighbours:
        """Find the k nearest templates of each probe; the same alone and in a batch.

        Up to about 20,000 templates the answer is exact; beyond, a neighbour may be missed (docs/scaling.md).

        Args:
            embeddings: Float32, shape (n, dim), unit norm.
            k: How many, at least 1.
            scoring: With ``nearest+mean`` the mean embeddings of people count as templates of theirs, see
                :mod:`knownface.decision.scoring`.

        Raises:
            ValueError: The shape does not fit the gallery's embedder.
        """
        if scoring == "nearest":
            return self._nearest(embeddings, k)
        near = self._nearest(embeddings, max(k, AROUND))
        with self._lock:
            both = self.whole(lambda: self._means.added(near, embeddings, self._snapshots.latest.generation))
        return Neighbours(both.distances[:, :k], both.templates[:, :k], both.people[:, :k])

    def _nearest(self, embeddings: Embeddings, k: int) -> Neighbours:
        with self._lock:
            self._update(index=True)
            try:
                return self._copy.search(embeddings, k)
            except IndexDamagedError as error:
                _log.warning("The saved index is damaged (%s); it is built anew from the gallery.", error)
            self._copy.reset()
            self._update(index=True)
            return self._copy.search(embeddings, k)

    def build(self) -> int:
        """Bring the index up to date and save it beside the database; returns the number of templates in it.

        Never needed: a search does the first, and closing a large gallery the second.

        Raises:
            OutputError: It cannot be saved.
        """
        with self._lock:
            self._copy.save()
            return self._snapshots.latest.templates

    def describe(self) -> tuple[str, bool | None]:
        """What searches, for users, and whether the next start finds it saved; None where others search."""
        templates = self.snapshot().templates
        with self._lock, self._database.reading() as connection:
            saved = self._copy.is_saved(connection)
            return self._copy.description, None if saved is None else saved and templates > 0

    def measure(self) -> None:
        """Measure how alike the people are to each other, where what is known of it does not fit the gallery.

        That is so where an earlier version has changed it. Else it is measured as people come and go: see
        :mod:`knownface.gallery.spread`.
        """
        if is_behind(self.snapshot()):
            self.whole(self._spread.measure)

    @contextmanager
    def removing(self) -> Iterator[Connection]:
        """A transaction that takes templates or people away; afterwards no file holds a trace of them."""
        file = self._database.location.file
        with self._database.erasing() as connection:
            before = read_position(connection)
            yield connection
            note_templates_rearranged(connection)
            follow_templates(connection)
            if file is not None:
                changes = read_changes(connection, before)
                if changes is None:
                    delete_index(file)
                else:
                    erase_templates(file, changes.removed)
        self._copy.after_removal()

    @contextmanager
    def replacing(self) -> Iterator[Connection]:
        """A transaction that gives templates other vectors; whatever follows the gallery reads all of it anew."""
        file = self._database.location.file
        with self._database.writing() as connection:
            yield connection
            note_templates_replaced(connection)
            follow_templates(connection)
            if file is not None:
                delete_index(file)
            elif not self._database.location.is_sqlite:
                drop_table(connection)

    def _update(self, *, index: bool) -> None:
        self._database.check_open()
        # Read before the database is: what is committed in between is then read twice, never missed.
        version = None if self._watch is None else self._watch.version()
        if version is not None and version == self._version and (self._copy.is_current or not index):
            return
        self.whole(lambda: self._read(index=index))
        self._version = version
        if index:
            self._copy.maintain()
            self._spread.follow(self._snapshots.latest)

    def _read(self, *, index: bool) -> None:
        with self._database.reading() as connection:
            self._snapshots.read(connection)
            if index:
                self._copy.update(connection)

    def whole(self, read: Callable[[], _T]) -> _T:
        """What a function reads of the templates; damaged ones are set aside, so that the rest is there.

        Args:
            read: May be called several times; begins no writing transaction.
        """
        while True:
            try:
                return read()
            except DamagedTemplatesError as error:
                _log.warning("%s They are set aside; enrol their files again.", error)
                with self._database.writing() as connection:
                    set_aside(connection, dict.fromkeys(error.ids, "its record in the gallery is damaged"))
                    note_templates_rearranged(connection)

    def close(self) -> None:
        """Save the index where that is worth it, and let go of it; the database stays open."""
        self._spread.close()
        self._copy.close()
        if self._watch is not None:
            self._watch.close()
