"""A stream is turned once, when pictures agree, and not by one of them."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.detection import FunctionDetector
from knownface.live.turning import PAUSE, StreamTurn, degrees_of
from knownface.types import Box, Face, Image


def picture(turns: int, score: int = 240) -> Image:
    """A face as the detector below sees one: a bright spot, at the top left where it stands upright."""
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[:16, :16] = score
    return np.ascontiguousarray(np.rot90(image, turns))


def corner(image: Image) -> list[Face]:
    score = float(image[8, 8, 0]) / 255
    return [Face.without_landmarks(Box(0, 0, 16, 16), score)] if score > 0.1 else []


@pytest.fixture
def detector() -> FunctionDetector:
    return FunctionDetector(corner, name="corner")


@pytest.mark.parametrize(("turns", "degrees"), [(0, 0), (1, 90), (2, 180), (3, 270)])
def test_a_file_is_turned_by_what_its_pictures_say(detector: FunctionDetector, turns: int, degrees: int) -> None:
    blank = np.zeros((64, 64, 3), dtype=np.uint8)
    assert degrees_of([blank, picture(turns), blank, picture(turns)], detector) == degrees
    assert degrees_of([blank] * 50, detector) == 0


def test_pictures_that_contradict_each_other_turn_nothing(detector: FunctionDetector) -> None:
    turn = StreamTurn(detector)
    for number, turns in enumerate((1, 3, 1, 2)):
        turn.upright(picture(turns), number * PAUSE)
    assert (turn.degrees, turn.is_decided) == (0, False)
    turn.upright(picture(2), 3.1 * PAUSE)  # too soon to be looked at
    assert not turn.is_decided
    assert np.array_equal(turn.upright(picture(2), 9), picture(0))
    assert turn.upright(picture(0), 10)[8, 8, 0] == 0  # decided once


def test_a_face_that_stands_upright_is_enough(detector: FunctionDetector) -> None:
    turn = StreamTurn(detector)
    turn.upright(picture(0), 0)
    assert (turn.degrees, turn.is_decided) == (0, True)


def test_two_pictures_that_seem_to_stand_upright_are_enough(detector: FunctionDetector) -> None:
    detector.sure_score = 0.95  # type: ignore[attr-defined]
    turn = StreamTurn(detector)
    for number, (turns, score) in enumerate([(0, 200), (0, 230), (1, 230), (0, 230)]):
        turn.upright(picture(turns, score), number * PAUSE)
        assert not turn.is_decided
    turn.upright(picture(0, 230), 9)
    assert (turn.degrees, turn.is_decided) == (0, True)
