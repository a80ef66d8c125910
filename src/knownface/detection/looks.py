"""In what form a picture shows its faces: as it is, turned upright, or, where it is dark, in usual brightness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from knownface.detection.base import FaceDetector
from knownface.detection.dark import raised
from knownface.detection.upright import quarter_turns, turned
from knownface.types import Face, Image

_SEEN_BETTER = 0.02
"""By how much a dark picture's best face must score higher once it is raised."""

_LIT = 60.0
"""Brightness of a face, 0 to 255, that is no dark one."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A picture as it was searched.

    Attributes:
        view: The picture, upright, that the faces are found in.
        lit: The same in its own light; ``view`` itself where that was bright enough.
        faces: Largest first.
        turns: Quarter turns, anticlockwise, that made it upright.
    """

    view: Image
    lit: Image
    faces: list[Face]
    turns: int

    @property
    def best(self) -> float:
        """The best score of a face; below 0 if there is none."""
        return max((face.score for face in self.faces), default=-1.0)


def best_look(image: Image, detector: FaceDetector, find: Callable[[Image], list[Face]]) -> Look:
    """The look at a picture that shows its faces best. Nothing else is tried where a face is surely seen.

    Args:
        image: RGB.
        detector: Its ``sure_score``, where it has one, is the score of a face that is; of one without, every face it
            finds is.
        find: The faces that the detector finds in an image.
    """
    first = _look(image, detector, find)
    sure = getattr(detector, "sure_score", None) or 0.0
    if first.best >= sure or _in_usual_light(first) or (bright := raised(image)) is None:
        return first
    again = _look(bright, detector, find)
    better = again.best > first.best + _SEEN_BETTER
    return replace(again, lit=turned(image, again.turns)) if better else first


def _in_usual_light(look: Look) -> bool:
    """Whether the best face of a picture is lit, so that raising the rest would show it no better."""
    if not look.faces:
        return False
    box = max(look.faces, key=lambda face: face.score).box
    left, top = max(0, int(box.x)), max(0, int(box.y))
    pixels = look.view[top : max(top + 1, round(box.bottom)), left : max(left + 1, round(box.right))]
    return float(pixels.mean()) >= _LIT


def _look(image: Image, detector: FaceDetector, find: Callable[[Image], list[Face]]) -> Look:
    faces = find(image)
    turns = quarter_turns(image, faces, detector, find)
    if not turns:
        return Look(image, image, faces, 0)
    view = turned(image, turns)
    return Look(view, view, find(view), turns)
