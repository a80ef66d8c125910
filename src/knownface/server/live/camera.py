"""The stream of a browser's camera: pictures that are sent one by one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from knownface.errors import TooLargeError
from knownface.live import FrameResult, LiveSession, SessionOptions, Sink
from knownface.live.challenges import Challenges
from knownface.live.delivery import Delivery
from knownface.media import read_image
from knownface.recognizer import FaceRecognizer
from knownface.server.live.recent_tracks import RecentTracks

_log = logging.getLogger(__name__)

MOST_BYTES = 4_000_000
"""Of one picture that a browser sends."""
MOST_PIXELS = 3840 * 2160


class CameraStream:
    """Tracks and names the faces of a camera whose pictures are sent one by one.

    Args:
        stream_id: Names it in addresses.
        source: What people call it.
        who: Whose share of the cameras it comes from.
        recognizer: Who knows the people.
        sinks: Where results go besides; they are left when the stream is closed.
        new_number: Gives the number of another Unknown.
        embedding_threads: Where the faces of all cameras are embedded.
        challenges: What faces are asked before they get a name; None asks nothing.
    """

    def __init__(
        self,
        stream_id: str,
        source: str,
        who: str,
        recognizer: FaceRecognizer,
        sinks: Sequence[Sink],
        new_number: Callable[[], int],
        embedding_threads: ThreadPoolExecutor,
        challenges: Challenges | None = None,
    ) -> None:
        self.id = stream_id
        self.source = source
        self.who = who
        self.recent = RecentTracks()
        # A browser sends no more pictures than are answered: each of them is worth searching for faces.
        options = SessionOptions(detect_every=1)
        self._session = LiveSession(recognizer, options, source, new_number, embedding_threads, challenges)
        self._started = time.monotonic()
        self._lock = threading.Lock()
        # On a thread of its own: writing may wait for the database, pictures may not.
        self._delivery = Delivery(sinks, lossless=False, on_error=lambda: None)
        self._delivery.start()
        self._closed = False

    def process(self, picture: bytes) -> FrameResult:
        """Takes the next picture; any thread may call it, pictures are processed one at a time.

        Args:
            picture: An encoded picture, such as a JPEG.

        Raises:
            InputError: It is too large, or no picture.
            ModelError, GalleryError: Recognition failed.
            OutputError: What was seen could not be stored.
        """
        if len(picture) > MOST_BYTES:
            raise TooLargeError(f"A picture of {len(picture)} bytes is too large; {MOST_BYTES} are allowed.")
        image = read_image(picture, MOST_PIXELS)
        with self._lock:
            if self._delivery.errors:
                raise self._delivery.errors[0]
            result = self._session.frame(image, time.monotonic() - self._started, datetime.now(UTC))
            self._deliver(result)
        return result

    def close(self) -> None:
        """Ends all tracks; returns when what was seen is stored. Called again it only waits."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._deliver(self._session.end_tracks())
            finally:
                self._session.close()
                error = self._delivery.finish()
        if error is not None:
            _log.warning("What the camera %r saw last could not be stored: %s", self.source, error)

    def _deliver(self, result: FrameResult) -> None:
        self.recent.take(result)
        self._delivery.put(result)
