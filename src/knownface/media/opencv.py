"""OpenCV's videos: what is common to files and live sources. To be imported before cv2: it keeps FFmpeg quiet."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

# FFmpeg inside OpenCV writes about every odd byte to stderr; it reads this when the first video is opened.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np
from numpy.typing import NDArray

from knownface.types import Image

_LOG_ERRORS = 2
_LONGEST_PIXEL = 4.0
"""Width over height, or height over width; anything beyond is a damaged header."""


def rgb_of(bgr: NDArray[Any], pixel: float) -> Image:
    """OpenCV's picture in RGB, with square pixels."""
    return np.asarray(cv2.cvtColor(squared(bgr, pixel), cv2.COLOR_BGR2RGB), np.uint8)


def squared(image: NDArray[Any], pixel: float) -> NDArray[Any]:
    """A picture whose pixels are ``pixel`` times as wide as they are high, with square ones."""
    if pixel == 1:
        return image
    size = square_size(image.shape[1], image.shape[0], pixel)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))


def square_size(width: int, height: int, pixel: float) -> tuple[int, int]:
    """Width and height with square pixels: the shorter side of a pixel grows, so that no detail is lost."""
    return round(width * max(pixel, 1)), round(height * max(1 / pixel, 1))


def pixel_aspect(capture: cv2.VideoCapture) -> float:
    """Width of a pixel over its height, in the upright picture; 1 where nothing or nonsense is said of it."""
    across, down = float(capture.get(cv2.CAP_PROP_SAR_NUM)), float(capture.get(cv2.CAP_PROP_SAR_DEN))
    if not (across > 0 and down > 0 and 1 / _LONGEST_PIXEL <= across / down <= _LONGEST_PIXEL):
        return 1.0
    turned = round(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 180 == 90
    return down / across if turned else across / down


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV's warnings from stderr: whatever matters is raised as an error."""
    logs = cv2.utils.logging if hasattr(cv2.utils, "logging") else cv2  # OpenCV 5; OpenCV 4
    level = logs.getLogLevel()
    logs.setLogLevel(_LOG_ERRORS)
    try:
        yield
    finally:
        logs.setLogLevel(level)
