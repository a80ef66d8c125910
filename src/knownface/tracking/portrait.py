"""The picture that is kept of a face."""

from __future__ import annotations

import cv2
import numpy as np

from knownface.types import Box, Image

_LONGEST_SIDE = 192
_MARGIN = 0.35
"""What is kept around a face, in units of the box's longer side."""


def portrait(image: Image, box: Box) -> Image | None:
    """A face with some of what is around it, longer side at most 192 pixels; None where the box lies outside."""
    margin = _MARGIN * max(box.width, box.height)
    height, width = image.shape[:2]
    left, right = max(0, round(box.x - margin)), min(width, round(box.right + margin))
    top, bottom = max(0, round(box.y - margin)), min(height, round(box.bottom + margin))
    if left >= right or top >= bottom:
        return None
    part = image[top:bottom, left:right]
    scale = _LONGEST_SIDE / max(part.shape[:2])
    if scale >= 1:
        return part.copy()
    size = max(1, round(scale * part.shape[1])), max(1, round(scale * part.shape[0]))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
