"""Faces that lean to a side, straightened.

YuNet finds a face that leans by 45 degrees, but its landmarks lean by 27 in the median, and a crop by them is askew; of
faces near their head they say nothing. As with pictures on their side (:mod:`knownface.detection.upright`) its score
tells: it is highest where the face is upright. So a face that leans or is not surely upright is looked at turned, by
itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from knownface.detection.upright import roll
from knownface.types import Box, Face, Image

LEANS = 10.0
"""Degrees, by the landmarks, from which a face is looked at turned."""
_AROUND_THE_CLOCK = (45.0, -45.0, 90.0, -90.0, 135.0, -135.0, 180.0)
"""Degrees by which one is turned that is not surely upright."""
_FINE = (20.0, -20.0)
"""Degrees by which it is turned further."""
_GAIN = 0.01
"""By how much a face must score higher turned than as it is."""
_AROUND = 2.4
"""Side of what is looked at, in sides of the face."""
_LOOK_SIDE = 144
_NEAR = 0.4
"""Farthest that what is found may lie from the middle, in sides of the face: else it is another face."""


@dataclass(frozen=True, slots=True, eq=False)
class Straightened:
    """A face as it stands upright.

    Attributes:
        view: The part of the picture around it, turned; the picture itself where the face does not lean.
        face: The face in ``view``.
        shown: The face in the picture.
    """

    view: Image
    face: Face
    shown: Face


def straightened(
    image: Image, face: Face, find: Callable[[Image], list[Face]], *, sure: float, doubtful: bool
) -> Straightened:
    """A face turned back by as far as it leans, if it does.

    Args:
        image: RGB.
        face: One of it.
        find: The faces that a detector with landmarks finds in an image.
        sure: Score from which a face surely stands upright.
        doubtful: Whether no face of the picture does, so that one may lean though its landmarks do not.
    """
    leaning = roll(face)
    if np.isnan(leaning) or (abs(leaning) < LEANS and not doubtful):
        return Straightened(image, face, face)
    scale = _LOOK_SIDE / (_AROUND * max(face.box.width, face.box.height))
    best, turned_by = face, 0.0
    for steps in (() if face.score >= sure else _AROUND_THE_CLOCK, _FINE):
        middle = turned_by
        for step in steps:
            near = filter(_in_the_middle, find(_turned(image, face.box, middle + step, scale)))
            found = max(near, key=lambda f: f.score, default=best)
            if found.score > max(best.score, face.score + _GAIN):
                best, turned_by = found, middle + step
    if best is face:
        return Straightened(image, face, face)
    view, whole = _turned(image, face.box, turned_by, 1.0), 1 / scale
    box = Box(*(whole * side for side in best.box.as_list()))
    points = best.landmarks.astype(np.float64) * whole
    turn = cv2.invertAffineTransform(_turn(face.box, turned_by, 1.0))
    shown = np.asarray(points @ turn[:, :2].T + turn[:, 2], np.float32)
    return Straightened(view, Face(box, points.astype(np.float32), best.score), Face(face.box, shown, face.score))


def _in_the_middle(face: Face) -> bool:
    off = np.subtract(face.box.center, _LOOK_SIDE / 2)
    return bool(np.abs(off).max() < _NEAR * _LOOK_SIDE / _AROUND)


def _turned(image: Image, box: Box, degrees: float, scale: float) -> Image:
    side = round(_AROUND * max(box.width, box.height) * scale)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(image, _turn(box, degrees, scale), (side, side), flags=way), np.uint8)


def _turn(box: Box, degrees: float, scale: float) -> npt.NDArray[np.float64]:
    """From the picture to a square around a box, turned clockwise."""
    matrix = np.asarray(cv2.getRotationMatrix2D(box.center, -degrees, scale), np.float64)
    half = _AROUND * max(box.width, box.height) * scale / 2
    matrix[:, 2] += half - np.array(box.center)
    return matrix
