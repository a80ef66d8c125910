"""Quality measurements on pictures made to have, or lack, one quality at a time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from knownface.quality import QualityLimits, measure_quality, shortcomings
from knownface.types import Box, Face, Image

LANDMARKS = np.array([[100, 110], [140, 110], [120, 130], [105, 155], [135, 155]], dtype=np.float32)
BOX = Box(80, 80, 80, 100)


def face(box: Box = BOX, landmarks: np.ndarray = LANDMARKS) -> Face:
    return Face(box, landmarks.astype(np.float32), 0.9)


@pytest.fixture
def picture() -> Image:
    """Texture with structure at every scale, as a real picture has."""
    rng = np.random.default_rng(7)
    layers = [cv2.resize(rng.normal(0, 1, (240 // s, 240 // s)), (240, 240)) * s**0.7 for s in (1, 2, 4, 8, 20, 60)]
    grey = np.clip(127 + 9 * sum(layers), 0, 255).astype(np.uint8)  # type: ignore[call-overload]
    return np.dstack([grey] * 3)


def codes(image: Image, found: Face) -> list[str]:
    return [fault.code for fault in shortcomings(measure_quality(image, found), QualityLimits())]


def test_a_good_face_has_no_shortcoming(picture: Image) -> None:
    assert codes(picture, face()) == []


def test_size_is_the_shorter_side(picture: Image) -> None:
    assert measure_quality(picture, face()).size == 80
    assert codes(picture, face(Box(100, 100, 20, 40))) == ["too-small"]


def test_blur_lowers_sharpness_step_by_step(picture: Image) -> None:
    sharpness = [
        measure_quality(cv2.GaussianBlur(picture, (0, 0), s) if s else picture, face()).sharpness for s in (0, 1, 2, 4)
    ]
    assert sharpness == sorted(sharpness, reverse=True)
    assert codes(cv2.GaussianBlur(picture, (0, 0), 6), face()) == ["too-blurred"]


def test_sharpness_does_not_depend_on_contrast(picture: Image) -> None:
    flat = (127 + (picture.astype(np.float32) - 127) * 0.5).astype(np.uint8)
    assert measure_quality(flat, face()).sharpness == pytest.approx(measure_quality(picture, face()).sharpness, rel=0.1)


def test_light(picture: Image) -> None:
    assert "too-dark" in codes((picture * 0.05).astype(np.uint8), face())
    assert "too-bright" in codes(np.full_like(picture, 254), face())
    assert codes(np.full_like(picture, 127), face()) == ["no-contrast", "too-blurred"]


def test_cut_off_is_the_share_outside(picture: Image) -> None:
    assert measure_quality(picture, face(Box(-40, 80, 80, 100))).cut_off == pytest.approx(0.5)
    assert "cut-off" in codes(picture, face(Box(200, 80, 100, 100)))


def test_turn_is_measured_from_the_nose(picture: Image) -> None:
    assert measure_quality(picture, face()).turn == pytest.approx(0.0)
    turned = LANDMARKS.copy()
    turned[2, 0] = 140
    assert measure_quality(picture, face(landmarks=turned)).turn == pytest.approx(0.5)
    assert (
        measure_quality(picture, face(landmarks=np.full((5, 2), np.nan))).turn != measure_quality(picture, face()).turn
    )
    same_eyes = LANDMARKS.copy()
    same_eyes[1] = same_eyes[0]
    assert measure_quality(picture, face(landmarks=same_eyes)).turn == 1.0


def test_a_profile_is_turned_away_and_an_unknown_turn_is_not(picture: Image) -> None:
    profile = LANDMARKS.copy()
    profile[2, 0] = 150
    assert codes(picture, face(landmarks=profile)) == ["turned-away"]
    assert codes(picture, face(landmarks=np.full((5, 2), np.nan))) == []


def test_a_better_picture_scores_higher(picture: Image) -> None:
    good = measure_quality(picture, face()).score
    assert 0 < measure_quality(cv2.GaussianBlur(picture, (0, 0), 3), face()).score < good <= 1
    assert measure_quality((picture * 0.1).astype(np.uint8), face()).score < good
    assert measure_quality(picture, face(Box(100, 100, 30, 30))).score < good


@pytest.mark.parametrize("box", [Box(-500, -500, 20, 20), Box(1000, 1000, 5, 5), Box(10, 10, 0, 0)])
def test_a_box_outside_or_empty_is_poor_not_an_error(picture: Image, box: Box) -> None:
    assert codes(picture, face(box))
    assert measure_quality(picture, face(box)).score == pytest.approx(0.0, abs=0.2)
