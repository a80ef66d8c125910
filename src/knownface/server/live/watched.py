"""The sources that the service itself watches: what the list says is what is watched, here or by another service."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from knownface.errors import KnownFaceError
from knownface.live import Sink, Watcher, WatchOptions, WatchStatus
from knownface.recognizer import FaceRecognizer
from knownface.server.live.recent_tracks import RecentTracks
from knownface.server.source_list import ListedSource, SourceList
from knownface.server.source_rules import SourceRules
from knownface.storage.lease import LEASE_SECONDS, Lease

_log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How often the list is read: another program may have changed it."""
RETRY_SECONDS = 30.0
"""After which a camera or stream is watched again whose watching failed, as when the disk was full."""
_FILE_FPS = 30.0
"""A file is watched in about real time, as if it happened now: its sightings are of the time of watching."""


@dataclass(frozen=True, slots=True)
class WatchedSource:
    """A source that the service watches, or would.

    Attributes:
        listed: As the list has it.
        status: How it goes; None where it was not watched here.
        elsewhere: Whether another service on the same gallery watches it.
        address: Where it is, as people are told.
    """

    listed: ListedSource
    status: WatchStatus | None
    elsewhere: bool
    address: str


class WatchedStream:
    """A source while it is watched.

    Args:
        stream_id: Names it in addresses.
        listed: As the list has it.
        recognizer: Who knows the people.
        rules: What may be watched.
        sinks: Where results go besides.
        new_number: Gives the number of another Unknown.
    """

    def __init__(
        self,
        stream_id: str,
        listed: ListedSource,
        recognizer: FaceRecognizer,
        rules: SourceRules,
        sinks: Sequence[Sink],
        new_number: Callable[[], int],
        embedding_threads: ThreadPoolExecutor,
    ) -> None:
        self.id = stream_id
        self.source = listed.name
        self.live = listed.source.live
        self.recent = RecentTracks()
        options = WatchOptions(
            max_fps=None if self.live else _FILE_FPS,
            began=None if self.live else datetime.now(UTC),
            keep_trying=self.live,
            resolve=rules.resolve,
            discreet=True,
        )
        self.watcher = Watcher(
            listed.source,
            recognizer,
            options,
            [self.recent, *sinks],
            name=listed.name,
            new_number=new_number,
            embedding_threads=embedding_threads,
        )
        self._over: float | None = None
        self.noted = False
        """Whether the list says that it has ended; a file is not watched twice."""

    def over_for(self) -> float | None:
        """Since how many seconds it is known to have ended by itself; None while it goes on."""
        if self._over is None and self.watcher.wait(0):
            self._over = time.monotonic()
        return None if self._over is None else time.monotonic() - self._over

    def finish(self) -> bool:
        """Stops; returns whether it has ended, what was seen being stored. It is not waited for while nothing came."""
        self.watcher.request_stop()
        return self.watcher.wait(None if self.watcher.status().frames or not self.live else 0)


