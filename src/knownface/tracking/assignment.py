"""Which face of a frame belongs to which track."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from knownface.types import Box

_RATIO = 1.4
"""Between two looks a face becomes at most so many times larger or smaller."""

Boxes = npt.NDArray[np.float64]


def match_boxes(
    expected: Sequence[Box], reach: npt.ArrayLike, found: Sequence[Box], unlikeness: Boxes | None = None
) -> list[tuple[int, int]]:
    """Assign found boxes to expected ones so that the sum of their differences is smallest.

    As many pairs as possible are made among those that may be pairs; of these, the nearest ones (assignment after
    Crouse, "On implementing 2D rectangular assignment algorithms", 2016, as SciPy has it). The difference of two
    boxes is the distance of their middles in units of their mean side, plus the logarithm of the ratio of their
    sides: unlike overlap it also tells apart boxes that do not touch, as those of small, fast faces.

    Args:
        expected: Where the tracks should be.
        reach: For each of them how far its face may lie from there, in units of the mean side; shape (expected,), or
            (expected, found) where it differs.
        found: What the detector found.
        unlikeness: Shape (expected, found): added to the difference, such as how little the pictures look alike;
            infinite where a pair may not be.

    Returns:
        Pairs (index of expected, index of found), ordered by the first; each index at most once.
    """
    if not expected or not found:
        return []
    a, b = _rows(expected), _rows(found)
    side = (a[:, None, 2] + b[None, :, 2]) / 2
    apart = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1]) / side
    ratio = np.abs(np.log(a[:, None, 2] / b[None, :, 2]))
    cost = apart + ratio
    reach = np.asarray(reach, dtype=np.float64)
    allowed = (apart <= (reach if reach.ndim == 2 else reach[:, None])) & (ratio <= np.log(_RATIO))
    if unlikeness is not None:
        cost = cost + unlikeness
        allowed &= np.isfinite(cost)
    # Dearer than all pairs together, so that a pair that may not be is never worth one that may.
    forbidden = 1.0 + float(cost[allowed].sum()) if allowed.any() else 1.0
    rows, columns = linear_sum_assignment(np.where(allowed, cost, forbidden))
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]


def _rows(boxes: Sequence[Box]) -> Boxes:
    """Middle and geometric mean side, shape (n, 3)."""
    return np.array([(*box.center, max(1.0, box.area**0.5)) for box in boxes])


def gaps_to_others(boxes: Sequence[Box]) -> list[float]:
    """For each box the distance of its middle to the nearest other one's, in units of their mean side."""
    if len(boxes) < 2:
        return [math.inf] * len(boxes)
    rows = _rows(boxes)
    apart = np.hypot(rows[:, None, 0] - rows[None, :, 0], rows[:, None, 1] - rows[None, :, 1])
    gaps = 2 * apart / (rows[:, None, 2] + rows[None, :, 2])
    np.fill_diagonal(gaps, math.inf)
    return [float(gap) for gap in gaps.min(axis=1)]
