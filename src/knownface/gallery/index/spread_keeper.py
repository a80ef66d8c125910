"""Measuring how alike the people of a large gallery are to each other, in the background."""

from __future__ import annotations

import logging
import threading

from knownface.errors import KnownFaceError
from knownface.gallery.changes import note_people_change, read_state
from knownface.gallery.index.snapshot import Snapshot
from knownface.gallery.spread import SMALL, measure_spread, store_spread
from knownface.storage import Database

_log = logging.getLogger(__name__)


def is_behind(snapshot: Snapshot) -> bool:
    """Whether a gallery is too far from what was measured of it."""
    now, kept = snapshot.revision, snapshot.spread
    if not snapshot.templates:
        return False
    return kept is None or kept.is_behind(now.fingerprint, now.stamp, snapshot.templates, now.last_template)


class SpreadKeeper:
    """Keeps what is measured of a gallery in step with it; see :mod:`knownface.gallery.spread`.

    Args:
        database: The gallery's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread: threading.Thread | None = None
        self._failed = False

    def follow(self, snapshot: Snapshot) -> None:
        """Begin to measure, on a thread of its own, where the latest snapshot is too far from what was measured."""
        if self._failed or (self._thread is not None and self._thread.is_alive()):
            return
        if is_behind(snapshot):
            self._thread = threading.Thread(target=self.measure, name="knownface-spread")
            self._thread.start()

    def measure(self) -> None:
        """Measure the gallery as it is, and store that."""
        try:
            with self._database.reading() as connection:
                kept = measure_spread(connection)
            if kept is None:
                return
            with self._database.writing() as connection:
                # A small gallery was measured by whoever has changed it meanwhile.
                if kept.templates > SMALL or read_state(connection).stamp == kept.stamp:
                    store_spread(connection, kept)
                    note_people_change(connection)
        except KnownFaceError as error:
            self._failed = True  # not tried again before the next start
            _log.warning("The threshold does not follow the people of %s: %s", self._database, error)

    def close(self) -> None:
        """Wait for what is being measured."""
        if self._thread is not None:
            self._thread.join()
