"""``SightingLog``: who was seen, where, from when to when; durable in the gallery's database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from knownface.errors import UnknownSightingError
from knownface.events import recording, sighting_queries
from knownface.events.retention import is_scrubbing_due, purge
from knownface.events.values import RetentionPolicy, SeenTrack, Sighting, SightingFilter
from knownface.gallery import Gallery
from knownface.gallery.edit_log import recorded
from knownface.gallery.edit_texts import numbers_of
from knownface.storage.events_schema import sightings
from knownface.storage.sealing.columns import whole

_log = logging.getLogger(__name__)

PURGE_SECONDS = 3600.0
"""How often a running program looks for what is older than is to be kept."""

_PAGE = 1000


class SightingLog:
    """The sightings of a gallery; may be used from several threads, and several programs may write at once.

    Every method is one transaction: what it returned from is on the disk. Opening the log, and recording, delete what
    is older than ``retention.days``. Rows deleted so are overwritten at once; copies that SQLite may have left in the
    gaps of its pages go when the file is next written anew: of up to 64 MB when a gallery is closed, else once a day.

    Args:
        gallery: Where it is kept; must stay open.
        retention: What is kept of the faces, and for how long.

    Example:
        >>> from datetime import UTC, datetime
        >>> from knownface.gallery import Gallery
        >>> with Gallery.open(":memory:") as gallery:
        ...     log, now = SightingLog(gallery), datetime.now(UTC)
        ...     seen = SeenTrack("run-1", "door", None, log.new_unknown_number(), now, now)
        ...     _ = log.record([seen])
        ...     log.find()[0].label
        'Unknown 1'
    """

    def __init__(self, gallery: Gallery, retention: RetentionPolicy | None = None) -> None:
        self.gallery = gallery
        self._database = gallery.database
        self.retention = retention or RetentionPolicy()
        self._lock = threading.Lock()
        self._next_purge = 0.0
        self._purge_when_due()

    def record(self, seen: Sequence[SeenTrack]) -> int:
        """Stores what is seen now; called again with the same, it changes nothing more.

        Returns:
            How many rows were written; people who were removed meanwhile are passed over.

        Raises:
            GalleryLockedError, OutputError: It could not be written; nothing of it is.
        """
        written = 0
        if seen:
            contract = self.gallery.contract if self.retention.unknown_faces else None
            fingerprint = None if contract is None else contract.fingerprint
            with self._database.writing() as connection:
                written = recording.record(connection, seen, self.retention, fingerprint)
        self._purge_when_due()
        return written

    def new_unknown_number(self) -> int:
        """Returns a number for an Unknown that no other one has, in any run."""
        with self._database.writing() as connection:
            return recording.next_unknown_number(connection)

    def find(
        self, where: SightingFilter | None = None, *, limit: int | None = None, below: int | None = None
    ) -> list[Sighting]:
        """Sightings, the newest first.

        Args:
            where: Selects sightings; None selects all.
            limit: How many at most.
            below: Only those with a smaller id: the next page begins below the last id of the one before.

        Raises:
            UnknownPersonError: Nobody has the name given.
        """
        with self._database.reading() as connection:
            return sighting_queries.find(connection, where or SightingFilter(), limit, below)

    def each(self, where: SightingFilter | None = None) -> Iterator[Sighting]:
        """The same, however many there are, without holding them all in memory.

        Raises:
            UnknownPersonError: Nobody has the name given.
        """
        below = None
        while page := self.find(where, limit=_PAGE, below=below):
            yield from page
            below = page[-1].id

    def count(self, where: SightingFilter | None = None) -> int:
        """How many there are."""
        with self._database.reading() as connection:
            return sighting_queries.count(connection, where or SightingFilter())

    def sources(self) -> list[str]:
        """Every source that somebody was seen at, in alphabetical order."""
        with self._database.reading() as connection:
            return sighting_queries.sources(connection)

    def picture(self, sighting_id: int) -> bytes | None:
        """The JPEG that is kept of a sighting, or None.

        Raises:
            UnknownSightingError: There is no such sighting.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(sightings.c.picture).where(sightings.c.id == sighting_id)).one_or_none()
            if row is not None and row.picture is not None:
                whole(row.picture, f"The picture of sighting {sighting_id}")
        if row is None:
            raise UnknownSightingError(f"There is no sighting {sighting_id}.")
        return None if row.picture is None else bytes(row.picture)

    def dismiss(self, numbers: Sequence[int], *, dismissed: bool = True) -> int:
        """Marks Unknowns as dismissed, or not dismissed after all; returns how many sightings they have."""
        with (
            self._database.writing() as connection,
            recorded(connection, "dismiss", unknowns=numbers, seen=True) as note,
        ):
            key = "dismissed" if dismissed else "listed_again"
            note.said = [{"key": key, "numbers": numbers_of(numbers)}]
            of_them = sightings.c.unknown.in_(numbers)
            return connection.execute(update(sightings).where(of_them).values(dismissed=dismissed)).rowcount

    def delete(self, where: SightingFilter) -> int:
        """Deletes sightings, with the alerts about them, leaving no trace; returns how many there were.

        Raises:
            UnknownPersonError: Nobody has the name given.
        """
        with self._database.erasing() as connection:
            return connection.execute(delete(sightings).where(sighting_queries.conditions(connection, where))).rowcount

    def purge(self, now: datetime | None = None) -> int:
        """Deletes what is older than ``retention.days``; happens by itself.

        Args:
            now: Timezone-aware; None is the clock's time.

        Returns:
            How many sightings, alerts and offered samples went.
        """
        if self.retention.days is None:
            return 0
        cutoff = recording.as_utc(now) - timedelta(days=self.retention.days)
        with self._database.writing() as connection:
            gone = purge(connection, cutoff)
            due = is_scrubbing_due(connection)
        if gone:
            _log.info("%d records older than %s were deleted.", gone, cutoff.isoformat(timespec="minutes"))
        if due:
            self._database.scrub()
        return gone

    def _purge_when_due(self) -> None:
        with self._lock:
            if self.retention.days is None or time.monotonic() < self._next_purge:
                return
            self._next_purge = time.monotonic() + PURGE_SECONDS
        self.purge()