class WatchedSources:
    """Adds, starts, stops and removes sources; any thread may call.

    Every change is one of the list, which is then followed: at once by the service that was asked, within a second by
    others on the same gallery. Of these one watches, which holds a lease; when it ends, another one takes over.

    A camera or stream is watched until it is stopped. A file is watched once: at its end it counts as stopped.

    Args:
        recognizer: Who knows the people; its gallery keeps the list.
        sinks: Makes the sinks of a source, given its stream's id and name.
        new_number: Gives the number of another Unknown.
        embedding_threads: Where the faces of all sources are embedded.
        lease_seconds: See :class:`Lease`.
    """

    def __init__(
        self,
        recognizer: FaceRecognizer,
        sinks: Callable[[str, str], Sequence[Sink]],
        new_number: Callable[[], int],
        embedding_threads: ThreadPoolExecutor,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._recognizer = recognizer
        self._list = SourceList(recognizer.gallery.database)
        self._rules = SourceRules(recognizer.settings.serve.source_folder, recognizer.settings.serve.allowed_networks)
        self._lease = Lease(recognizer.gallery.database, "watching", lease_seconds)
        self._sinks = sinks
        self._new_number = new_number
        self._embedding_threads = embedding_threads
        self._streams: dict[int, WatchedStream] = {}
        self._ending: list[WatchedStream] = []
        self._ours = False
        self._lock = threading.Lock()  # of what is watched
        self._synchronising = threading.Lock()  # held by whoever brings it in line with the list
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="sources", daemon=True)

    # What there is

    def all(self) -> list[WatchedSource]:
        """Every source, in the order of their names."""
        return [self._watched(listed) for listed in self._list.all()]

    def get(self, source_id: int) -> WatchedSource:
        """One source.

        Raises:
            NotFoundError: There is none of this number.
        """
        return self._watched(self._list.get(source_id))

    def streams(self) -> list[WatchedStream]:
        """Those that are watched here."""
        with self._lock:
            return list(self._streams.values())

    def preview(self, source_id: int) -> bytes | None:
        """What a source shows, names drawn in, as JPEG; None while there is nothing to see."""
        with self._lock:
            stream = self._streams.get(source_id)
        return None if stream is None else stream.watcher.preview.jpeg()

    # Changes

    def add(self, name: str, address: str) -> WatchedSource:
        """Adds a source and starts to watch it.

        Raises:
            BadNameError, NameTakenError: As :meth:`SourceList.add`.
            UnsupportedError, BadRequestError: As :meth:`SourceRules.admit`.
        """
        source_id = self._list.add(name, self._rules.admit(address))
        self._synchronise()
        return self.get(source_id)

    def start(self, source_id: int) -> WatchedSource:
        """Watches a source, from now on and after every start of the service.

        Raises:
            NotFoundError: There is none of this number.
        """
        self._list.get(source_id)
        with self._lock:
            stream = self._streams.get(source_id)
            if stream is not None and stream.over_for() is not None:
                del self._streams[source_id]
        self._list.note(source_id, running=True)
        self._synchronise()
        return self.get(source_id)

    def stop(self, source_id: int) -> WatchedSource:
        """Watches a source no more; waits until what was seen here is stored, and for nothing where nothing was.

        How long an attempt to connect takes would tell whether anybody listens there.

        Raises:
            NotFoundError: There is none of this number.
        """
        self._list.get(source_id)
        with self._lock:
            stream = self._streams.get(source_id)
        self._list.note(source_id, running=False)
        self._synchronise()
        if stream is not None:
            stream.finish()
        return self.get(source_id)

    def remove(self, source_id: int) -> None:
        """Stops a source, forgets it and its address.

        Raises:
            NotFoundError: There is none of this number.
        """
        self._list.get(source_id)
        self._list.remove(source_id)
        self._synchronise()

    # The service's own start and end

    def open(self) -> None:
        """Watches what is to be watched, and goes on following the list."""
        self._synchronise()
        self._thread.start()

    def close(self) -> None:
        """Stops everything here; what was watched will be at the next start, or at once by another service."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._synchronising, self._lock:
            streams = [*self._streams.values(), *self._ending]
            self._streams.clear()
        for stream in streams:
            stream.watcher.request_stop()
        for stream in streams:
            stream.watcher.wait()
        try:
            self._lease.give_back()
        except KnownFaceError as error:
            _log.warning("Other services wait until the lease on watching runs out: %s", error)

    # Inside

    def _poll(self) -> None:
        while not self._closing.wait(POLL_SECONDS):
            try:
                self._synchronise()
            except KnownFaceError as error:
                _log.warning("The list of watched sources cannot be read: %s", error)

    def _synchronise(self) -> None:
        """Brings what is watched here in line with the list."""
        ended: list[WatchedStream] = []
        with self._synchronising:
            if self._closing.is_set():
                return
            over = self._note_ended()
            with self._lock:
                self._ending = [stream for stream in self._ending if not stream.watcher.wait(0)]
            listed = {one.id: one for one in self._list.all()}
            wanted = {i for i, one in listed.items() if one.running}
            self._ours = not wanted or self._lease.take()
            if not wanted:
                self._lease.give_back()
            try:
                with self._lock:
                    for source_id in list(self._streams):
                        if self._should_drop(source_id, over.get(source_id), listed.get(source_id)):
                            ended.append(self._streams.pop(source_id))
                    for source_id in wanted - set(self._streams) if self._ours else ():
                        self._streams[source_id] = self._begin(listed[source_id])
            finally:
                for stream in ended:
                    stream.watcher.request_stop()
        for stream in ended:
            if not stream.finish():
                with self._lock:
                    self._ending.append(stream)

    def _note_ended(self) -> dict[int, float]:
        """What ended by itself, since how many seconds; files are noted to be over."""
        with self._lock:
            found = {
                i: (stream, seconds)
                for i, stream in self._streams.items()
                if (seconds := stream.over_for()) is not None
            }
        for source_id, (stream, _) in found.items():
            if not stream.live and not stream.noted:
                self._list.note(source_id, running=False)
                stream.noted = True
        return {i: seconds for i, (_, seconds) in found.items()}

    def _should_drop(self, source_id: int, over: float | None, listed: ListedSource | None) -> bool:
        if listed is None or not self._ours:
            return True
        live = self._streams[source_id].live
        if over is None:
            return not listed.running
        # What has ended is watched again if it is wanted; until then a file's end can be asked after.
        return (over >= RETRY_SECONDS if live else True) if listed.running else live

    def _begin(self, listed: ListedSource) -> WatchedStream:
        stream_id = f"source-{listed.id}"
        sinks = self._sinks(stream_id, listed.name)
        stream = WatchedStream(
            stream_id, listed, self._recognizer, self._rules, sinks, self._new_number, self._embedding_threads
        )
        stream.watcher.start()
        return stream

    def _watched(self, listed: ListedSource) -> WatchedSource:
        with self._lock:
            stream = self._streams.get(listed.id)
        status = None if stream is None else stream.watcher.status()
        elsewhere = listed.running and stream is None and not self._ours
        return WatchedSource(listed, status, elsewhere, self._rules.shown(listed.source))
