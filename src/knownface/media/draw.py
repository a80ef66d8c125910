"""Boxes and names on pictures, legible from a thumbnail to a poster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knownface.media.lettering import Mask, text_mask
from knownface.types import Box, Image

_Rect = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels, right and bottom not included."""

_MIN_TEXT = 10
_MIN_SHRUNK_TEXT = 8


@dataclass(frozen=True, slots=True)
class Label:
    """What is drawn for one face.

    Attributes:
        box: Where the face is, in pixels of the picture.
        text: Its name; empty draws the box alone.
        known: False draws it as Unknown: orange and dashed instead of blue and solid.
        detail: A second, smaller line, such as the distance.
    """

    box: Box
    text: str
    known: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Style:
    line: tuple[int, int, int]
    halo: tuple[int, int, int]
    letters: tuple[int, int, int]
    dashed: bool


# Blue and orange of Okabe and Ito's palette (2008), which stay apart for every common colour blindness. The
# contrast of letters to plate is 5.2 and 9.3 (WCAG 2.2 asks for 4.5); the halo keeps a line visible on any ground.
_KNOWN = _Style(line=(0, 114, 178), halo=(255, 255, 255), letters=(255, 255, 255), dashed=False)
_UNKNOWN = _Style(line=(230, 159, 0), halo=(0, 0, 0), letters=(0, 0, 0), dashed=True)


def draw_labels(image: Image, labels: Sequence[Label]) -> Image:
    """Draw boxes with names.

    Letters and lines grow with the picture and the face. A name stands on a filled plate beside its box, inside the
    picture, where it covers as little as possible of faces and other names.

    Args:
        image: RGB, uint8, shape (height, width, 3); it is not changed.
        labels: One a face, in any order.

    Returns:
        A new picture of the same shape.
    """
    canvas = image.copy()
    height, width = canvas.shape[:2]
    boxes = [_inside(label.box, width, height) for label in labels]
    sizes = [_text_size(label.box.width, width, height) for label in labels]
    for label, box, size in zip(labels, boxes, sizes, strict=True):
        _draw_box(canvas, box, _style(label), max(1, round(size * 0.15)))
    placed: list[_Rect] = []
    # Who is known and who is near the camera get the best places.
    order = sorted(range(len(labels)), key=lambda i: (not labels[i].known, -_area(boxes[i]), i))
    for i in order:
        if not labels[i].text:
            continue
        plate = _plate(labels[i], sizes[i], width, height)
        others = boxes[:i] + boxes[i + 1 :]
        left, top = _place(plate.shape[1], plate.shape[0], boxes[i], others, placed, (width, height))
        rect = (left, top, min(width, left + plate.shape[1]), min(height, top + plate.shape[0]))
        canvas[rect[1] : rect[3], rect[0] : rect[2]] = plate[: rect[3] - top, : rect[2] - left]
        placed.append(rect)
    return canvas


def _style(label: Label) -> _Style:
    return _KNOWN if label.known else _UNKNOWN


def _inside(box: Box, width: int, height: int) -> _Rect:
    left, top = (round(min(max(v, 0.0), limit - 1)) for v, limit in ((box.x, width), (box.y, height)))
    right, bottom = (round(min(v, limit)) for v, limit in ((box.right, width), (box.bottom, height)))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _text_size(face_width: float, width: int, height: int) -> int:
    """A seventh of the face's width, but never lost in the picture and never dominating it."""
    usual = max(_MIN_TEXT, 0.024 * min(width, height))
    return round(min(max(face_width / 7, usual), 2 * usual))


