"""The part of a picture that an embedder sees."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from knownface.errors import FaceError
from knownface.types import Box, CropPolicy, Face, Image, Landmarks

ARCFACE_SIZE = 112
ARCFACE_TEMPLATE: npt.NDArray[np.float64] = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""Where the five points go in a 112-pixel crop (Deng et al., "ArcFace", CVPR 2019, after InsightFace's code)."""
ARCFACE_TEMPLATE.flags.writeable = False

DEFAULT_FACTOR = 1.6
"""Side of a square crop in units of the box's longer side."""

MADE_SIDE = 256
"""Height and width of a made picture in which :data:`MADE_FACE` is looked at."""
MADE_FACE = Face(Box(72, 64, 112, 128), (ARCFACE_TEMPLATE + (MADE_SIDE - ARCFACE_SIZE) / 2).astype(np.float32), 1.0)
"""Where a face would be in such a picture: what an embedder's crop is tried with."""

_FEWEST_POINTS = 2


def square_crop(image: Image, box: Box, factor: float = DEFAULT_FACTOR) -> Image:
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


def align_five_points(
    image: Image, landmarks: Landmarks, height: int = ARCFACE_SIZE, width: int | None = None
) -> Image:
    """The face turned, scaled and moved so that its points lie on ArcFace's template.

    The map is the similarity transform of least squares (Umeyama, "Least-squares estimation of transformation
    parameters between two point patterns", PAMI 1991) over the points that are known.

    Args:
        image: RGB.
        landmarks: Five points, NaN where unknown; two are needed.
        height: Of the result in pixels.
        width: Of the result; None: as its height. Where they differ, the result is the middle of the square of the
            longer one, which for 112 x 96 is the template that SphereFace and CosFace were trained with.

    Returns:
        RGB, shape (height, width, 3); black where the picture ends.

    Raises:
        FaceError: Fewer than two different points are known.
    """
    known = np.isfinite(landmarks).all(axis=1)
    points = landmarks[known].astype(np.float64)
    if len(points) < _FEWEST_POINTS or (points == points[0]).all():
        raise FaceError(
            "This face has no landmarks to align it by.",
            "Choose a detector that finds them (yunet), or an embedder that needs none (clip-vit-b32, dlib-resnet).",
        )
    width = height if width is None else width
    side = max(height, width)
    corner = np.array([(width - side) / 2, (height - side) / 2])
    matrix = similarity_transform(points, ARCFACE_TEMPLATE[known] * (side / ARCFACE_SIZE) + corner)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def resize_crop(crop: Image, height: int, width: int) -> Image:
    """A crop in the size of a network's input; one that has it is handed back as it is."""
    if crop.shape[:2] == (height, width):
        return crop
    shrinks = crop.shape[0] > height and crop.shape[1] > width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (width, height), interpolation=interpolation), dtype=np.uint8)


def crop_face(
    image: Image, face: Face, policy: CropPolicy, height: int, width: int, factor: float = DEFAULT_FACTOR
) -> Image:
    """An ``aligned`` or ``square`` crop in the size of a network's input.

    Args:
        image: The picture that the face was found in, RGB.
        face: In pixels of that picture.
        policy: ``aligned`` or ``square``; ``chip`` is dlib's own (:mod:`knownface.embedding.dlib_resnet`).
        height: Of the input. Where it differs from the width, the crop is the middle of the square: no face is
            stretched.
        width: Of the input.
        factor: Side of a ``square`` crop in units of the box's longer side.

    Returns:
        RGB, shape (height, width, 3).

    Raises:
        FaceError: The face has no landmarks to align it by, or lies outside the picture.
    """
    if policy == "aligned":
        return align_five_points(image, face.landmarks, height, width)
    square = square_crop(image, face.box, factor)
    side, longer = len(square), max(height, width)
    rows, columns = (max(1, round(side * part / longer)) for part in (height, width))
    top, left = (side - rows) // 2, (side - columns) // 2
    return resize_crop(square[top : top + rows, left : left + columns], height, width)


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
