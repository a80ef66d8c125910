"""From any mode of Pillow to RGB uint8, at its full range."""

from __future__ import annotations

import logging
import struct
import zlib

import numpy as np
import numpy.typing as npt
from PIL import ExifTags
from PIL import Image as PilImage

from knownface.types import Image

logger = logging.getLogger(__name__)

DECODER_ERRORS = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    UserWarning,
)
"""What Pillow's readers raise on damaged files (found by feeding them such files); UserWarning where the caller
turns warnings into errors."""

_TURNS = {
    2: PilImage.Transpose.FLIP_LEFT_RIGHT,
    3: PilImage.Transpose.ROTATE_180,
    4: PilImage.Transpose.FLIP_TOP_BOTTOM,
    5: PilImage.Transpose.TRANSPOSE,
    6: PilImage.Transpose.ROTATE_270,
    7: PilImage.Transpose.TRANSVERSE,
    8: PilImage.Transpose.ROTATE_90,
}
_RANGES = (1023, 4095, 16_383, 65_535)
"""Largest values of 10, 12, 14 and 16 bits."""
_STRIP_PIXELS = 64 * 1024
_BACKGROUND = (255, 255, 255)


def rgb_from_pil(picture: PilImage.Image) -> Image:
    """A decoded picture as an array.

    Transparent parts are laid over white, as a page or a viewer shows them: the colour stored beneath full
    transparency is anything (often black), and on black the outline of dark hair would be lost.

    Args:
        picture: Decoded (``load()`` was called), in any mode, upright.

    Returns:
        RGB, uint8, shape (height, width, 3), contiguous, writable and owned by the caller.
    """
    if picture.mode.startswith(("I", "F")):
        grey = _eight_bit(np.asarray(picture))
        return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    # Strip by strip: Pillow keeps RGB in four bytes a pixel and would make two more copies of the whole, and it lets no
    # other thread run while it converts, which takes a large picture a tenth of a second.
    width, height = picture.size
    array = np.empty((height, width, 3), np.uint8)
    transparent, rows = picture.has_transparency_data, max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        strip = picture.crop((0, top, width, bottom))
        if transparent:
            strip = _over_white(strip)
        array[top:bottom] = np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    return array


def upright(picture: PilImage.Image) -> PilImage.Image:
    """A decoded picture turned as its EXIF or XMP orientation says; damaged EXIF counts as none."""
    method = _TURNS.get(orientation_of(picture))
    return picture if method is None else picture.transpose(method)


def orientation_of(picture: PilImage.Image) -> int:
    """How EXIF or XMP say that a picture is to be turned, 1 to 8; 1, which is not at all, where neither can be read."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except DECODER_ERRORS as error:
        logger.debug("EXIF could not be read: %s", error)
        return 1
    return orientation if orientation in _TURNS else 1


def _over_white(picture: PilImage.Image) -> PilImage.Image:
    rgba = picture.convert("RGBA")
    flat = PilImage.new("RGB", rgba.size, _BACKGROUND)
    flat.paste(rgba, mask=rgba.getchannel("A"))
    return flat


def _eight_bit(grey: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """16-bit, 32-bit and float grey to 0 to 255.

    16 bits are scaled by the range of the 10, 12, 14 or 16 bits that are in use, since infrared cameras store 12 bits
    in 16. 32-bit integers and floats have no agreed range: 0 to 1 (floats), 0 to 255 and 0 to 65535 are taken for what
    they look like, anything else is stretched from its smallest to its largest value.
    """
    if grey.dtype.kind == "u" and grey.dtype.itemsize == 2:
        top = next(top for top in _RANGES if grey.max(initial=0) <= top)
        return ((grey.astype(np.uint32) * 255 + top // 2) // top).astype(np.uint8)
    values = np.nan_to_num(grey.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535:
        span = (high - low) or 1.0
        values = (values - low) / span * 255
    elif high > 255:
        values *= 255 / 65535
    elif high <= 1 and grey.dtype.kind == "f":
        values *= 255
    return np.rint(values).astype(np.uint8)
