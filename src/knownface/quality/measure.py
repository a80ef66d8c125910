"""What a face picture is like: size, sharpness, light, pose, whether it is cut off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from knownface.types import Face, Image, finite

_WORKING_SIDE = 112
"""Faces are measured at the size at which networks see them, never enlarged."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Measurements of one face.

    Attributes:
        size: Shorter side of the box, in pixels of the picture.
        sharpness: Variance of the Laplacian over the variance of the grey values (Pech-Pacheco et al., 2000, made
            independent of contrast), of the face at 112 pixels. About 0.02 for a badly blurred face, 0.1 and more
            for a sharp one.
        brightness: Mean grey value, 0 to 1.
        contrast: Standard deviation of the grey values, 0 to 0.5.
        turn: How far the nose lies off the middle of the eyes, in eye distances: 0 from the front, about 0.5 and more
            in profile. NaN without landmarks.
        cut_off: Share of the box outside the picture, 0 to 1.
        detector_score: As the detector gave it.
    """

    size: float
    sharpness: float
    brightness: float
    contrast: float
    turn: float
    cut_off: float
    detector_score: float

    @property
    def score(self) -> float:
        """One number from 0 (useless) to 1 (ideal), to compare pictures of one person by.

        The product of a size that saturates at 112 pixels, a sharpness that saturates at 0.15, frontality, light away
        from the ends, and what is inside the picture.
        """
        frontal = 0.8 if math.isnan(self.turn) else max(0.0, 1.0 - self.turn)
        light = min(1.0, 4.0 * min(self.brightness, 1.0 - self.brightness))
        size = min(1.0, self.size / _WORKING_SIDE)
        sharp = min(1.0, self.sharpness / 0.15)
        return float(math.sqrt(size * sharp) * frontal * light * (1.0 - self.cut_off))

    def to_dict(self) -> dict[str, float | None]:
        """The score and the measurements, as the REST service answers them; None where a thing is not known."""
        measured = {name: finite(getattr(self, name)) for name in self.__slots__}
        return {"score": finite(self.score), **measured, "size": round(self.size, 1)}


def measure_quality(image: Image, face: Face) -> FaceQuality:
    """Measure a face of an RGB image."""
    height, width = image.shape[:2]
    box = face.box
    left, top = int(np.clip(box.x, 0, width - 1)), int(np.clip(box.y, 0, height - 1))
    right, bottom = int(np.clip(box.right, left + 1, width)), int(np.clip(box.bottom, top + 1, height))
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    scale = _WORKING_SIDE / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    values = grey.astype(np.float32) / 255
    variance = float(values.var())
    inside = max(0.0, min(box.right, width) - max(box.x, 0)) * max(0.0, min(box.bottom, height) - max(box.y, 0))
    return FaceQuality(
        size=min(box.width, box.height),
        sharpness=float(cv2.Laplacian(values, cv2.CV_32F).var()) / variance if variance > 1e-6 else 0.0,
        brightness=float(values.mean()),
        contrast=float(np.sqrt(variance)),
        turn=_turn(face),
        cut_off=1.0 - min(1.0, inside / box.area) if box.area else 1.0,
        detector_score=face.score,
    )


def _turn(face: Face) -> float:
    left, right, nose = face.landmarks[:3].astype(np.float64)
    eyes = right - left
    length = float(np.linalg.norm(eyes))
    if not length > 0:  # also where a point is unknown
        return float("nan") if np.isnan(length) else 1.0
    along = float(np.dot(nose - left, eyes)) / length**2
    return min(1.0, abs(along - 0.5))
