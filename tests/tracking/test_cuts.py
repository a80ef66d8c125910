from __future__ import annotations

import numpy as np
import pytest
from tracking_world import HEIGHT, WIDTH, draw, scene

from knownface.tracking.cuts import CutDetector
from knownface.types import Box, Image


def cuts(images: list[Image]) -> list[int]:
    watch = CutDetector()
    return [i for i, image in enumerate(images) if watch.cut(image)]


def test_a_cut_is_noticed_once() -> None:
    assert cuts([scene(0)] * 5 + [scene(1)] * 5 + [scene(2)] * 5) == [5, 10]


def test_light_noise_and_moving_faces_are_no_cut() -> None:
    random = np.random.default_rng(0)
    images = []
    for i in range(40):
        image = scene(0)
        draw(image, "Ada", Box(8 * i - 60, 40, 120, 150))
        bright = image.astype(np.float32) * (0.2 if 10 <= i < 20 else 1.0) + 40 * (i == 30)
        images.append(np.clip(bright + random.normal(0, 15, image.shape), 0, 255).astype(np.uint8))
    assert cuts(images) == []


def test_a_camera_that_pans_is_no_cut() -> None:
    wide = np.concatenate([scene(0), scene(1), scene(2)], axis=1)
    assert cuts([np.ascontiguousarray(wide[:, x : x + WIDTH]) for x in range(0, 2 * WIDTH, 8)]) == []


def test_noise_without_content_is_no_cut() -> None:
    random = np.random.default_rng(0)
    assert cuts([random.integers(0, 3, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(30)]) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (9, 16), (1080, 1920)])
def test_pictures_of_any_size(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    assert cuts([random.integers(0, 256, (*shape, 3), dtype=np.uint8)] * 3) == []


def test_after_a_gap_nothing_is_a_cut() -> None:
    watch = CutDetector()
    watch.cut(scene(0))
    watch.forget()
    assert not watch.cut(scene(1))
