"""What is done to a picture before it is searched for a face: the paper's augmentations, and worse light than one has.

Every alteration gives the same picture each time. Sizes are given in units of the face, so that a strength means the
same in a portrait and in a group photo.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from knownface.embedding.crops import square_crop
from knownface.evaluation.alteration import Alteration
from knownface.types import Box, Face, Image

_FACE_SIDE = 112
"""Blur is given in pixels of a face of this height, which is about what networks see."""
_TWILIGHT_NOISE = 6.0


# The paper's augmentations


def mirror(image: Image, face: Face) -> Image:  # noqa: ARG001
    """Left and right exchanged."""
    return np.ascontiguousarray(image[:, ::-1])


def rotate(image: Image, face: Face, degrees: float) -> Image:
    """Turned in the plane around the face; the border's pixels are repeated."""
    matrix = cv2.getRotationMatrix2D(face.box.center, degrees, 1.0)
    size = (image.shape[1], image.shape[0])
    turned: Image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return turned


def crop_to_face(image: Image, face: Face, factor: float) -> Image:
    """The part of the picture within ``factor`` times the face box, as far as there is a picture."""
    height, width = image.shape[:2]
    box, (x, y) = face.box, face.box.center
    left, right = _within(x - factor * box.width / 2, x + factor * box.width / 2, width)
    top, bottom = _within(y - factor * box.height / 2, y + factor * box.height / 2, height)
    return np.ascontiguousarray(image[top:bottom, left:right])


def blur(image: Image, face: Face, sigma: float) -> Image:
    """Gaussian blur of ``sigma`` pixels of a face 112 pixels high."""
    blurred: Image = cv2.GaussianBlur(image, (0, 0), max(0.1, sigma * face.box.height / _FACE_SIDE))
    return blurred


def contrast(image: Image, face: Face, factor: float) -> Image:  # noqa: ARG001
    """Grey values pulled away from, or towards, their mean."""
    mean = float(image.mean())
    return _bytes(mean + factor * (image.astype(np.float32) - mean))


# Worse conditions