def _draw_box(canvas: Image, box: _Rect, style: _Style, line: int) -> None:
    halo = max(1, line // 2)
    thickness = line + 2 * halo
    _frame(canvas, box, thickness, halo, style.halo, 0)
    _frame(canvas, box, line, 0, style.line, 4 * line if style.dashed else 0)


def _frame(canvas: Image, box: _Rect, thickness: int, outset: int, colour: tuple[int, int, int], dash: int) -> None:
    """The four sides of a rectangle, ``thickness`` wide, the outermost ``outset`` pixels outside of it."""
    left, top, right, bottom = box[0] - outset, box[1] - outset, box[2] + outset, box[3] + outset
    for a, b in ((top, top + thickness), (bottom - thickness, bottom)):
        _stroke(canvas[max(a, 0) : max(b, 0), max(left, 0) : max(right, 0)], 1, colour, dash)
    for a, b in ((left, left + thickness), (right - thickness, right)):
        _stroke(canvas[max(top, 0) : max(bottom, 0), max(a, 0) : max(b, 0)], 0, colour, dash)


def _stroke(side: Image, axis: int, colour: tuple[int, int, int], dash: int) -> None:
    if not dash:
        side[...] = colour
        return
    # Dashes twice as long as gaps, the pattern mirrored about the middle so that both corners are drawn.
    length = side.shape[axis]
    along = np.arange(length)
    drawn = np.minimum(along, length - 1 - along) % (dash + dash // 2) < dash
    if axis == 1:
        side[:, drawn] = colour
    else:
        side[drawn] = colour


def _plate(label: Label, size: int, width: int, height: int) -> Image:
    """The filled rectangle with its text, as a small picture no wider than the whole."""
    style = _style(label)
    padding = max(2, round(size * 0.25))
    room = max(1, width - 2 * padding)
    name, size = _fit(label.text, size, room)
    lines = [name]
    if label.detail:
        detail, _ = _fit(label.detail, max(_MIN_SHRUNK_TEXT, round(size * 0.75)), room)
        if name.shape[0] + detail.shape[0] + padding <= height // 2:
            lines.append(detail)
    inner_width = max(line.shape[1] for line in lines)
    inner_height = sum(line.shape[0] for line in lines)
    alpha = np.zeros((inner_height + padding, inner_width + 2 * padding), np.uint8)
    top = padding // 2
    for line in lines:
        alpha[top : top + line.shape[0], padding : padding + line.shape[1]] = line
        top += line.shape[0]
    return _blend(alpha, style.line, style.letters)


def _fit(text: str, size: int, room: int) -> tuple[Mask, int]:
    """The text at this size, else smaller, else cut with an ellipsis."""
    mask = text_mask(text, size)
    while mask.shape[1] > room and size > _MIN_SHRUNK_TEXT:
        size = max(_MIN_SHRUNK_TEXT, min(size - 1, size * room // mask.shape[1]))
        mask = text_mask(text, size)
    while mask.shape[1] > room and len(text) > 1:
        text = text[: max(1, min(len(text) - 1, len(text) * room // mask.shape[1]))].rstrip()
        mask = text_mask(text + "…", size)
    return mask[:, :room], size


def _blend(alpha: Mask, ground: tuple[int, int, int], letters: tuple[int, int, int]) -> Image:
    weight = alpha[:, :, np.newaxis].astype(np.uint32)
    mixed = np.array(ground, np.uint32) * (255 - weight) + np.array(letters, np.uint32) * weight
    return ((mixed + 127) // 255).astype(np.uint8)


def _place(
    w: int, h: int, box: _Rect, others: Sequence[_Rect], placed: Sequence[_Rect], size: tuple[int, int]
) -> tuple[int, int]:
    """Where a plate covers least: above its box, else below, beside, else inside it."""
    left, top, right, bottom = box
    wanted = [
        (left, top - h), (left, bottom), (right - w, top - h), (right - w, bottom), ((left + right - w) // 2, top - h),
        ((left + right - w) // 2, bottom), (right, top), (left - w, top), (right, bottom - h), (left - w, bottom - h),
        (left, bottom - h), (left, top),
    ]  # fmt: skip
    best, best_cost = (0, 0), float("inf")
    for rank, (x, y) in enumerate(wanted):
        at = max(0, min(x, size[0] - w)), max(0, min(y, size[1] - h))
        rect = (at[0], at[1], at[0] + w, at[1] + h)
        # In shares of the plate: hiding another face or name is worse than hiding part of one's own face.
        covered = 4 * sum(_overlap(rect, other) for other in others) + 6 * sum(_overlap(rect, p) for p in placed)
        cost = (covered + 2 * _overlap(rect, box)) / (w * h) + 0.01 * rank
        if cost < best_cost:
            best, best_cost = at, cost
    return best


def _area(rect: _Rect) -> int:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def _overlap(a: _Rect, b: _Rect) -> int:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0, width) * max(0, height)
