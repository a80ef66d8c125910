from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.tracking.box_filter import BoxFilter
from knownface.types import Box


@given(st.floats(-300, 300), st.floats(-300, 300), st.lists(st.floats(0.02, 0.2), min_size=8, max_size=20))
def test_steady_motion_is_foreseen_at_any_rhythm(vx: float, vy: float, steps: list[float]) -> None:
    motion, time = BoxFilter(Box(100, 100, 40, 50), 0.0), 0.0
    for step in steps:
        time += step
        motion.update(Box(100 + vx * time, 100 + vy * time, 40, 50), time)
    foreseen = motion.predict(time + 0.04)
    assert foreseen.x == pytest.approx(100 + vx * (time + 0.04), abs=0.12 * abs(vx) + 1e-3)
    assert foreseen.y == pytest.approx(100 + vy * (time + 0.04), abs=0.12 * abs(vy) + 1e-3)
    assert (foreseen.width, foreseen.height) == (pytest.approx(40), pytest.approx(50))


def test_an_unseen_face_does_not_fly_away() -> None:
    motion = BoxFilter(Box(0, 0, 40, 40), 0.0)
    motion.update(Box(20, 0, 40, 40), 0.1)
    far = [motion.predict(t).x for t in (0.2, 1.0, 10.0, 100.0)]
    assert far == sorted(far)
    assert far[-1] < 20 + 200
    assert motion.predict(0.1).x == pytest.approx(20)


def test_a_box_in_the_past_or_of_no_size_is_taken() -> None:
    motion = BoxFilter(Box(5, 5, 0, 0), 1.0)
    assert motion.predict(0.0).center == (5, 5)
    motion.update(Box(5, 5, 10, 10), 1.0)
    assert motion.predict(1.0).width == pytest.approx(10)
