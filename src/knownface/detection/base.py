"""What a face detector is."""

from __future__ import annotations

from typing import Protocol

import cv2

from knownface.types import Face, Image


class FaceDetector(Protocol):
    """Finds faces; one instance may be used by several threads at once.

    It should have a ``fingerprint`` as well, a digest over its weights and parameters, by which pictures without a
    face are remembered; see :func:`knownface.parts.fingerprint_of`. One that finds faces that lie on their side, too,
    should have a ``sure_score``: the score from which a face surely stands upright.
    """

    @property
    def name(self) -> str:
        """Name in the catalogue, such as ``yunet-2026may``, or that it is registered by."""
        ...

    @property
    def gives_landmarks(self) -> bool:
        """Whether its faces have landmarks, which an aligned embedder needs."""
        ...

    def detect(self, image: Image) -> list[Face]:
        """The faces of an RGB image, largest first; an empty list where there is none."""
        ...


def largest_first(faces: list[Face]) -> list[Face]:
    """The order in which every detector hands out its faces."""
    return sorted(faces, key=lambda face: (-face.box.area, face.box.x, face.box.y))


def resized(image: Image, scale: float) -> Image:
    """The picture at another size, never less than a pixel wide or high."""
    if scale == 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    smaller: Image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return smaller
