"""Assignment of detections to tracks: the Hungarian problem over boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knownface.types import Box

_RATIO = 1.4
"""Between two detections a face becomes at most so many times larger or smaller."""

Boxes = npt.NDArray[np.float64]


def match_boxes(
    expected: Sequence[Box], reach: npt.ArrayLike, found: Sequence[Box], unlikeness: Boxes | None = None
) -> list[tuple[int, int]]:
    """Assigns found boxes to expected ones so that the sum of their differences is smallest.

    As many pairs as possible are made among those that may be pairs; of these, the nearest ones. The difference of
    two boxes is the distance of their middles in units of their mean side, plus the logarithm of the ratio of their
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
    return [(i, j) for i, j in assign(np.where(allowed, cost, forbidden)) if allowed[i, j]]


def assign(cost: Boxes) -> list[tuple[int, int]]:
    """As many pairs of a row and a column as there can be, with the smallest sum of costs.

    Shortest augmenting paths (Crouse, "On implementing 2D rectangular assignment algorithms", 2016). Where sums are
    equal, the pairs are those of SciPy's ``linear_sum_assignment``, which would take 145 MB to install.

    Args:
        cost: Float64, shape (rows, columns), finite.

    Returns:
        Pairs (row, column), ordered by row.
    """
    if cost.shape[1] < cost.shape[0]:
        return sorted((row, column) for column, row in assign(cost.T))
    costs: list[list[float]] = cost.tolist()
    rows, columns = cost.shape
    row_price, column_price = [0.0] * rows, [0.0] * columns
    column_of, row_of = [-1] * rows, [-1] * columns
    for first in range(rows):
        length, before = [math.inf] * columns, [-1] * columns
        ahead = list(reversed(range(columns)))
        passed: list[int] = []
        reached: list[int] = []
        row, shortest = first, 0.0
        while row != -1:  # until a column is reached that is nobody's yet
            passed.append(row)
            place, nearest = -1, math.inf
            for at, column in enumerate(ahead):
                through = shortest + costs[row][column] - row_price[row] - column_price[column]
                if through < length[column]:
                    length[column], before[column] = through, row
                if length[column] < nearest or (length[column] == nearest and row_of[column] == -1):
                    place, nearest = at, length[column]
            shortest, column = nearest, ahead[place]
            ahead[place] = ahead[-1]
            ahead.pop()
            reached.append(column)
            row = row_of[column]
        row_price[first] += shortest
        for row in passed[1:]:
            row_price[row] += shortest - length[column_of[row]]
        for column in reached:
            column_price[column] -= shortest - length[column]
        column, row = reached[-1], -1
        while row != first:  # everybody on the path moves on by one column
            row = before[column]
            row_of[column] = row
            column_of[row], column = column, column_of[row]
    return list(enumerate(column_of))


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
