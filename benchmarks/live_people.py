"""Cut-out faces of real people, to be put in front of a moving background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from knownface.detection import FaceDetector
from knownface.embedding.crops import similarity_transform
from knownface.errors import InputError
from knownface.media import read_image
from knownface.types import Box, Face, Image

CANVAS = 224
"""Side of a cut-out in pixels."""
FACE = Box(68.0, 56.0, 88.0, 114.0)
"""Where the face lies in a cut-out, as the detector would box it."""
_POINTS = np.array([(91.0, 98.0), (133.0, 98.0), (112.0, 123.0), (95.0, 146.0), (129.0, 146.0)])
"""Where the five landmarks of every photo go, so that photos of a person can be faded into each other."""
_LEVELS = 4
_MASKS = ((176, 186, 200), (232, 236, 238), (60, 62, 70), (150, 120, 170))

Cutout = npt.NDArray[np.uint8]
"""RGB and opacity, shape (side, side, 4)."""


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """Somebody who appears in the made videos.

    Attributes:
        name: Of the person.
        known: Whether they are enrolled.
        photos: At least one; each in several sizes, the largest first, so that far faces are not made of gaps.
    """

    name: str
    known: bool
    photos: tuple[tuple[Cutout, ...], ...]


def make_actor(name: str, files: Sequence[Path], detector: FaceDetector, *, known: bool, most: int = 8) -> Actor | None:
    """The cut-outs of a person's photos; None if no face is found in any.

    Args:
        name: Whose photos they are.
        files: The photos; the face nearest the middle is taken.
        detector: Must give landmarks.
        known: Whether the person is enrolled.
        most: Photos used at most.
    """
    photos = []
    for file in files[:most]:
        image = read_image(file)
        cutout = cut_out(image, middle_face(image, detector.detect(image)))
        if cutout is not None:
            photos.append(cutout)
    return Actor(name, known, tuple(photos)) if photos else None


def middle_face(image: Image, faces: Sequence[Face]) -> Face | None:
    """The face nearest the middle: these data sets put the person meant there."""
    height, width = image.shape[:2]

    def off(face: Face) -> float:
        x, y = face.box.center
        return float(np.hypot(x - width / 2, y - height / 2)) - 0.5 * face.box.width

    return min(faces, key=off, default=None)


def cut_out(image: Image, face: Face | None) -> tuple[Cutout, ...] | None:
    """The face with head and neck on a transparent ground, in several sizes; None without a face."""
    if face is None:
        return None
    if not np.isfinite(face.landmarks).all():
        raise InputError("The made videos need a detector that gives landmarks.", "Use --detector yunet.")
    matrix = similarity_transform(face.landmarks.astype(np.float64), _POINTS)
    size = (CANVAS, CANVAS)
    colours = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    opacity = np.zeros(size, np.uint8)
    cv2.ellipse(opacity, (112, 112), (70, 96), 0, 0, 360, 255, -1)
    cv2.ellipse(opacity, (112, 250), (92, 60), 0, 0, 360, 255, -1)
    # Only as far as there is a photo; beyond its border there would be streaks.
    photo = cv2.warpAffine(np.full(image.shape[:2], 255, np.uint8), matrix, size)
    opacity = cv2.GaussianBlur(cv2.erode(cv2.min(opacity, photo), np.ones((5, 5), np.uint8)), (0, 0), 3.0)
    levels = [np.dstack([colours, opacity])]
    for _ in range(_LEVELS - 1):
        side = levels[-1].shape[0] // 2
        levels.append(np.asarray(cv2.resize(levels[-1], (side, side), interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(np.asarray(level, np.uint8) for level in levels)


def cover_mouth(cutout: Cutout, colour: int, *, nose: bool) -> Cutout:
    """A cut-out with something over mouth and chin, as a scarf or a hand; with the nose, as a mask."""
    side = cutout.shape[0]
    scale = side / CANVAS
    top = 112 if nose else 132
    outline = np.array(
        [(70, top + 6), (112, top), (154, top + 6), (152, 152), (136, 172), (112, 180), (88, 172), (72, 152)]
    )
    covered = np.ascontiguousarray(cutout[:, :, :3])
    cv2.fillPoly(covered, [np.rint(outline * scale).astype(np.int32)], _MASKS[colour % len(_MASKS)])
    return np.dstack([covered, cutout[:, :, 3]])
