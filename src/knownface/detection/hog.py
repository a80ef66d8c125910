"""dlib's frontal face detector: a histogram of oriented gradients (Dalal and Triggs, 2005) with a linear classifier.

It needs no weight file, finds upright faces from about 80 pixels in what it is given, and misses turned ones.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import Any

import cv2
import dlib

from knownface.detection.base import largest_first, resized
from knownface.parts import digest_of
from knownface.types import Box, Face, Image

RECIPE = 1
"""Version of the code in this file: raised when a change of it changes what is found."""
WORKING_SIDE = 1200
"""Pictures are brought to this longest side: larger costs time, smaller hides small faces."""
LARGEST_ENLARGEMENT = 2.0
"""Beyond this, enlarging a small picture shows the detector nothing new."""
CLEAR_SCORE = 0.1
"""Score of a find that is surely a face. Weaker ones, down to dlib's own limit of 0, are often texture: the best of
them counts only where nothing better was found."""
BORDER = 0.15
"""Width of the border put around the picture, as a share of its shorter side: the detector wants to see some ground
around a face, which a tight crop lacks (measured on crops of LFW: 143 instead of 137 of 150 found)."""

_idle: SimpleQueue[Any] = SimpleQueue()
"""dlib's own detectors that nobody uses just now. Each serves one thread at a time and takes as long to make as several
pictures to look at, so that they are handed on rather than made anew for every thread."""


class HogDetector:
    """``dlib.get_frontal_face_detector`` at a working size.

    Landmarks are all NaN: the detector has none of its own. dlib's embedder finds its own; an aligned embedder needs
    YuNet.
    """

    name = "dlib-hog"
    title = "dlib's HOG detector"
    licence = "BSL-1.0"
    licence_note = "Part of dlib; needs no weight file."
    commercial_use = "yes"
    gives_landmarks = False

    def __init__(self) -> None:
        self.fingerprint = digest_of(
            {
                "recipe": RECIPE,
                "dlib": dlib.__version__,
                "working side": WORKING_SIDE,
                "largest enlargement": LARGEST_ENLARGEMENT,
                "clear score": CLEAR_SCORE,
                "border": BORDER,
            }
        )

    def detect(self, image: Image) -> list[Face]:
        """The faces of an RGB image, largest first."""
        scale = min(LARGEST_ENLARGEMENT, WORKING_SIDE / max(image.shape[:2]))
        view = resized(image, scale)
        border = round(BORDER * min(view.shape[:2]))
        view = cv2.copyMakeBorder(view, border, border, border, border, cv2.BORDER_REPLICATE)
        detector = _take_idle()
        try:
            rectangles, scores, _ = detector.run(view, 0, 0.0)
        finally:
            _idle.put(detector)
        found = list(zip(rectangles, scores, strict=True))
        clear = [(r, score) for r, score in found if score >= CLEAR_SCORE] or found[:1]
        height, width = view.shape[0] - border, view.shape[1] - border
        return largest_first(
            [
                Face.without_landmarks(
                    Box((r.left() - border) / scale, (r.top() - border) / scale, r.width() / scale, r.height() / scale),
                    float(score),
                )
                for r, score in clear
                # Not what lies in the border alone.
                if r.right() >= border and r.bottom() >= border and r.left() < width and r.top() < height
            ]
        )


def _take_idle() -> Any:
    try:
        return _idle.get_nowait()
    except Empty:
        return dlib.get_frontal_face_detector()
