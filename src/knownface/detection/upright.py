"""Which way up a picture stands, told by the faces in it.

YuNet finds many faces that lie on their side or stand on their head, and gives them landmarks as if they were upright,
so that landmarks alone do not tell. Its score does: of 870 photos of `lfw62`, `pins10` and of strangers the upright
view scored highest in 99.8 %, with either YuNet. So a picture in which no face is surely upright is looked at turned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from knownface.detection.base import FaceDetector, resized
from knownface.types import Box, Face, Image

LOOK_SIDE = 640
"""Longest side of a picture that is looked at turned; the detector sees it whole once it is known how it stands."""
LEAST_BELOW_SURE = 0.12
"""By how much a turned face's score may be below the detector's ``sure_score``: a landscape with something like a face
in it is not turned."""
_MOST_ROLL = 45.0


def likely_score(detector: FaceDetector) -> float | None:
    """The score from which a face is most likely one, and stands upright; None of a detector that does not say."""
    sure = getattr(detector, "sure_score", None)
    return sure - LEAST_BELOW_SURE if sure else None


def roll(face: Face) -> float:
    """How far a face leans, in degrees: 0 upright, 180 on its head; NaN without landmarks."""
    left, right, _, left_mouth, right_mouth = face.landmarks.astype(np.float64)
    down = (left_mouth + right_mouth) / 2 - (left + right) / 2
    return float(np.degrees(np.arctan2(down[0], down[1])))


def quarter_turns(
    image: Image, faces: Sequence[Face], detector: FaceDetector, find: Callable[[Image], list[Face]]
) -> int:
    """By how many quarter turns, anticlockwise, a picture must be turned for its faces to stand upright: 0 to 3.

    A face that surely stands upright costs nothing more; else the picture is looked at turned, three times.

    Args:
        image: RGB.
        faces: What the detector found in it.
        detector: Its ``sure_score``, where it has one, is the score from which a face surely stands upright. Of one
            without, every face it finds does, unless its landmarks say otherwise.
        find: The faces that the detector finds in an image.
    """
    best = upright_score(faces)
    if best >= (getattr(detector, "sure_score", None) or 0.0):
        return 0
    least = max(best, likely_score(detector) or best)
    small = resized(image, min(1.0, LOOK_SIDE / max(image.shape[:2])))
    scores = [upright_score(find(turned(small, turns))) for turns in (1, 2, 3)]
    return 1 + int(np.argmax(scores)) if max(scores) > least else 0


def turned(image: Image, turns: int) -> Image:
    """A picture turned anticlockwise by quarters."""
    return np.ascontiguousarray(np.rot90(image, turns))


def as_shown(face: Face, turns: int, width: int, height: int) -> Face:
    """A face of a turned picture, in the pixels of the picture as it is shown.

    Its landmarks keep their order, so that they still tell how the face stands.

    Args:
        face: Found in the turned picture.
        turns: Quarter turns, anticlockwise.
        width: Of the picture as it is shown.
        height: The same.
    """
    box, points = face.box, face.landmarks
    if turns == 1:
        box, points = (
            Box(width - box.bottom, box.x, box.height, box.width),
            np.stack([width - points[:, 1], points[:, 0]], 1),
        )
    elif turns == 2:
        box, points = Box(width - box.right, height - box.bottom, box.width, box.height), [width, height] - points
    elif turns == 3:
        box, points = (
            Box(box.y, height - box.right, box.height, box.width),
            np.stack([points[:, 1], height - points[:, 0]], 1),
        )
    return Face(box, np.asarray(points, dtype=np.float32), face.score)


def upright_score(faces: Sequence[Face]) -> float:
    """The best score of a face that, as far as its landmarks tell, stands upright; below 0 if there is none."""
    return max((face.score for face in faces if not abs(roll(face)) > _MOST_ROLL), default=-1.0)
