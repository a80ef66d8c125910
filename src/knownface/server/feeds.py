"""Streams that are looked at while the service runs: pictures that a browser sends, and sources watched here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from knownface.errors import TooLargeError
from knownface.live import FrameResult, LiveSession, SessionOptions, Sink
from knownface.live.delivery import Delivery
from knownface.media import read_image
from knownface.recognizer import FaceRecognizer
from knownface.server.presence import Presence
from knownface.tracking import Sample

_log = logging.getLogger(__name__)

MOST_BYTES = 4_000_000
"""Of one picture that a browser sends."""
MOST_PIXELS = 3840 * 2160


class Feed(Protocol):
    """A stream whose faces are followed."""

    id: str
    """Names it in addresses."""
    source: str
    """What people call it."""
    presence: Presence

    def evidence(self, track_id: int) -> tuple[Sample, ...]:
        """The best pictures' embeddings of a track, the best first; empty if nothing is known of it any more."""
        ...


class CameraFeed:
    """Pictures that somebody sends one by one, such as a browser's camera.

    Args:
        feed_id: See :class:`Feed`.
        source: See :class:`Feed`.
        recognizer: Who knows the people.
        sinks: Where results go besides; they are left when the feed is closed.
        new_number: Gives the number of another Unknown.
    """

    def __init__(
        self,
        feed_id: str,
        source: str,
        recognizer: FaceRecognizer,
        sinks: Sequence[Sink],
        new_number: Callable[[], int],
    ) -> None:
        self.id = feed_id
        self.source = source
        self.presence = Presence()
        # A browser sends no more pictures than are answered: each of them is worth looking at.
        self._session = LiveSession(recognizer, SessionOptions(detect_every=1), source, new_number)
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        # On a thread of its own: writing may wait for the database, pictures may not.
        self._delivery = Delivery(sinks, lossless=False, on_error=lambda: None)
        self._delivery.start()
        self._closed = False

    def look(self, picture: bytes) -> FrameResult:
        """Look at the next picture; any thread may call it, one at a time looks.

        Args:
            picture: An encoded picture, such as a JPEG.

        Raises:
            InputError: It is too large, or no picture.
            ModelError, GalleryError: Recognition failed.
            OutputError: What was seen could not be written down.
        """
        if len(picture) > MOST_BYTES:
            raise TooLargeError(f"A picture of {len(picture)} bytes is too large; {MOST_BYTES} are allowed.")
        image = read_image(picture, MOST_PIXELS)
        with self._lock:
            if self._delivery.errors:
                raise self._delivery.errors[0]
            result = self._session.frame(image, time.monotonic() - self._begun, datetime.now(UTC))
            self._hand_on(result)
        return result

    def evidence(self, track_id: int) -> tuple[Sample, ...]:
        """As :meth:`Feed.evidence`."""
        with self._lock:
            return self._session.evidence(track_id)

    def close(self) -> None:
        """End all tracks and wait until what was seen is written down; the second time, only wait."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._hand_on(self._session.gap())
            finally:
                self._session.close()
                error = self._delivery.finish()
        if error is not None:
            _log.warning("What the camera %r saw last could not be written down: %s", self.source, error)

    def _hand_on(self, result: FrameResult) -> None:
        self.presence.take(result)
        self._delivery.put(result)
