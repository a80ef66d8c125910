"""Detection at the size and as often as the time allows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from knownface.detection import FaceDetector
from knownface.pipeline import find_faces
from knownface.types import Box, Face, Frame, Image

DETECTIONS_PER_SECOND = 10
"""Of a file, unless something else is asked for."""
_SHARE = 0.7
"""Share of the time between two frames that processing them may take on average."""
_SHORTEST = 0.05
"""Stream seconds between two detections at least: of a camera with 30 frames a second every other one is enough, which
takes a third less processor time. One with 15 is looked at in every frame, though its frames do not come evenly."""
_LONGEST = 0.25
"""Stream seconds between two detections at most, however slow the machine: less than a box coasts
(:attr:`knownface.tracking.TrackingOptions.coast`). Frames are dropped then."""
_NEVER = 1_000_000
_ROUNDING = 0.002
_SMOOTHING = 0.1


def detection_side(width: int, height: int) -> int:
    """The longest side in pixels that the detector is given where none is asked for; see ``docs/live.md``."""
    return min(640, max(480, max(width, height) // 2))


def detect_at(detector: FaceDetector, image: Image, side: int | None) -> list[Face]:
    """Detects the faces of a frame at another size.

    Args:
        detector: Any.
        image: The frame.
        side: Longest side of what the detector is given; a smaller frame is not enlarged. None: see
            :func:`detection_side`.

    Returns:
        Faces in pixels of the frame, largest first.
    """
    height, width = image.shape[:2]
    scale = (side or detection_side(width, height)) / max(width, height)
    if scale >= 1:
        return find_faces(image, detector)
    small = _reduced(image, scale)
    back = np.array([width / small.shape[1], height / small.shape[0]], dtype=np.float32)
    return [_enlarged(face, back) for face in find_faces(small, detector)]


def _reduced(image: Image, scale: float) -> Image:
    # Averaging 2 x 2 pixels is quick, and after it no pixel is passed over: 0.6 ms instead of 3 for 1920 x 1080.
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    while scale <= 0.5 and min(image.shape[:2]) > 1:
        image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        scale *= 2
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _enlarged(face: Face, factors: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Face:
    x, y = float(factors[0]), float(factors[1])
    box = face.box
    return Face(Box(box.x * x, box.y * y, box.width * x, box.height * y), face.landmarks * factors, face.score)


def with_detection_due(frames: Iterable[Frame], every: int | None) -> Iterator[tuple[Frame, bool]]:
    """The frames of a file, each with whether the detector is to run on it.

    Args:
        frames: In order, with their times.
        every: In every so many-th frame; None: in ten frames for each second, or all where there are fewer.
    """
    due = float("-inf")
    for number, frame in enumerate(frames):
        if every is not None:
            yield frame, number % every == 0
            continue
        time = frame.time or 0.0
        is_due = time >= due - _ROUNDING
        if is_due:
            due = max(due + 1 / DETECTIONS_PER_SECOND, time - _ROUNDING)
        yield frame, is_due


class DetectionPace:
    """On which frames the detector runs: every n-th one, or as many as the machine manages.

    Args:
        every: n, or None to adapt it to what detection and the rest of the work cost.
    """

    def __init__(self, every: int | None) -> None:
        self._fixed = every
        self._waited = 0
        self._detected = float("-inf")
        self._costs = {True: 0.0, False: 0.0}
        self._interval = 1 / 30
        self.every = every or 1

    def due(self, time: float) -> bool:
        """Whether the detector is to run on the next frame, which has this stream time."""
        self._waited += 1
        if not self._fixed and 0 <= time - self._detected < _SHORTEST:
            return False
        in_time = self._fixed or 0 <= time - self._detected < _LONGEST
        if self._waited < self.every and in_time:
            return False
        self._waited, self._detected = 0, time
        return True

    def note(self, *, detected: bool, cost: float, interval: float) -> None:
        """Takes into account what a frame cost.

        Args:
            detected: Whether the detector ran on it.
            cost: Seconds that all of its work took.
            interval: Seconds from the frame before it to this one.
        """
        if self._fixed:
            return
        before = self._costs[detected]
        self._costs[detected] = cost if before == 0 else before + _SMOOTHING * (cost - before)
        self._interval += _SMOOTHING * (min(interval, 1.0) - self._interval)
        # n frames, one of them with detection, must fit into their share of n intervals.
        room = _SHARE * self._interval - self._costs[False]
        detection = self._costs[True] - self._costs[False]
        self.every = max(1, math.ceil(detection / room)) if room > 0 else _NEVER
