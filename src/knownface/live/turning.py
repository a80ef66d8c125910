"""Which way up a stream stands, decided once, by the first faces seen in it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from knownface.detection import FaceDetector, quarter_turns, turned
from knownface.detection.base import resized
from knownface.detection.upright import LOOK_SIDE, likely_score, upright_score
from knownface.pipeline import find_faces
from knownface.types import Image

_AGREEING = 2
"""Pictures that must say the same before a stream is turned, or left as it is; one with a face that surely stands
upright is enough for the latter."""
PAUSE = 0.5
"""Seconds between two pictures that are looked at."""
_OF_A_FILE = 30
"""Pictures that are looked at before a file is left as it is."""


class StreamTurn:
    """Turns the pictures of a stream upright.

    While nothing is decided, two pictures a second are looked at, in four directions at 640 pixels.

    Args:
        detector: Finds the faces.
        degrees: Clockwise, a multiple of 90; None decides by the faces.
    """

    def __init__(self, detector: FaceDetector, degrees: int | None = None) -> None:
        self._detector = detector
        self._votes: list[int] = []
        self._due = float("-inf")
        self.degrees = degrees or 0
        self.is_decided = degrees is not None

    def upright(self, image: Image, time: float) -> Image:
        """A picture, turned as far as it is decided.

        Args:
            image: RGB.
            time: In seconds, of the stream or of any clock.
        """
        if not self.is_decided and time >= self._due:
            self._due = time + PAUSE
            self._look(image)
        return turned_by(image, self.degrees)

    def _look(self, image: Image) -> None:
        small = resized(image, min(1.0, LOOK_SIDE / max(image.shape[:2])))
        faces = find_faces(small, self._detector)
        turns = quarter_turns(small, faces, self._detector, partial(find_faces, detector=self._detector))
        if turns == 0:
            sure = getattr(self._detector, "sure_score", None) or 0.0
            self.is_decided = any(face.score >= sure for face in faces)
            if upright_score(faces) < (likely_score(self._detector) or 0.0):
                return
        self._votes = [*(vote for vote in self._votes if vote == turns), turns]
        if len(self._votes) == _AGREEING:
            self.degrees, self.is_decided = -90 * turns % 360, True


def degrees_of(pictures: Iterable[Image], detector: FaceDetector) -> int:
    """By how many degrees, clockwise, pictures of one file must be turned to stand upright; the first 30 are looked at.

    Args:
        pictures: RGB; read only as far as needed.
        detector: Finds the faces.
    """
    turn = StreamTurn(detector)
    for number, image in enumerate(pictures):
        turn.upright(image, number * PAUSE)
        if turn.is_decided or number + 1 == _OF_A_FILE:
            break
    return turn.degrees


def turned_by(image: Image, degrees: int) -> Image:
    """A picture turned clockwise by a multiple of 90 degrees."""
    return turned(image, -degrees // 90 % 4) if degrees else image
