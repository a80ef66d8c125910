"""The sources that the service itself watches: which they are, in the database; how they go, in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, delete, insert, select, update

from knownface.errors import NameTakenError, NotFoundError
from knownface.gallery import Gallery
from knownface.gallery.names import clean_label
from knownface.live import Sink, Watcher, WatchOptions, WatchStatus
from knownface.media import Source, parse_source
from knownface.recognizer import FaceRecognizer
from knownface.server.presence import Presence
from knownface.storage import reading, writing
from knownface.storage.service_schema import watched_sources
from knownface.tracking import Sample


@dataclass(frozen=True, slots=True)
class WatchedSource:
    """A source that the service watches, or would.

    Attributes:
        id: Its number.
        name: What people call it.
        source: Where it is; the address may hold a password, the source's name does not.
        running: Whether it is to be watched.
        created: UTC.
        status: How it goes; None while it is not watched.
    """

    id: int
    name: str
    source: Source
    running: bool
    created: datetime
    status: WatchStatus | None


class WatchedFeed:
    """A source while it is watched; see :class:`knownface.server.feeds.Feed`."""

    def __init__(
        self,
        feed_id: str,
        watched: WatchedSource,
        recognizer: FaceRecognizer,
        sinks: Sequence[Sink],
        new_number: Callable[[], int],
    ) -> None:
        self.id = feed_id
        self.source = watched.name
        self.presence = Presence()
        self.watcher = Watcher(
            watched.source,
            recognizer,
            WatchOptions(keep_trying=True, max_fps=None if watched.source.live else 30.0),
            [self.presence, *sinks],
            name=watched.name,
            new_number=new_number,
        )

    def evidence(self, track_id: int) -> tuple[Sample, ...]:
        """As :meth:`knownface.server.feeds.Feed.evidence`."""
        return self.watcher.evidence(track_id)


class WatchedSources:
    """Adds, starts, stops and removes sources; any thread may call.

    Args:
        recognizer: Who knows the people; its gallery keeps the list.
        sinks: Makes the sinks of a source, given its feed's id and name.
        new_number: Gives the number of another Unknown.
    """

    def __init__(
        self,
        recognizer: FaceRecognizer,
        sinks: Callable[[str, str], Sequence[Sink]],
        new_number: Callable[[], int],
    ) -> None:
        self._recognizer = recognizer
        self._sinks = sinks
        self._new_number = new_number
        self._feeds: dict[int, WatchedFeed] = {}
        self._lock = threading.Lock()

    @property
    def _gallery(self) -> Gallery:
        return self._recognizer.gallery

    # What there is

    def all(self) -> list[WatchedSource]:
        """Every source, in the order of their names."""
        with reading(self._gallery.engine, self._gallery.location) as connection:
            rows = connection.execute(select(watched_sources).order_by(watched_sources.c.name)).all()
        return [self._source(row) for row in rows]

    def get(self, source_id: int) -> WatchedSource:
        """One source.

        Raises:
            NotFoundError: There is none of this number.
        """
        with reading(self._gallery.engine, self._gallery.location) as connection:
            query = select(watched_sources).where(watched_sources.c.id == source_id)
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no source {source_id}.")
        return self._source(row)

    def feeds(self) -> list[WatchedFeed]:
        """Those that are watched."""
        with self._lock:
            return list(self._feeds.values())

    def preview(self, source_id: int) -> bytes | None:
        """What a source shows, names drawn in, as JPEG; None while there is nothing to see."""
        with self._lock:
            feed = self._feeds.get(source_id)
        return None if feed is None else feed.watcher.preview.jpeg()

    # Changes

    def add(self, name: str, address: str) -> WatchedSource:
        """Add a source and start to watch it.

        Raises:
            BadNameError: The name cannot be one.
            NameTakenError: Another source has it.
            UnsupportedError: The address is of a kind that is not read.
        """
        label = clean_label(name, "source's name")
        parse_source(address)
        with writing(self._gallery.engine, self._gallery.location) as connection:
            if connection.scalar(select(watched_sources.c.id).where(watched_sources.c.name == label)) is not None:
                raise NameTakenError(f"There is a source {label!r} already.", "Choose another name.")
            values = {"name": label, "address": address, "running": True, "created": datetime.now(UTC)}
            connection.execute(insert(watched_sources), values)
            source_id = connection.scalar(select(watched_sources.c.id).where(watched_sources.c.name == label)) or 0
        return self.start(source_id)

    def start(self, source_id: int) -> WatchedSource:
        """Watch a source, from now on and after every start of the service.

        Raises:
            NotFoundError: There is none of this number.
        """
        watched = self.get(source_id)
        self._note(source_id, running=True)
        with self._lock:
            running = self._feeds.get(source_id)
            if running is None or running.watcher.wait(0):
                feed_id = f"source-{source_id}"
                sinks = self._sinks(feed_id, watched.name)
                feed = WatchedFeed(feed_id, watched, self._recognizer, sinks, self._new_number)
                feed.watcher.start()
                self._feeds[source_id] = feed
        return self.get(source_id)

    def stop(self, source_id: int) -> WatchedSource:
        """Watch a source no more; waits until what was seen is written down.

        Raises:
            NotFoundError: There is none of this number.
        """
        self.get(source_id)
        self._note(source_id, running=False)
        with self._lock:
            feed = self._feeds.pop(source_id, None)
        if feed is not None:
            feed.watcher.stop()
        return self.get(source_id)

    def remove(self, source_id: int) -> None:
        """Forget a source and its address.

        Raises:
            NotFoundError: There is none of this number.
        """
        self.stop(source_id)
        with writing(self._gallery.engine, self._gallery.location) as connection:
            connection.execute(delete(watched_sources).where(watched_sources.c.id == source_id))

    def start_all(self) -> None:
        """Watch what was watched when the service ended."""
        for watched in self.all():
            if watched.running:
                self.start(watched.id)

    def close(self) -> None:
        """Stop everything; what was watched will be again at the next start."""
        with self._lock:
            feeds = list(self._feeds.values())
            self._feeds.clear()
        for feed in feeds:
            feed.watcher.request_stop()
        for feed in feeds:
            feed.watcher.wait()

    # Inside

    def _note(self, source_id: int, *, running: bool) -> None:
        with writing(self._gallery.engine, self._gallery.location) as connection:
            changed = update(watched_sources).where(watched_sources.c.id == source_id).values(running=running)
            connection.execute(changed)

    def _source(self, row: Row[int | str | bool | datetime]) -> WatchedSource:
        with self._lock:
            feed = self._feeds.get(row.id)
        status = None if feed is None else feed.watcher.status()
        return WatchedSource(row.id, row.name, parse_source(row.address), row.running, row.created, status)
