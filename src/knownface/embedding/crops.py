"""The part of a picture that an embedder sees."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from knownface.errors import FaceError
from knownface.types import Box, Image, Landmarks

ARCFACE_SIZE = 112
ARCFACE_TEMPLATE: npt.NDArray[np.float64] = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""Where the five points go in a 112-pixel crop (Deng et al., "ArcFace", CVPR 2019, after InsightFace's code)."""
ARCFACE_TEMPLATE.flags.writeable = False

_FEWEST_POINTS = 2


def square_crop(image: Image, box: Box, factor: float = 1.6) -> Image:
    """A square around the middle of the box.

    Where the square reaches over the border, the border's pixels are repeated: the face stays in the middle and
    keeps its scale, which a shifted or clipped square would change, and no hard black edge appears that a network
    would see as an object.

    Args:
        image: RGB.
        box: In pixels of the image; need not lie inside it.
        factor: Side of the square in units of the box's longer side.

    Returns:
        RGB, shape (side, side, 3), side at least 1.

    Raises:
        FaceError: The square shows nothing of the image.
    """
    side = max(1, round(factor * max(box.width, box.height)))
    center_x, center_y = box.center
    left, top = round(center_x - side / 2), round(center_y - side / 2)
    height, width = image.shape[:2]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if x1 >= x2 or y1 >= y2:
        raise FaceError(
            f"The face at {box.as_list()} lies outside its picture of {width}x{height} pixels.",
            "Give the box in pixels of the same picture.",
        )
    inside = image[y1:y2, x1:x2]
    if inside.shape[:2] == (side, side):
        return inside.copy()
    return np.asarray(
        cv2.copyMakeBorder(inside, y1 - top, top + side - y2, x1 - left, left + side - x2, cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )


def align_five_points(image: Image, landmarks: Landmarks, size: int = ARCFACE_SIZE) -> Image:
    """The face turned, scaled and moved so that its points lie on ArcFace's template.

    The map is the similarity transform of least squares (Umeyama, "Least-squares estimation of transformation
    parameters between two point patterns", PAMI 1991) over the points that are known.

    Args:
        image: RGB.
        landmarks: Five points, NaN where unknown; two are needed.
        size: Side of the result in pixels.

    Returns:
        RGB, shape (size, size, 3); black where the picture ends.

    Raises:
        FaceError: Fewer than two different points are known.
    """
    known = np.isfinite(landmarks).all(axis=1)
    points = landmarks[known].astype(np.float64)
    if len(points) < _FEWEST_POINTS or (points == points[0]).all():
        raise FaceError(
            "This face has no landmarks to align it by.",
            "Choose a detector that tells them (yunet), or an embedder that needs none (clip-vit-b32, dlib-resnet).",
        )
    matrix = similarity_transform(points, ARCFACE_TEMPLATE[known] * (size / ARCFACE_SIZE))
    return np.asarray(cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def similarity_transform(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rotation, uniform scale and translation that carry source to target with the least squared error.

    In two dimensions Umeyama's solution has a closed form: with points as complex numbers, centred, the factor is
    ``sum(conj(source) * target) / sum(|source|^2)``. It never mirrors.

    Args:
        source: Shape (n, 2), at least two different points.
        target: Shape (n, 2).

    Returns:
        Shape (2, 3), for ``cv2.warpAffine``.
    """
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    a = (source - from_mean) @ np.array([1, 1j])
    b = (target - to_mean) @ np.array([1, 1j])
    factor = np.vdot(a, b) / np.vdot(a, a).real
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, to_mean - linear @ from_mean])