def low_resolution(image: Image, face: Face, pixels: int) -> Image:
    """The picture as from afar: the face ``pixels`` high, then enlarged to its old size; larger faces only."""
    scale = pixels / max(face.box.height, 1.0)
    if scale >= 1.0:
        return image
    height, width = image.shape[:2]
    small = cv2.resize(
        image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    enlarged: Image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return enlarged


def low_light(image: Image, face: Face, share: float) -> Image:  # noqa: ARG001
    """So much of the light, with a camera's noise, in 8 bits as a camera would deliver it."""
    noise = np.random.default_rng(image.shape[:2]).normal(0.0, _TWILIGHT_NOISE, image.shape)
    return _bytes(image.astype(np.float32) * share + noise)


def turn_aside(image: Image, face: Face, degrees: float) -> Image:
    """The picture as a card turned around its upright axis and seen from the front.

    A photo holds nothing of a face's other side, so this narrows and slants the face and is milder than a head that
    turns.
    """
    height, width = image.shape[:2]
    x, y = face.box.center
    distance = 4.0 * max(face.box.width, face.box.height)
    angle = np.deg2rad(degrees)
    to_middle = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]], dtype=np.float64)
    seen = np.array(
        [
            [distance * np.cos(angle), 0, 0],
            [0, distance, 0],
            [np.sin(angle), 0, distance],
        ]
    )
    back = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float64)
    turned: Image = cv2.warpPerspective(
        image, back @ seen @ to_middle, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return turned


def cover_below(image: Image, face: Face, share: float) -> Image:
    """The lowest share of the face box covered, as by a mask or scarf."""
    return _covered(
        image, Box(face.box.x, face.box.bottom - share * face.box.height, face.box.width, share * face.box.height)
    )


def cover_above(image: Image, face: Face, share: float) -> Image:
    """The uppermost share of the face box covered, as by a hat."""
    return _covered(image, Box(face.box.x, face.box.y, face.box.width, share * face.box.height))


def cover_eyes(image: Image, face: Face) -> Image:
    """A dark bar over the eyes, as sunglasses; by the landmarks, or where eyes are in an upright face."""
    eyes = face.landmarks[:2]
    middle = float(eyes[:, 1].mean()) if np.isfinite(eyes).all() else face.box.y + 0.38 * face.box.height
    bar = 0.22 * face.box.height
    return _covered(image, Box(face.box.x, middle - bar / 2, face.box.width, bar), (20, 20, 20))


# Background


def blur_background(image: Image, face: Face, sigma: float) -> Image:
    """Everything but the face blurred; see :func:`blur`."""
    return _behind(image, face, blur(image, face, sigma))


def plain_background(image: Image, face: Face, colour: tuple[int, int, int]) -> Image:
    """Everything but the face in one colour."""
    return _behind(image, face, np.full_like(image, colour))


def busy_background(image: Image, face: Face) -> Image:
    """Everything but the face replaced by blotches of colour."""
    height, width = image.shape[:2]
    cell = max(4, round(face.box.height / 3))
    blotches = np.random.default_rng(7).integers(0, 256, (height // cell + 2, width // cell + 2, 3), dtype=np.uint8)
    return _behind(
        image, face, np.asarray(cv2.resize(blotches, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    )


def _square(image: Image, face: Face, factor: float) -> Image:
    return square_crop(image, face.box, factor)


def _behind(image: Image, face: Face, background: Image) -> Image:
    """The face in front of a background: an ellipse somewhat larger than its box, with soft edges."""
    mask = np.zeros(image.shape[:2], dtype=np.float32)
    x, y = face.box.center
    axes = (max(1, round(0.62 * face.box.width)), max(1, round(0.66 * face.box.height)))
    cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.03 * face.box.height))[:, :, None]
    return _bytes(soft * image + (1.0 - soft) * background)


def _covered(image: Image, box: Box, colour: tuple[int, int, int] = (110, 130, 150)) -> Image:
    height, width = image.shape[:2]
    left, right = _within(box.x, box.right, width)
    top, bottom = _within(box.y, box.bottom, height)
    covered = image.copy()
    covered[top:bottom, left:right] = colour
    return covered


def _within(low: float, high: float, size: int) -> tuple[int, int]:
    """Whole pixels from low to high inside the picture, at least one."""
    first = int(np.clip(round(low), 0, size - 1))
    return first, int(np.clip(round(high), first + 1, size))


def _bytes(values: npt.NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


# The sets that the experiments go through

AUGMENTATIONS = (
    Alteration("mirrored", "", mirror),
    Alteration("rotated", "10°", partial(rotate, degrees=10.0)),
    Alteration("cropped", "1.3 × the face", partial(crop_to_face, factor=1.3)),
    Alteration("blurred", "sigma 1.5", partial(blur, sigma=1.5)),
    Alteration("contrast raised", "× 1.5", partial(contrast, factor=1.5)),
    Alteration("contrast lowered", "× 0.6", partial(contrast, factor=0.6)),
)
"""Applied to train pictures."""

DEGRADATIONS = (
    Alteration("mirrored", "", mirror),
    *(Alteration("tilted", f"{d}°", partial(rotate, degrees=float(d))) for d in (10, 20, 30, 45)),
    *(Alteration("turned aside", f"{d}°", partial(turn_aside, degrees=float(d))) for d in (20, 40, 60)),
    *(Alteration("cropped", f"{f:g} × the face", partial(crop_to_face, factor=f)) for f in (1.3, 1.0, 0.8)),
    *(Alteration("blurred", f"sigma {s:g}", partial(blur, sigma=s)) for s in (1.0, 2.0, 4.0, 8.0)),
    *(Alteration("contrast lowered", f"× {f:g}", partial(contrast, factor=f)) for f in (0.6, 0.3, 0.15)),
    *(
        Alteration("low resolution", f"face {p} pixels high", partial(low_resolution, pixels=p))
        for p in (48, 32, 24, 16)
    ),
    *(Alteration("low light", f"{s:.0%}", partial(low_light, share=s)) for s in (0.5, 0.25, 0.12, 0.06)),
    Alteration("eyes covered", "bar", cover_eyes),
    *(
        Alteration("covered from below", f"{s:.0%} of the face", partial(cover_below, share=s))
        for s in (0.25, 0.4, 0.5)
    ),
    *(
        Alteration("covered from above", f"{s:.0%} of the face", partial(cover_above, share=s))
        for s in (0.2, 0.35, 0.5)
    ),
)
"""Applied to probes, each kind from weak to strong."""

BACKGROUNDS = (
    Alteration("picture cropped", "1.1 × the face", partial(crop_to_face, factor=1.1)),
    Alteration("picture cropped", "1.6 × the face", partial(crop_to_face, factor=1.6)),
    Alteration("background blurred", "sigma 4", partial(blur_background, sigma=4.0)),
    Alteration("background blurred", "sigma 12", partial(blur_background, sigma=12.0)),
    Alteration("background replaced", "grey", partial(plain_background, colour=(128, 128, 128))),
    Alteration("background replaced", "green", partial(plain_background, colour=(0, 177, 64))),
    Alteration("background replaced", "blotches", busy_background),
)
"""Applied to probes whose gallery keeps its backgrounds."""

CROPS = tuple(
    Alteration("square crop", f"{factor:g} × the face", crop=partial(_square, factor=factor))
    for factor in (1.0, 1.3, 1.6, 2.2)
)
"""What the network sees instead of its own crop; not for dlib, which takes nothing but its chips."""
