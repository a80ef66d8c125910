"""What each face before a camera was asked to do before it gets a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from knownface.detection import FaceDetector
from knownface.errors import SettingsError
from knownface.liveness.challenge import Challenge, look, new_challenge, pose_of
from knownface.tracking import TrackedFace
from knownface.types import Face

AGAIN = 3.0
"""Seconds after a failure, before the same face is asked anew."""


class Challenges:
    """The challenges of one stream.

    Args:
        on_end: Called with a track's number and its challenge, once it is passed or failed.
    """

    def __init__(self, on_end: Callable[[int, Challenge], None]) -> None:
        self._on_end = on_end
        self._of: dict[int, Challenge] = {}

    def of(self, track_id: int) -> Challenge | None:
        """How far a track is with its challenge; None before the first look at it."""
        return self._of.get(track_id)

    def withholds(self, track_id: int) -> bool:
        """Whether a track may get no name yet."""
        known = self._of.get(track_id)
        return known is None or known.state != "passed"

    def look(self, time: float, tracked: Sequence[TrackedFace], faces: Sequence[Face]) -> list[TrackedFace]:
        """Take the faces of a frame into account; those that were asked, passed or failed this moment.

        Args:
            time: Stream seconds.
            tracked: The tracks that are seen.
            faces: What the detector found in the same frame.
        """
        changed = []
        for track in tracked:
            before = self._of.get(track.track_id) or new_challenge()
            if before.state == "failed" and time - before.last > AGAIN:
                before = new_challenge()
            face = _nearest(track, faces) if track.detected else None
            after = look(before, time, None if face is None else pose_of(face.landmarks))
            self._of[track.track_id] = after
            if after.state not in {before.state, "front"}:
                changed.append(track)
                if after.state != "asked":
                    self._on_end(track.track_id, after)
        return changed

    def forget_all_but(self, tracks: Iterable[int]) -> None:
        """Drops what is kept of tracks that are gone."""
        for gone in self._of.keys() - set(tracks):
            del self._of[gone]


def require_landmarks(detector: FaceDetector) -> None:
    """See to it that a detector tells how heads are turned.

    Raises:
        SettingsError: It does not.
    """
    if not detector.gives_landmarks:
        raise SettingsError(
            f"The detector {detector.name} does not tell how a head is turned, so none can be asked for.",
            "Use YuNet (`knownface models list`), or ask for no turn of the head: `--challenge off`.",
        )


def _nearest(track: TrackedFace, faces: Sequence[Face]) -> Face | None:
    def apart(face: Face) -> float:
        return max(abs(a - b) for a, b in zip(face.box.center, track.box.center, strict=True))

    nearest = min(faces, key=apart, default=None)
    return nearest if nearest is not None and apart(nearest) < 0.5 * track.box.width else None
