"""Every live stream of a running service: cameras of browsers, and the sources that it watches itself."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from knownface.errors import BusyError, NotFoundError, RateLimitedError
from knownface.live import Sink
from knownface.live.challenges import Challenges
from knownface.live.recording import Recorder
from knownface.models.session import usable_processors
from knownface.recognizer import FaceRecognizer
from knownface.server.live.camera import CameraStream
from knownface.server.live.event_bus import EventBus, EventPublisher
from knownface.server.live.recent_tracks import RecentTracks
from knownface.server.live.watched import WatchedSources

MOST_CAMERAS = 32
"""Browsers whose cameras are connected at a time."""
MOST_CAMERAS_OF_KEY = 16
"""Of them, with one key."""


class Stream(Protocol):
    """A stream whose faces are tracked.

    Attributes:
        id: Names it in addresses.
        source: What people call it.
        recent: Its tracks.
    """

    id: str
    source: str
    recent: RecentTracks


class LiveStreams:
    """The streams of a service; any thread may ask.

    Args:
        recognizer: Who knows the people; its settings say what is kept.

    Attributes:
        events: Publishes what happens.
        recorder: Stores what is seen.
        watched: The sources that the service watches itself.
    """

    def __init__(self, recognizer: FaceRecognizer) -> None:
        self._recognizer = recognizer
        self.events = EventBus()
        self.recorder = Recorder(recognizer)
        # Half the processors: the rest is for who waits for an answer, however many cameras there are.
        self._embedding_threads = ThreadPoolExecutor(max(1, usable_processors() // 2), "camera-embedding")
        self.watched = WatchedSources(
            recognizer, self._sinks, self.recorder.new_unknown_number, self._embedding_threads
        )
        self._cameras: dict[str, CameraStream] = {}
        self._lock = threading.Lock()

    def open_camera(self, source: str, who: str, challenges: Challenges | None = None) -> CameraStream:
        """Begins a stream of pictures that a browser sends.

        Args:
            source: What people call the camera.
            who: Whose share of the cameras it comes from.
            challenges: What faces are asked before they get a name; None asks nothing.

        Raises:
            RateLimitedError: Too many cameras of the same share are connected.
            BusyError: Too many cameras are connected.
        """
        stream_id = f"camera-{secrets.token_hex(6)}"
        with self._lock:
            if len(self._cameras) >= MOST_CAMERAS:
                raise BusyError(f"{MOST_CAMERAS} cameras send pictures already.", retry_after=30)
            if sum(camera.who == who for camera in self._cameras.values()) >= MOST_CAMERAS_OF_KEY:
                raise RateLimitedError(
                    f"{MOST_CAMERAS_OF_KEY} cameras of this key send pictures already.",
                    "Give others a key of their own.",
                    retry_after=30,
                )
            sinks = self._sinks(stream_id, source)
            stream = CameraStream(
                stream_id,
                source,
                who,
                self._recognizer,
                sinks,
                self.recorder.new_unknown_number,
                self._embedding_threads,
                challenges,
            )
            self._cameras[stream_id] = stream
        return stream

    def close_camera(self, stream: CameraStream) -> None:
        """Ends a camera's stream. It is listed until what it saw is stored."""
        try:
            stream.close()
        finally:
            with self._lock:
                self._cameras.pop(stream.id, None)

    def all(self) -> list[Stream]:
        """The streams of this moment."""
        with self._lock:
            cameras: list[Stream] = list(self._cameras.values())
        return [*cameras, *self.watched.streams()]

    def get(self, stream_id: str) -> Stream:
        """One of them.

        Raises:
            NotFoundError: It has ended.
        """
        for stream in self.all():
            if stream.id == stream_id:
                return stream
        raise NotFoundError("This camera is not looked at any more.")

    def close(self) -> None:
        """Ends all streams; returns when what was seen is stored."""
        with self._lock:
            cameras = list(self._cameras.values())
        for stream in cameras:
            self.close_camera(stream)
        self.watched.close()
        self._embedding_threads.shutdown()

    def _sinks(self, stream_id: str, source: str) -> Sequence[Sink]:
        publisher = EventPublisher(self.events, stream_id)
        # Stored before it is published: whoever hears of a sighting can read it.
        return [*self.recorder.sinks(source, publisher.publish), publisher]
