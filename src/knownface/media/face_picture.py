"""A face cut out of its picture with enough ground around it that any embedder can make its own crop of it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as PilImage

from knownface.media.images import read_image
from knownface.types import Box, Face, Image

REACH = 1.0
"""How far the cut reaches from the middle of the face to each side, in units of the box's longer side: farther than
the square crop (0.8), and than an aligned crop or dlib's chip, also of a turned head."""
LONGEST_FACE = 200
"""Pixels of the box's longer side at most; larger faces are reduced. A network that sees 224 pixels of a square crop
then gets more than it needs (a crop of 1.6 times the box: 320 pixels)."""
_QUALITY = 92


@dataclass(frozen=True, slots=True)
class FacePicture:
    """A face as it is kept with a template.

    Attributes:
        jpeg: The picture.
        face: Box and landmarks in pixels of this picture, as JSON; None for pictures of earlier versions, which are
            at most 160 pixels wide and high.
    """

    jpeg: bytes
    face: str | None

    def read(self) -> tuple[Image, Face | None]:
        """The picture, RGB, and the face in it, where that was noted.

        Raises:
            InputError: The picture cannot be read.
        """
        image = read_image(self.jpeg)
        if self.face is None:
            return image, None
        noted = json.loads(self.face)
        points = [[np.nan if value is None else value for value in point] for point in noted["landmarks"]]
        return image, Face(Box(*noted["box"]), np.array(points, dtype=np.float32), noted["score"])


def face_picture(image: Image, face: Face) -> FacePicture | None:
    """Cut a face out of its picture.

    Where the picture ends the cut ends too, so that an embedder's crop is filled up as it would be in the picture.

    Args:
        image: RGB.
        face: In pixels of that picture.

    Returns:
        None where the box lies outside of the picture.
    """
    box = face.box
    longer = max(box.width, box.height)
    height, width = image.shape[:2]
    left, top = (max(0, int(np.floor(middle - REACH * longer))) for middle in box.center)
    right, bottom = (
        min(end, int(np.ceil(middle + REACH * longer))) for middle, end in zip(box.center, (width, height), strict=True)
    )
    if left >= right or top >= bottom:
        return None
    cut, scale_x, scale_y = image[top:bottom, left:right], 1.0, 1.0
    if longer > LONGEST_FACE:
        size = [max(1, round(side * LONGEST_FACE / longer)) for side in (right - left, bottom - top)]
        scale_x, scale_y = size[0] / (right - left), size[1] / (bottom - top)
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    buffer = io.BytesIO()
    PilImage.fromarray(cut).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    landmarks = (face.landmarks.astype(np.float64) - (left, top)) * (scale_x, scale_y)
    noted = {
        "box": _rounded([(box.x - left) * scale_x, (box.y - top) * scale_y, box.width * scale_x, box.height * scale_y]),
        "landmarks": [_rounded(point) for point in landmarks.tolist()],
        "score": face.score,
    }
    return FacePicture(buffer.getvalue(), json.dumps(noted))


def _rounded(values: list[float]) -> list[float | None]:
    return [None if np.isnan(value) else round(value, 3) for value in values]
