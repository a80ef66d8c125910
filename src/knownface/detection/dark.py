"""Dark pictures, raised to usual brightness for a second look.

YuNet sees faces in a quarter of the usual light, in an eighth half of them, below that none. What is
missing is not only brightness: raised, a camera's noise is as strong as a face. So the picture is smoothed by as much
as its own noise asks for, then each part is raised by what is missing to usual brightness there (the light is taken
to be the picture strongly blurred, as in Jobson et al., "Properties and performance of a center/surround retinex",
IEEE TIP 6, 1997), so that a face in front of a window is raised and the window is not.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from knownface.detection.base import resized
from knownface.types import Image

_USUAL = 110.0
"""Brightness, 0 to 255, that dark parts are raised to."""
_MOST = 40.0
"""By how much they are at most."""
_DARK = 2.5
"""From what factor on a part counts as dark."""
_DARK_SHARE = 0.05
"""Share of a picture that must be dark for it to be worth a second look."""
_SURROUND = 0.12
"""Deviation of the blur that shows the light, in units of the longer side."""
_MAP_SIDE = 64
"""Of the map of the light, in pixels."""
_NOISE_LEFT = 3.0
"""Deviation of the noise that may be left after raising, in grey values."""
_SMOOTHING = (1.0, 4.0)
"""Least and greatest deviation of the blur against it, in pixels."""
_ROUNDING = 0.29
"""Deviation of what rounding to whole grey values adds."""
_BAND = 256
"""Rows worked on at a time: wanted are floats, of all of a large picture they would be many."""
_LOOKED_AT = 512
"""Side of the middle of the picture whose noise is measured."""
_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)

Map = npt.NDArray[np.float32]


def raised(image: Image) -> Image | None:
    """A dark picture, or one with a dark part, as it would look in usual light; None if it is bright enough.

    Args:
        image: RGB.
    """
    factors = _factors(image)
    dark = factors >= _DARK
    if dark.mean() < _DARK_SHARE:
        return None
    least, most = _SMOOTHING
    noise = float(np.median(factors[dark])) * float(np.hypot(_noise(image), _ROUNDING))
    # Blurred by so many pixels, white noise keeps 1 / (2 sqrt(pi) pixels) of its deviation.
    sigma = min(max(noise / (2 * np.sqrt(np.pi) * _NOISE_LEFT), least), most)
    height, width = image.shape[:2]
    factors = cv2.resize(factors, (factors.shape[1], height))
    margin = int(np.ceil(3 * sigma))
    bright = np.empty_like(image)
    for top in range(0, height, _BAND):
        bottom, first = min(top + _BAND, height), max(top - margin, 0)
        rows = cv2.GaussianBlur(image[first : bottom + margin].astype(np.float32), (0, 0), sigma)
        rows = rows[top - first : bottom - first] * cv2.resize(factors[top:bottom], (width, bottom - top))[..., None]
        bright[top:bottom] = np.clip(rows, 0, 255)
    return bright


def _factors(image: Image) -> Map:
    """By how much each part is to be raised, 1 to :data:`_MOST`, of a small map."""
    grey = cv2.cvtColor(resized(image, min(1.0, _MAP_SIDE / max(image.shape[:2]))), cv2.COLOR_RGB2GRAY)
    light = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _SURROUND * max(grey.shape))
    return np.asarray(np.clip(_USUAL / np.maximum(light, 1e-3), 1, _MOST), np.float32)


def _noise(image: Image) -> float:
    """Deviation of the noise in the middle of a picture (Immerkaer, "Fast noise variance estimation", 1996)."""
    height, width = image.shape[:2]
    top, left = max(0, (height - _LOOKED_AT) // 2), max(0, (width - _LOOKED_AT) // 2)
    middle = image[top : top + _LOOKED_AT, left : left + _LOOKED_AT].mean(axis=2, dtype=np.float32)
    return float(np.abs(cv2.filter2D(middle, -1, _MASK)).mean() * np.sqrt(np.pi / 2) / 6)
