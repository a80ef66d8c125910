"""Everything live in a running service: cameras of browsers, watched sources, and what happens in front of them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence

from knownface.errors import BusyError, NotFoundError
from knownface.events import Keep, SightingLog
from knownface.live import Sink
from knownface.live.sinks import recorders
from knownface.recognizer import FaceRecognizer
from knownface.server.feeds import CameraFeed, Feed
from knownface.server.hub import Hub, HubSink
from knownface.server.watched import WatchedSources

MOST_CAMERAS = 32
"""Browsers whose cameras are looked at at a time."""


class Rooms:
    """What is live; any thread may ask.

    Args:
        recognizer: Who knows the people; its settings say what is kept.

    Attributes:
        hub: Tells what happens.
        log: The sightings.
        watched: The sources that the service watches itself.
    """

    def __init__(self, recognizer: FaceRecognizer) -> None:
        self._recognizer = recognizer
        self.hub = Hub()
        self.log = SightingLog(recognizer.gallery, Keep.from_settings(recognizer.settings))
        self.watched = WatchedSources(recognizer, self._sinks, self.log.new_unknown_number)
        self._cameras: dict[str, CameraFeed] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Watch what is to be watched."""
        self.watched.open()

    def open_camera(self, source: str) -> CameraFeed:
        """Begin to look at pictures that a browser sends.

        Args:
            source: What people call the camera.

        Raises:
            BusyError: Too many send pictures already.
        """
        feed_id = f"camera-{secrets.token_hex(6)}"
        with self._lock:
            if len(self._cameras) >= MOST_CAMERAS:
                raise BusyError(f"{MOST_CAMERAS} cameras send pictures already.", retry_after=30)
            sinks = self._sinks(feed_id, source)
            feed = CameraFeed(feed_id, source, self._recognizer, sinks, self.log.new_unknown_number)
            self._cameras[feed_id] = feed
        return feed

    def close_camera(self, feed: CameraFeed) -> None:
        """The browser sends no more. The camera is listed until what it saw is written down."""
        try:
            feed.close()
        finally:
            with self._lock:
                self._cameras.pop(feed.id, None)

    def feeds(self) -> list[Feed]:
        """Everything that is looked at now."""
        with self._lock:
            cameras: list[Feed] = list(self._cameras.values())
        return [*cameras, *self.watched.feeds()]

    def feed(self, feed_id: str) -> Feed:
        """One of them.

        Raises:
            NotFoundError: It has ended.
        """
        for feed in self.feeds():
            if feed.id == feed_id:
                return feed
        raise NotFoundError("This camera is not looked at any more.")

    def close(self) -> None:
        """End everything; what was seen is written down."""
        with self._lock:
            cameras = list(self._cameras.values())
        for feed in cameras:
            self.close_camera(feed)
        self.watched.close()

    def _sinks(self, feed_id: str, source: str) -> Sequence[Sink]:
        heard = HubSink(self.hub, feed_id)
        # Who hears of a sighting can read it: it is written down before.
        return [*recorders(self._recognizer, self.log, source, heard.tell), heard]
