"""Whether mouth or eyes of a face are covered, told by what is to be seen there.

A bare face has edges across the lips and across the eyes, about equally strong whatever light, contrast and blur it is
seen in. A mask, a hand or a scarf has hardly any where the mouth should be; a bar or dark glasses none at the eyes.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import cv2
import numpy as np

from knownface.types import Face, Image

Covered: TypeAlias = Literal["mouth", "eyes"]

_SIDE = 112
_POINTS = np.array([(38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)], np.float32)
"""Where eyes, nose and corners of the mouth go in a square of that side."""
_MOUTH = (slice(80, 102), slice(44, 68))
_EYES = ((slice(44, 60), slice(28, 48)), (slice(44, 60), slice(64, 84)))
_LEAST = 40.0
"""Shorter side in pixels of a face of which it is told."""
_MOUTH_COVERED = 0.36
"""Strength of the edges at the mouth over that at the eyes, below which the mouth is covered."""
_EYES_COVERED = 2.5
"""The same above which the eyes are."""


def covered_part(image: Image, face: Face) -> Covered | None:
    """What of a face is covered; None where nothing seems to be, of small faces and without landmarks.

    Args:
        image: RGB.
        face: One of it.
    """
    if min(face.box.width, face.box.height) < _LEAST or not np.isfinite(face.landmarks).all():
        return None
    matrix = cv2.estimateAffinePartial2D(face.landmarks.astype(np.float32), _POINTS, method=cv2.LMEDS)[0]
    if matrix is None:
        return None
    grey = cv2.cvtColor(cv2.warpAffine(image, matrix, (_SIDE, _SIDE)), cv2.COLOR_RGB2GRAY)
    edges = np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3))
    mouth, eyes = float(edges[_MOUTH].mean()), float(np.mean([edges[eye].mean() for eye in _EYES]))
    if mouth < _MOUTH_COVERED * eyes:
        return "mouth"
    return "eyes" if eyes * _EYES_COVERED < mouth else None
