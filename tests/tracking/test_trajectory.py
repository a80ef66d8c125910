from __future__ import annotations

import pytest

from knownface.tracking.trajectory import Looks, Trajectory
from knownface.types import Box


def walked(*times: float, opens: float | None = None) -> Trajectory:
    """A face of 10 by 20 pixels that moves 100 pixels a second to the right."""
    trajectory = Trajectory(times[0] if opens is None else opens)
    for time in times:
        trajectory.detect(time, Box(100 * time, 5, 10, 20))
    return trajectory


def test_between_detections_and_a_little_beyond_the_box_moves_on_a_straight_line() -> None:
    trajectory = walked(0.2, 0.4, 0.6, opens=0.1)
    trajectory.close(0.7)
    for time in (0.1, 0.2, 0.35, 0.6, 0.7):
        box = trajectory.box_at(time, gap=1.0)
        assert box is not None
        assert (box.x, box.y, box.width, box.height) == pytest.approx((100 * time, 5, 10, 20))
    assert trajectory.box_at(0.05, gap=1.0) is None
    assert trajectory.box_at(0.75, gap=1.0) is None
    assert [trajectory.detected_at(time) for time in (0.1, 0.2, 0.35, 0.6)] == [False, True, False, True]


def test_in_a_long_gap_it_is_not_shown() -> None:
    trajectory = walked(0.0, 0.2, 3.0)
    assert trajectory.box_at(1.0, gap=1.0) is None
    assert trajectory.box_at(0.1, gap=1.0) is not None
    assert trajectory.box_at(3.0, gap=1.0) is not None


def test_one_detection_stays_where_it_is() -> None:
    trajectory = walked(0.2, opens=0.1)
    trajectory.close(0.3)
    assert trajectory.box_at(0.1, 1.0) == trajectory.box_at(0.3, 1.0) == Box(20, 5, 10, 20)


def test_what_was_split_off_goes_on_by_itself_and_what_comes_back_joins() -> None:
    trajectory = walked(0.0, 0.2, 0.4, 0.6)
    other = trajectory.split(0.3)
    assert (list(trajectory.times), trajectory.closes) == ([0.0, 0.2], 0.2)
    assert (list(other.times), other.opens) == ([0.4, 0.6], 0.3)
    trajectory.resume(walked(0.8, 1.0))
    assert list(trajectory.times) == [0.0, 0.2, 0.8, 1.0]
    assert len(trajectory.boxes) == 4 * len(trajectory.times)


def test_a_face_comes_and_goes_halfway_between_two_looks_and_with_a_cut() -> None:
    looks = Looks()
    for time in (0.0, 0.1):
        looks.frame(time)
    assert looks.opens() == 0.0  # nobody looked before: it was there when the shot began
    looks.look()
    for time in (0.2, 0.3, 0.4, 0.5):
        looks.frame(time)
    assert looks.opens() == 0.3
    assert looks.closes(seen=0.1) == 0.2
    looks.look()
    looks.frame(0.6)
    assert looks.newest == 0.6
    looks.cut()
    looks.frame(0.7)
    looks.frame(0.8)
    assert looks.opens() == 0.7
