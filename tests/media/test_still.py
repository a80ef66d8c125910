from __future__ import annotations

import logging

import numpy as np
import pytest

from knownface.media.still import StillPicture


def pictures(seed: int, count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 255, (count, 48, 64, 3), np.uint8))


@pytest.mark.parametrize(("still", "warned"), [(9.0, False), (10.0, True), (60.0, True)])
def test_a_picture_that_stands_still_for_ten_seconds_is_doubted_once(caplog, still, warned):
    watch = StillPicture("door.mp4")
    moving, (one, *_) = pictures(0, 50), pictures(1, 1)
    shown = [*moving, *[one] * (round(still * 25) + 1), *moving, *[one] * (round(still * 25) + 1)]
    with caplog.at_level(logging.WARNING):
        for number, image in enumerate(shown):
            watch.look(image, number / 25)
        watch.end()
    assert len(caplog.records) == warned
    if warned:
        assert "door.mp4 does not change from 2.0 to 12.0 seconds" in caplog.text


def test_a_short_video_in_which_nothing_ever_changes_is_doubted_at_its_end(caplog):
    watch = StillPicture("door.mp4")
    for number in range(50):
        watch.look(np.zeros((48, 64, 3), np.uint8), number / 25)
    assert not caplog.records
    watch.end()
    assert "does not change from 0.0 to 2.0 seconds" in caplog.text
