from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.embedding.crops import ARCFACE_TEMPLATE, align_five_points, similarity_transform, square_crop
from knownface.errors import FaceError
from knownface.types import Box

coordinate = st.floats(-200, 200, width=32)


def _ramp(height: int, width: int) -> np.ndarray:
    """A picture whose pixels tell where they come from."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.full_like(x, 7)], axis=2).astype(np.uint8)


def test_square_crop_inside() -> None:
    crop = square_crop(_ramp(200, 200), Box(80, 90, 40, 20), factor=1.5)
    assert crop.shape == (60, 60, 3)
    assert crop[0, 0].tolist() == [70, 70, 7]
    assert crop[-1, -1].tolist() == [129, 129, 7]


def test_square_crop_repeats_the_border() -> None:
    crop = square_crop(_ramp(100, 100), Box(-10, 80, 40, 40), factor=2)
    assert crop.shape == (80, 80, 3)
    assert crop[0, :, 0].tolist() == [0] * 30 + list(range(50))
    assert crop[:, 0, 1].tolist() == list(range(60, 100)) + [99] * 40


def test_square_crop_is_a_copy() -> None:
    image = _ramp(100, 100)
    square_crop(image, Box(20, 20, 40, 40))[:] = 0
    assert image.any()


@given(
    x=st.floats(-80, 80),
    y=st.floats(-80, 80),
    width=st.floats(1, 150),
    height=st.floats(1, 150),
    factor=st.floats(0.5, 4),
)
def test_square_crop_is_square_and_keeps_the_middle(
    x: float, y: float, width: float, height: float, factor: float
) -> None:
    image = _ramp(60, 90)
    box = Box(x, y, width, height)
    try:
        crop = square_crop(image, box, factor)
    except FaceError:
        return
    side = max(1, round(factor * max(width, height)))
    assert crop.shape == (side, side, 3)
    assert crop.dtype == np.uint8
    column, row = (round(c - side / 2) + side // 2 for c in box.center)
    if 0 <= column < 90 and 0 <= row < 60:
        assert crop[side // 2, side // 2].tolist() == [column, row, 7]


def test_square_crop_outside_is_refused() -> None:
    with pytest.raises(FaceError, match="outside its picture of 50x40"):
        square_crop(_ramp(40, 50), Box(300, 300, 10, 10))


@given(
    points=st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=5),
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.2, 5),
    shift=st.tuples(coordinate, coordinate),
)
def test_a_similarity_is_found_again(
    points: list[tuple[float, float]], angle: float, scale: float, shift: tuple[float, float]
) -> None:
    source = np.array(points, dtype=np.float64)
    if np.ptp(source, axis=0).max() < 1:
        return
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = source @ turn.T + shift
    matrix = similarity_transform(source, target)
    np.testing.assert_allclose(matrix[:, :2], turn, atol=1e-6)
    np.testing.assert_allclose(source @ matrix[:, :2].T + matrix[:, 2], target, atol=1e-4)


def test_least_squares_against_another_solver() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(5, 2)) * 30, rng.normal(size=(5, 2)) * 30
    # The same problem as a linear one in (a, b, tx, ty): x' = a x - b y + tx, y' = b x + a y + ty.
    x, y = source.T
    one, nil = np.ones(5), np.zeros(5)
    system = np.concatenate([np.stack([x, -y, one, nil], axis=1), np.stack([y, x, nil, one], axis=1)])
    a, b, tx, ty = np.linalg.lstsq(system, np.concatenate([target[:, 0], target[:, 1]]), rcond=None)[0]
    np.testing.assert_allclose(similarity_transform(source, target), [[a, -b, tx], [b, a, ty]], atol=1e-9)


@pytest.mark.parametrize("size", [112, 160])
def test_points_land_on_the_template(size: int) -> None:
    image = np.zeros((300, 300, 3), dtype=np.uint8)
    turn = np.array([[0.9, -0.5], [0.5, 0.9]]) * 1.7
    landmarks = (ARCFACE_TEMPLATE @ turn.T + [80, 20]).astype(np.float32)
    for x, y in landmarks:
        cv2.circle(image, (round(float(x)), round(float(y))), 4, (255, 255, 255), -1)
    crop = align_five_points(image, landmarks, size)
    assert crop.shape == (size, size, 3)
    for x, y in ARCFACE_TEMPLATE * size / 112:
        assert crop[round(y), round(x)].min() > 150


# The template of 112 x 96 pixels that SphereFace, CosFace and the first ArcFace were trained with.
NARROW = np.array([(30.2946, 51.6963), (65.5318, 51.5014), (48.0252, 71.7366), (33.5493, 92.3655), (62.7299, 92.2041)])


def test_a_narrow_aligned_crop_has_the_points_of_the_narrow_template() -> None:
    picture = np.zeros((112, 96, 3), dtype=np.uint8)
    picture[...] = np.random.default_rng(0).integers(0, 255, picture.shape)
    np.testing.assert_array_equal(align_five_points(picture, NARROW.astype(np.float32), 112, 96)[1:-1, 1:-1],
                                  picture[1:-1, 1:-1])  # fmt: skip


@pytest.mark.parametrize(("height", "width"), [(112, 96), (96, 112), (224, 160)])
def test_an_aligned_crop_that_is_not_square_is_the_middle_of_the_square_one(height: int, width: int) -> None:
    image = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    landmarks = (ARCFACE_TEMPLATE * 1.7 + 40).astype(np.float32)
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = align_five_points(image, landmarks, side)
    middle = square[top : top + height, left : left + width].astype(int)
    np.testing.assert_allclose(align_five_points(image, landmarks, height, width), middle, atol=1)  # OpenCV rounds


def test_unknown_points_are_left_out() -> None:
    image = _ramp(200, 200)
    whole = (ARCFACE_TEMPLATE + 30).astype(np.float32)
    partly = whole.copy()
    partly[2:] = np.nan
    np.testing.assert_array_equal(align_five_points(image, partly), align_five_points(image, whole))


@pytest.mark.parametrize("known", [0, 1])
def test_too_few_points_are_refused(known: int) -> None:
    landmarks = np.full((5, 2), np.nan, dtype=np.float32)
    landmarks[:known] = 10
    with pytest.raises(FaceError, match="no landmarks"):
        align_five_points(_ramp(50, 50), landmarks)


def test_five_equal_points_are_refused() -> None:
    with pytest.raises(FaceError, match="no landmarks"):
        align_five_points(_ramp(50, 50), np.full((5, 2), 3, dtype=np.float32))
