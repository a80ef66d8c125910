from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.research.alterations import (
    AUGMENTATIONS,
    BACKGROUNDS,
    CROPS,
    DEGRADATIONS,
    Alteration,
    cover_below,
    low_resolution,
    plain_background,
    rotate,
    turn_aside,
)
from knownface.types import Box, Face, Image

EVERY = (*AUGMENTATIONS, *DEGRADATIONS, *BACKGROUNDS)


def face_at(x: float, y: float, width: float, height: float) -> Face:
    return Face(Box(x, y, width, height), np.full((5, 2), np.nan, dtype=np.float32), 1.0)


def picture(height: int = 60, width: int = 80) -> Image:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("alteration", EVERY, ids=lambda a: a.label)
def test_each_gives_a_picture_the_same_each_time_and_leaves_the_old_one(alteration: Alteration) -> None:
    image, face = picture(), face_at(20, 10, 30, 40)
    before = image.copy()
    altered = alteration.change(image, face)
    assert altered.dtype == np.uint8
    assert altered.ndim == 3
    assert altered.size
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(alteration.change(image, face), altered)


@given(st.floats(-40, 90), st.floats(-40, 70), st.floats(1, 100), st.floats(1, 100))
@settings(max_examples=15, deadline=None)
def test_faces_at_and_over_the_border_do_no_harm(x: float, y: float, width: float, height: float) -> None:
    for alteration in EVERY:
        assert alteration.change(picture(), face_at(x, y, width, height)).size


def test_keys_tell_all_apart() -> None:
    keys = [a.key for a in (*DEGRADATIONS, *BACKGROUNDS, *CROPS)]
    assert len(set(keys)) == len(keys)


def test_crops_are_squares_around_the_face() -> None:
    for crop in CROPS:
        assert crop.crop is not None
        seen = crop.crop(picture(), face_at(20, 10, 30, 40))
        assert seen.shape[0] == seen.shape[1]


def test_what_they_do() -> None:
    image, face = picture(), face_at(20, 10, 30, 40)
    covered = cover_below(image, face, 0.5)
    assert (covered[30:50, 20:50] == covered[30, 20]).all()
    np.testing.assert_array_equal(covered[:30], image[:30])
    plain = plain_background(image, face, (128, 128, 128))
    assert (plain[0, 0] == 128).all()
    np.testing.assert_array_equal(plain[30, 35], image[30, 35])
    np.testing.assert_array_equal(low_resolution(image, face, 40), image)
    assert low_resolution(image, face, 10).std() < image.std()
    np.testing.assert_array_equal(rotate(image, face, 0.0), image)
    np.testing.assert_array_equal(turn_aside(image, face, 0.0), image)
    narrow = turn_aside(image, face, 60.0)
    np.testing.assert_allclose(narrow[30, 35].astype(int), image[30, 35].astype(int), atol=40)
