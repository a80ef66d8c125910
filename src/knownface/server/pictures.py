"""Small pictures of the faces that people were enrolled from: kept with uploads if that is set, else cut from the file.

A file that was enrolled from a folder is only opened where its content is still the one enrolled; what an upload was
called is never taken for a file.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PilImage
from sqlalchemy import select

from knownface.detection import FaceDetector
from knownface.errors import KnownFaceError, NotFoundError
from knownface.files import sha256_of
from knownface.gallery import Template
from knownface.media import read_image
from knownface.media.face_picture import FacePicture
from knownface.pipeline import upright
from knownface.storage import Database
from knownface.storage.schema import template_pictures
from knownface.storage.sealing.columns import whole
from knownface.types import Box, Image

UPLOADED = "upload:"
"""What the source of a template begins with that was enrolled through the service."""
SIDE = 160
"""Longer side of a small picture, in pixels."""
_MARGIN = 0.3
"""Ground on each side of the face, as a share of its size."""
_QUALITY = 85


def small_picture(image: Image, box: Box, detector: FaceDetector | None = None) -> bytes:
    """A face with some ground around it, as JPEG, at most :data:`SIDE` pixels wide and high.

    Args:
        image: RGB.
        box: The face's, in it.
        detector: Tells whether the face lies on its side, so that it is turned upright; None leaves it.
    """
    height, width = image.shape[:2]
    margin = _MARGIN * max(box.width, box.height)
    left, top = int(max(0, box.x - margin)), int(max(0, box.y - margin))
    right, bottom = int(min(width, box.right + margin)), int(min(height, box.bottom + margin))
    crop = image[min(top, height - 1) : max(bottom, top + 1), min(left, width - 1) : max(right, left + 1)]
    scale = SIDE / max(crop.shape[:2])
    if scale < 1:
        size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if detector is not None:
        crop = upright(crop, detector)
    buffer = io.BytesIO()
    PilImage.fromarray(crop).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


class PictureStore:
    """The small pictures in a gallery's database; each goes with its template.

    Args:
        database: The gallery's.
        max_pixels: Of a file that a picture is cut from.
        detector: Finds the face in it again, which may lie on its side there.
    """

    def __init__(self, database: Database, max_pixels: int, detector: FaceDetector) -> None:
        self._database = database
        self._max_pixels = max_pixels
        self._detector = detector

    def of_template(self, template: Template) -> bytes:
        """The picture of a template, as JPEG.

        Raises:
            NotFoundError: None was kept, and the file is not there any more, has changed, or is a video.
        """
        kept = template_pictures
        with self._database.reading() as connection:
            row = connection.execute(select(kept.c.jpeg, kept.c.face).where(kept.c.template_id == template.id)).first()
            if row is not None:
                whole(row.jpeg, f"The picture of template {template.id}")
        found = self._cut(template) if row is None else _small(FacePicture(bytes(row.jpeg), row.face))
        if found is None:
            raise NotFoundError(f"There is no picture of the template {template.id}.")
        return found

    def _cut(self, template: Template) -> bytes | None:
        path = Path(template.source)
        if template.source.startswith(UPLOADED) or not path.is_absolute() or template.box is None:
            return None
        if template.frame_time is not None or not path.is_file():
            return None
        try:
            if sha256_of(path) != template.source_sha256:
                return None
            return small_picture(read_image(path, self._max_pixels), template.box, self._detector)
        except (KnownFaceError, OSError):
            return None


def _small(kept: FacePicture) -> bytes:
    """What is kept of a face, as a small picture."""
    if kept.face is None:
        return kept.jpeg
    image, face = kept.read()
    return kept.jpeg if face is None else small_picture(image, face.box)
