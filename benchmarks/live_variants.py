"""The kinds of made videos: how many faces, how large, how fast, and what is done to the frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from knownface.types import Image

Change = Callable[[Image, np.random.Generator], Image]


@dataclass(frozen=True, slots=True)
class Variant:
    """A kind of video.

    Attributes:
        name: In the table.
        about: What it is, in a few words.
        faces: Fewest and most at a time.
        sizes: Smallest and largest face in pixels (geometric mean of its sides).
        change: Done to each finished frame.
        turn: Degrees to which heads turn aside.
        speed: How fast faces move; 1 is a face width and a half a second.
        cover: Whether mouths are covered, and noses too.
        crossing: Whether faces walk to and fro at one height, so that they meet again and again.
        width, height: Of the frames.
    """

    name: str
    about: str
    faces: tuple[int, int] = (1, 4)
    sizes: tuple[float, float] = (50.0, 150.0)
    change: Change | None = None
    turn: float = 15.0
    speed: float = 1.0
    cover: Literal["mouth", "nose"] | None = None
    crossing: bool = False
    width: int = 640
    height: int = 360


def darken(image: Image, random: np.random.Generator, share: float) -> Image:
    """So much of the light, and a camera's noise."""
    return _grainy(image.astype(np.float32) * np.float32(share), random, 5.0)


def grain(image: Image, random: np.random.Generator, sigma: float) -> Image:
    """Noise of a standard deviation in grey levels."""
    return _grainy(image.astype(np.float32), random, sigma)


def shake(image: Image, random: np.random.Generator, pixels: int) -> Image:
    """Motion blur of that length, in a direction that changes from frame to frame."""
    angle = random.uniform(0, np.pi)
    kernel = np.zeros((pixels, pixels), np.float32)
    middle = (pixels - 1) / 2
    for along in np.linspace(-middle, middle, 4 * pixels):
        kernel[round(middle + along * np.sin(angle)), round(middle + along * np.cos(angle))] = 1
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def reduce(image: Image, random: np.random.Generator, factor: float) -> Image:  # noqa: ARG001 - as all changes
    """Made smaller and enlarged again, as by a cheap camera."""
    small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC), np.uint8)


def compress(image: Image, random: np.random.Generator, quality: int) -> Image:  # noqa: ARG001
    """Through JPEG of that quality and back."""
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def _grainy(values: npt.NDArray[np.float32], random: np.random.Generator, sigma: float) -> Image:
    # A field of noise shifted at random: drawing a new one for every frame would take longer than all the rest.
    noise = _noise(values.shape[0] + 64, values.shape[1] + 64)
    y, x = random.integers(0, 64, 2)
    values = values + sigma * noise[y : y + values.shape[0], x : x + values.shape[1]]
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


_NOISES: dict[tuple[int, int], npt.NDArray[np.float32]] = {}


def _noise(height: int, width: int) -> npt.NDArray[np.float32]:
    if (height, width) not in _NOISES:
        _NOISES[height, width] = np.random.default_rng(1).standard_normal((height, width, 3)).astype(np.float32)
    return _NOISES[height, width]


VARIANTS = (
    Variant("clean", "1 to 4 faces of 50 to 150 px"),
    Variant("large", "1 or 2 faces of 150 to 250 px", faces=(1, 2), sizes=(150.0, 250.0), speed=0.5),
    Variant("small", "1 to 6 faces of 20 to 50 px", faces=(1, 6), sizes=(20.0, 50.0)),
    Variant("crossing", "4 faces at one height, to and fro", faces=(4, 4), sizes=(60.0, 90.0), crossing=True),
    Variant("crowd", "12 faces of 30 to 80 px, 960x540", (12, 12), (30.0, 80.0), width=960, height=540),
    Variant("fast", "faces four times as fast", speed=4.0),
    Variant("blur", "motion blur of 5 px", change=partial(shake, pixels=5)),
    Variant("strong blur", "motion blur of 9 px", change=partial(shake, pixels=9)),
    Variant("dark", "a quarter of the light, noise of 5 grey levels", change=partial(darken, share=0.25)),
    Variant("very dark", "an eighth of the light, noise of 5 grey levels", change=partial(darken, share=0.125)),
    Variant("noise", "noise of 15 grey levels", change=partial(grain, sigma=15.0)),
    Variant("low resolution", "320x180 enlarged twice", change=partial(reduce, factor=2.0)),
    Variant("compressed", "JPEG of quality 12", change=partial(compress, quality=12)),
    Variant("turned", "heads turn 50 degrees to either side", turn=50.0),
    Variant("covered", "mouth and chin covered", cover="mouth"),
    Variant("masked", "nose, mouth and chin covered", cover="nose"),
)
