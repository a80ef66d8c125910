"""Who is in front of a camera now, and who has just left: what the page lists, and what can be named with a click."""

from __future__ import annotations

import threading
import time

from knownface.live import FrameResult, Sink
from knownface.tracking import TrackSummary

KEPT_SECONDS = 120.0
"""So long a face that has left can still be named: typing a name takes a while."""
_MOST = 200


class Presence(Sink):
    """A sink that remembers the tracks of a stream; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._present: tuple[TrackSummary, ...] = ()
        self._left: dict[int, tuple[float, TrackSummary]] = {}

    def take(self, result: FrameResult) -> None:
        """Take note of who is here and who left."""
        if result.present is None and not result.ended:
            return
        now = time.monotonic()
        with self._lock:
            if result.present is not None:
                self._present = result.present
            self._left.update((track.track_id, (now, track)) for track in result.ended)
            ended = {track.track_id for track in result.ended}
            self._present = tuple(track for track in self._present if track.track_id not in ended)
            old = [i for i, (at, _) in self._left.items() if now - at > KEPT_SECONDS]
            for track_id in [*old, *list(self._left)[: max(0, len(self._left) - len(old) - _MOST)]]:
                self._left.pop(track_id, None)

    def present(self) -> tuple[TrackSummary, ...]:
        """The tracks of the moment, at most half a second old."""
        with self._lock:
            return self._present

    def find(self, track_id: int) -> TrackSummary | None:
        """A track that is here, or left not long ago; None if there is none."""
        with self._lock:
            here = next((track for track in self._present if track.track_id == track_id), None)
            return here or self._left.get(track_id, (0.0, None))[1]
