"""The tracks in front of a camera now, and those that have just left: what the page lists and a click can name."""

from __future__ import annotations

import threading
import time

from knownface.live import FrameResult, Sink
from knownface.tracking import TrackSummary

KEPT_SECONDS = 120.0
"""So long a face that has left can still be named: typing a name takes a while."""
_MOST_ENDED = 200


class RecentTracks(Sink):
    """A sink that keeps the tracks of a stream; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._present: tuple[TrackSummary, ...] = ()
        self._ended: dict[int, tuple[float, TrackSummary]] = {}

    def take(self, result: FrameResult) -> None:
        """Keeps the tracks of a result."""
        if result.present is None and not result.ended:
            return
        now = time.monotonic()
        with self._lock:
            if result.present is not None:
                self._present = result.present
            self._ended.update((track.track_id, (now, track)) for track in result.ended)
            ended = {track.track_id for track in result.ended}
            self._present = tuple(track for track in self._present if track.track_id not in ended)
            old = [i for i, (at, _) in self._ended.items() if now - at > KEPT_SECONDS]
            for track_id in [*old, *list(self._ended)[: max(0, len(self._ended) - len(old) - _MOST_ENDED)]]:
                self._ended.pop(track_id, None)

    def present(self) -> tuple[TrackSummary, ...]:
        """The tracks of the moment, at most half a second old."""
        with self._lock:
            return self._present

    def find(self, track_id: int) -> TrackSummary | None:
        """A track that is present or ended not long ago; None if there is none of this id."""
        with self._lock:
            present = next((track for track in self._present if track.track_id == track_id), None)
            return present or self._ended.get(track_id, (0.0, None))[1]
