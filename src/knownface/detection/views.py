"""In what sizes and parts a picture is searched by a detector that sees faces of a limited range of sizes.

The **overview** is the whole picture, small: close-ups are seen there. The **detail** is the picture in its own size,
or reduced as far as a small face stays visible; where that is large it is cut into tiles that overlap. What the detail
shows as a large face must be seen in the overview too: of a face that is larger than the detector can take in, it
finds eyes, cheeks and hair that look like faces. What lies within a much larger face must be seen there as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from knownface.detection.base import resized
from knownface.types import Image

Rows = npt.NDArray[np.float32]
"""One face a row, shape (n, 15): x, y, width, height, five points, score."""

DETAIL_SIDE = 2240
"""Longest side of a view, in its pixels: a larger one is cut into tiles."""
LEAST_SCALE = 0.5
"""By how much the detail is reduced at most: a face of 25 pixels has 12 then, and is found."""
OVERLAP = 192
"""Of two tiles, in pixels of the view. A face that is larger is large enough for the overview."""
OVERVIEW_ABOVE = 960
"""Pictures longer than this get the overview: YuNet misses faces larger than about this."""
OVERVIEW_SIDE = 640
SEEN_TWICE = 64
"""Side of a face in the overview, in its pixels, from which on it must be found there too."""
INSIDE = 0.9
"""Share of a find in a larger face of the overview from which on it is a part of that, such as an eye or a cheek."""
LARGER = 4.0
"""By how many times that face's area is larger."""

_BORDER = 2
"""Pixels from the edge of a tile within which a find is cut off by it."""


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """How pictures are searched.

    Attributes:
        detail_side: Longest side of the detail of a picture that is reduced, in pixels of the view.
        least_scale: By how much it is reduced at most, 0 to 1; 1 searches every picture in its own size.
    """

    detail_side: int = DETAIL_SIDE
    least_scale: float = LEAST_SCALE

    def detail_scale(self, longest: int) -> float:
        """The scale of the detail of a picture whose longer side has so many pixels."""
        return min(1.0, max(self.detail_side / longest, self.least_scale))


def search(image: Image, plan: ViewPlan, find: Callable[[Image], Rows], overlap: float) -> Rows:
    """The faces of a picture by all its views, in pixels of the picture.

    Args:
        image: In whatever order of colours ``find`` takes.
        plan: How it is searched.
        find: The faces of a view, in its pixels.
        overlap: Intersection over union above which two finds are one face.
    """
    longest = max(image.shape[:2])
    scale = plan.detail_scale(longest)
    view = resized(image, scale)
    tiles = list(_tiled(view, find))
    detail: Rows = (np.concatenate(tiles) / _factors(scale)).astype(np.float32)
    if longest <= OVERVIEW_ABOVE:
        return detail
    overview_scale = OVERVIEW_SIDE / longest
    # Made of the detail: reducing a photo of 12 megapixels once more takes three times as long, for the same picture.
    overview: Rows = find(resized(view, overview_scale / scale)) / _factors(overview_scale)
    rows = np.concatenate([_confirmed(detail, overview, overview_scale, overlap), overview])
    if not len(rows):
        return rows
    kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), 0.0, overlap)
    best: Rows = rows[np.asarray(kept).ravel()]
    return best


def _factors(scale: float) -> Rows:
    factors = np.full(15, scale, dtype=np.float32)
    factors[14] = 1.0  # the score
    return factors


def _tiled(view: Image, find: Callable[[Image], Rows]) -> Iterator[Rows]:
    """What each tile of a view shows; a find that its edge cuts off is the neighbour's."""
    height, width = view.shape[:2]
    for top, bottom in _cuts(height):
        for left, right in _cuts(width):
            rows = find(view[top:bottom, left:right])
            cut = np.zeros(len(rows), dtype=np.bool_)
            cut |= (left > 0) & (rows[:, 0] < _BORDER)
            cut |= (top > 0) & (rows[:, 1] < _BORDER)
            cut |= (right < width) & (rows[:, 0] + rows[:, 2] > right - left - _BORDER)
            cut |= (bottom < height) & (rows[:, 1] + rows[:, 3] > bottom - top - _BORDER)
            whole = rows[~cut]
            whole[:, [0, 4, 6, 8, 10, 12]] += left
            whole[:, [1, 5, 7, 9, 11, 13]] += top
            yield whole


def _cuts(length: int) -> list[tuple[int, int]]:
    """Where the tiles of a side begin and end: as few as can be, all of one length, overlapping."""
    count = 1 if length <= DETAIL_SIDE else -(-(length - OVERLAP) // (DETAIL_SIDE - OVERLAP))
    part = -(-(length + (count - 1) * OVERLAP) // count)
    return [(min(i * (part - OVERLAP), length - part), min(i * (part - OVERLAP), length - part) + part)
            for i in range(count)]  # fmt: skip


def _confirmed(detail: Rows, overview: Rows, scale: float, overlap: float) -> Rows:
    """What the detail shows, without what the overview does not and either would or shows a larger face around."""
    common, own, others = _common(detail, overview), detail[:, 2:4].prod(axis=1), overview[:, 2:4].prod(axis=1)
    seen = (common / (own[:, None] + others - common) > overlap).any(axis=1)
    large = np.maximum(detail[:, 2], detail[:, 3]) * scale >= SEEN_TWICE
    within = (common >= INSIDE * own[:, None]) & (others >= LARGER * own[:, None])
    kept: Rows = detail[seen | ~(large | within.any(axis=1))]
    return kept


def _common(first: Rows, second: Rows) -> npt.NDArray[np.float32]:
    """Area that boxes have in common, shape (n, m)."""
    ends = [rows[:, :2] + rows[:, 2:4] for rows in (first, second)]
    sides = np.minimum(ends[0][:, None], ends[1]) - np.maximum(first[:, None, :2], second[:, :2])
    return np.asarray(np.clip(sides, 0, None).prod(axis=2), np.float32)
