from __future__ import annotations

import logging

import numpy as np
import pytest

from knownface.media.doubts import Doubt, Doubts
from knownface.types import Image


def moving(seed: int, count: int) -> list[Image]:
    return list(np.random.default_rng(seed).integers(0, 255, (count, 48, 64, 3), np.uint8))


def noisy(level: int, count: int) -> list[Image]:
    random = np.random.default_rng(2)
    return [np.clip(random.normal(level, 6, (96, 128, 3)), 0, 255).astype(np.uint8) for _ in range(count)]


def show(doubts: Doubts, pictures: list[Image], fps: float = 5) -> list[str | None]:
    now = []
    for number, image in enumerate(pictures):
        doubts.look(image, number / fps)
        now.append(doubts.now)
    doubts.end()
    return now


@pytest.mark.parametrize(("still", "warned"), [(9.0, False), (10.0, True), (60.0, True)])
def test_a_picture_that_stands_still_for_ten_seconds_is_doubted_once(
    caplog: pytest.LogCaptureFixture, still: float, warned: bool
) -> None:
    doubts, [one] = Doubts("door.mp4"), moving(1, 1)
    stretch = [one] * (round(still * 5) + 1)
    now = show(doubts, [*moving(0, 10), *stretch, *moving(0, 10), *stretch])
    assert len(caplog.records) == warned
    assert ("door.mp4 does not change from 2.0 to 12.0 seconds: either nothing moves there" in caplog.text) == warned
    assert doubts.found.get("still") == (Doubt("still", 2.0, 2.0 + still) if warned else None)
    assert now[len(stretch) + 10] is None
    assert now[-1] == ("still" if warned else None)


@pytest.mark.parametrize(("level", "colour"), [(0, "black"), (16, "black"), (128, "of one colour")])
def test_one_colour_is_doubted_whatever_noise_is_in_it(
    caplog: pytest.LogCaptureFixture, level: int, colour: str
) -> None:
    doubts = Doubts("door.mp4")
    now = show(doubts, [*moving(0, 5), *noisy(level, 56), *moving(0, 5)])
    assert f"The picture of door.mp4 is {colour} from 1.2 to 11.2 seconds: either the camera is covered" in caplog.text
    assert len(caplog.records) == 1
    assert (now[55], now[60], now[-1]) == (None, "blank", None)


def test_a_dark_scene_in_which_something_is_to_be_seen_is_not_blank(caplog: pytest.LogCaptureFixture) -> None:
    scene = noisy(3, 60)
    for number, image in enumerate(scene):
        image[20:50, 20 + number : 60 + number] = 30
    assert set(show(Doubts("night.mp4"), scene)) == {None}
    assert not caplog.records


def test_a_short_video_in_which_nothing_is_ever_seen_is_doubted_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    show(Doubts("black.mp4"), [np.zeros((48, 64, 3), np.uint8)] * 50, 25)
    show(Doubts("still.mp4"), moving(0, 1) * 50, 25)
    assert "black.mp4 is black from 0.0 to 2.0 seconds" in caplog.text
    assert "still.mp4 does not change from 0.0 to 2.0 seconds" in caplog.text
    assert len(caplog.records) == 2


def test_what_is_read_again_is_not_said_again(caplog: pytest.LogCaptureFixture) -> None:
    doubts = Doubts("door.mp4")
    for _ in range(2):
        doubts.begin()
        show(doubts, noisy(0, 60))
        doubts.warn("It ends early.")
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
