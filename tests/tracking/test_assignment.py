from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.optimize import linear_sum_assignment

from knownface.tracking.assignment import assign, gaps_to_others, match_boxes
from knownface.types import Box

boxes = st.builds(Box, st.floats(-50, 600), st.floats(-50, 400), st.floats(2, 200), st.floats(2, 200))


@settings(deadline=None)
@given(st.lists(boxes, max_size=8), st.lists(boxes, max_size=8), st.floats(0.1, 3))
def test_each_box_is_in_one_pair_at_most_and_within_reach(expected: list[Box], found: list[Box], reach: float) -> None:
    pairs = match_boxes(expected, [reach] * len(expected), found)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    for i, j in pairs:
        a, b = expected[i], found[j]
        side = (a.area**0.5 + b.area**0.5) / 2
        assert np.hypot(*np.subtract(a.center, b.center)) <= reach * side * (1 + 1e-9)
        assert 0.5 - 1e-9 <= (a.area / b.area) ** 0.5 <= 2 + 1e-9


@settings(deadline=None)
@given(st.permutations(range(6)), st.floats(-15, 15), st.floats(-15, 15))
def test_faces_that_moved_a_little_are_found_again_in_any_order(order: list[int], dx: float, dy: float) -> None:
    expected = [Box(100 * i, 40, 50, 60) for i in range(6)]
    found = [Box(100 * i + dx, 40 + dy, 52, 58) for i in order]
    assert sorted(match_boxes(expected, [1.0] * 6, found)) == [(i, order.index(i)) for i in range(6)]


costs = st.one_of(st.floats(-10, 10), st.integers(0, 3).map(float))  # small whole numbers: many sums are equal


@settings(deadline=None)
@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=costs))
def test_assignment_is_scipys_pair_by_pair(cost: np.ndarray) -> None:
    rows, columns = linear_sum_assignment(cost)
    assert assign(cost) == list(zip(rows.tolist(), columns.tolist(), strict=True))


def test_as_many_as_possible_are_matched_even_if_a_nearer_pair_is_broken_up() -> None:
    expected = [Box(0, 0, 10, 10), Box(8, 0, 10, 10)]
    found = [Box(7, 0, 10, 10), Box(-9, 0, 10, 10)]
    assert match_boxes(expected, [1.0, 0.5], found) == [(0, 1), (1, 0)]


def test_looks_decide_between_faces_at_one_place() -> None:
    here = [Box(0, 0, 50, 50), Box(4, 0, 50, 50)]
    assert match_boxes(here, [1, 1], here) == [(0, 0), (1, 1)]
    assert match_boxes(here, [1, 1], here, np.array([[1.0, 0.0], [0.0, 1.0]])) == [(0, 1), (1, 0)]


def test_a_pair_that_may_not_be_is_not_made() -> None:
    here = [Box(0, 0, 50, 50)]
    assert match_boxes(here, [1], here, np.array([[np.inf]])) == []
    assert match_boxes(here, [1], [Box(0, 0, 150, 150)]) == []


def test_gaps_are_told_in_face_sides() -> None:
    assert gaps_to_others([Box(0, 0, 10, 10)]) == [float("inf")]
    assert gaps_to_others([Box(0, 0, 10, 10), Box(20, 0, 30, 30), Box(500, 0, 10, 10)])[0] == np.hypot(30, 10) / 20
