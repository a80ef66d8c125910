"""Text as a mask, in whichever font at hand has its letters.

OpenCV 5 brings fonts along for Latin, Greek, Cyrillic, Chinese, Japanese and Korean, so a picture looks the same on
a server without fonts. For what it lacks (right-to-left scripts too, which it neither turns nor joins), and with
OpenCV 4, Pillow's own font (ASCII) and the system's fonts are tried. A letter that no font has becomes its base
letter, else a question mark.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

Mask: TypeAlias = npt.NDArray[np.uint8]
_Render: TypeAlias = Callable[[str, int], Mask]
_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_LINE = 1.3
_BASELINE = 1.0
_WEIGHT = 400
_PROBE_SIZE = 20
# Categories that draw nothing of their own: format and control characters, spaces.
_INVISIBLE = frozenset({"Cf", "Cc", "Zs"})
_RIGHT_TO_LEFT = frozenset({"R", "AL"})

_SYSTEM_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf", "Arial.ttf", "segoeui.ttf",
    "FreeSans.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "wqy-microhei.ttc", "msyh.ttc",
    "msgothic.ttc", "malgun.ttf", "PingFang.ttc", "DroidSansFallback.ttf", "NotoSansDevanagari-Regular.ttf",
    "NotoSansBengali-Regular.ttf", "NotoSansTamil-Regular.ttf", "NotoSansTelugu-Regular.ttf", "Nirmala.ttf",
    "Kohinoor.ttc", "NotoSansThai-Regular.ttf", "leelawui.ttf", "Thonburi.ttc", "NotoSansArmenian-Regular.ttf",
    "NotoSansGeorgian-Regular.ttf", "NotoSansEthiopic-Regular.ttf", "unifont.otf",
)  # fmt: skip


@functools.lru_cache(maxsize=512)
def text_mask(text: str, size: int) -> Mask:
    """How much of each pixel a line of text covers.

    Args:
        text: One line; anything in it that cannot be printed counts as a space.
        size: Height of the letters' em square in pixels, at least 1.

    Returns:
        uint8, 0 to 255, shape (1.3 × size, width of the text), read-only. All texts of one size have one height
        and one baseline.
    """
    clean = "".join(c if unicodedata.category(c)[0] != "C" or c in "\u200c\u200d" else " " for c in text)
    clean = unicodedata.normalize("NFC", " ".join(clean.split()))
    render, drawable = _renderer_for(clean)
    mask = render(drawable, size)
    columns = np.flatnonzero(mask.any(axis=0))
    mask = np.ascontiguousarray(mask[:, columns[0] : columns[-1] + 1]) if columns.size else mask[:, :1]
    mask.flags.writeable = False
    return mask


def _renderer_for(text: str) -> tuple[_Render, str]:
    """The first font that has every letter; else the one that lacks fewest, with a text that it can draw."""
    best: tuple[int, _Render, str] | None = None
    number = 0
    while (render := _renderer(number)) is not None:
        lacking = [c for c in text if not _has(number, c)]
        if not lacking:
            return render, text
        if best is None or len(lacking) < best[0]:
            best = len(lacking), render, _drawable(number, text)
        number += 1
    if best is None:
        raise RuntimeError("Pillow has no font of its own")  # cannot be: load_default always gives one
    return best[1], best[2]


def _drawable(number: int, text: str) -> str:
    """The text with each letter that this font lacks replaced."""
    drawn = ""
    for character in text:
        mark = unicodedata.category(character).startswith("M")
        if mark and (drawn.endswith("?") or not _has(number, character)):
            continue  # marks of a letter that is not drawn would stand alone
        drawn += character if _has(number, character) else _base_letter(number, character)
    return drawn


def _base_letter(number: int, character: str) -> str:
    base = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return base if base and all(_has(number, c) for c in base) else "?"


@functools.cache
def _renderer(number: int) -> _Render | None:
    """The fonts in the order in which they are tried; None after the last."""
    opencv = [_opencv_mask] if hasattr(cv2, "FontFace") else []
    if number < len(opencv):
        return opencv[number]
    number -= len(opencv)
    if number == 0:
        return lambda text, size: _pillow_mask(ImageFont.load_default(size), text, size)
    names = _installed()
    if number > len(names):
        return None
    name = names[number - 1]
    return lambda text, size: _pillow_mask(ImageFont.truetype(name, size), text, size)


@functools.cache
def _installed() -> tuple[str, ...]:
    """Those of the known fonts that the system has; each name costs Pillow a walk through the font folders."""
    found = []
    for name in _SYSTEM_FONTS:
        try:
            ImageFont.truetype(name, _PROBE_SIZE)
        except OSError:
            continue
        found.append(name)
    return tuple(found)


@functools.lru_cache(maxsize=4096)
def _has(number: int, character: str) -> bool:
    if character == "?" or unicodedata.category(character) in _INVISIBLE:
        return True
    render = _renderer(number)
    if render is None or (render is _opencv_mask and unicodedata.bidirectional(character) in _RIGHT_TO_LEFT):
        return False
    mask = render(character, _PROBE_SIZE)
    # What a font draws for a code point that can never be a letter stands for everything that it lacks.
    return not any(np.array_equal(mask, render(missing, _PROBE_SIZE)) for missing in ("\U0010fffe", "?"))


def _opencv_mask(text: str, size: int) -> Mask:
    face: Any = cv2.FontFace("sans")  # one for each call: OpenCV does not say that threads may share it
    height, baseline = math.ceil(_LINE * size), round(_BASELINE * size)
    box = cv2.getTextSize((1, 1), text, (0, baseline), face, size, _WEIGHT)
    mask = np.zeros((height, max(1, box[0] + box[2] + size)), np.uint8)
    cv2.putText(mask, text, (size // 4, baseline), 255, face, size, _WEIGHT)
    return mask


def _pillow_mask(font: _Font, text: str, size: int) -> Mask:
    width = math.ceil(font.getlength(text)) + size
    canvas = PilImage.new("L", (width, math.ceil(_LINE * size)))
    ImageDraw.Draw(canvas).text((size // 4, round(_BASELINE * size)), text, fill=255, font=font, anchor="ls")
    return np.array(canvas)
