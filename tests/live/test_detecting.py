from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.live.detecting import DetectionPace, detect_at, detection_side, with_detection_due
from knownface.types import Box, Face, Frame, Image


@dataclass
class OneInTheMiddle:
    """Finds a face over the middle half of whatever it is given, and notes what that was."""

    name: str = "middle"
    gives_landmarks: bool = True
    given: list[tuple[int, ...]] = field(default_factory=list)

    def detect(self, image: Image) -> list[Face]:
        height, width = image.shape[:2]
        self.given.append(image.shape)
        points = np.array([[width * f, height * f] for f in (0.3, 0.4, 0.5, 0.6, 0.7)], np.float32)
        return [Face(Box(width / 4, height / 4, width / 2, height / 2), points, 0.9)]


@settings(deadline=None)
@given(width=st.integers(1, 1200), height=st.integers(1, 900), side=st.integers(64, 600))
def test_faces_are_told_in_pixels_of_the_frame_whatever_the_detector_saw(width: int, height: int, side: int) -> None:
    detector = OneInTheMiddle()
    [face] = detect_at(detector, np.zeros((height, width, 3), np.uint8), side)
    assert max(detector.given[0]) <= max(side, 3)
    assert face.box.as_list() == pytest.approx([width / 4, height / 4, width / 2, height / 2], abs=0.11)
    assert face.landmarks[:, 0] == pytest.approx(width * np.array([0.3, 0.4, 0.5, 0.6, 0.7]), rel=1e-3, abs=1e-2)


def test_a_small_frame_is_not_enlarged() -> None:
    detector = OneInTheMiddle()
    detect_at(detector, np.zeros((120, 160, 3), np.uint8), 640)
    assert detector.given == [(120, 160, 3)]


@pytest.mark.parametrize(
    ("size", "side"),
    [((320, 240), 480), ((640, 360), 480), ((1080, 1920), 640), ((1100, 720), 550), ((3840, 2160), 640)],
)
def test_the_usual_size(size: tuple[int, int], side: int) -> None:
    assert detection_side(*size) == side


@pytest.mark.parametrize(
    ("fps", "looks"), [(30, 10), (29.97, 10), (25, 10), (12, 10), (60, 10), (10, 10), (4, 4), (1, 1)]
)
def test_ten_detections_for_each_second_of_a_file(fps: float, looks: int) -> None:
    frames = [Frame(np.zeros((1, 1, 3), np.uint8), n / fps) for n in range(round(20 * fps))]
    due = [is_due for _, is_due in with_detection_due(frames, None)]
    assert due[0]
    assert sum(due) == pytest.approx(20 * looks, abs=2)
    times = [frame.time for frame, is_due in with_detection_due(frames, None) if is_due]
    assert max(b - a for a, b in itertools.pairwise(times)) <= 0.1 + 1 / fps
    assert [due for _, due in with_detection_due(frames, 4)][:6] == [True, False, False, False, True, False][
        : len(frames)
    ]


def detected(pace: DetectionPace, frames: int, look: float, rest: float, interval: float) -> list[bool]:
    """On which frames the detector runs when detection costs so much more than the rest."""
    due = []
    for number in range(frames):
        due.append(pace.due(number * interval))
        pace.note(detected=due[-1], cost=rest + look * due[-1], interval=interval)
    return due


def test_a_fixed_rate_stays() -> None:
    assert detected(DetectionPace(3), 9, 10, 10, 0.001) == [False, False, True] * 3


def test_every_frame_is_looked_at_where_there_is_time_and_every_other_one_where_many_come() -> None:
    assert all(detected(DetectionPace(None), 100, look=0.01, rest=0.005, interval=1 / 15))
    assert detected(DetectionPace(None), 6, look=0.01, rest=0.005, interval=1 / 30) == [True, False] * 3


def test_a_slow_detector_looks_less_often_so_that_frames_keep_up() -> None:
    pace = DetectionPace(None)
    due = detected(pace, 400, look=0.1, rest=0.005, interval=1 / 30)[200:]
    assert sum(due) * 0.1 + len(due) * 0.005 <= len(due) / 30
    assert sum(due) >= len(due) / 8 - 1


@pytest.mark.parametrize("interval", [0.001, 1 / 30, 0.2, 1.0])
def test_a_face_is_found_within_a_quarter_of_a_second_even_where_there_is_no_time_at_all(interval: float) -> None:
    due = detected(DetectionPace(None), round(10 / interval), look=1, rest=1, interval=interval)
    times = [number * interval for number, look in enumerate(due) if look]
    assert max(b - a for a, b in itertools.pairwise(times)) <= 0.25 + interval
