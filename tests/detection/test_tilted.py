"""Faces that lean to a side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from knownface import FaceRecognizer
from knownface.detection import straightened
from knownface.media import read_image
from knownface.research.alterations import rotate
from knownface.types import Box, Face, Image

UPRIGHT = np.array([(40, 40), (60, 40), (50, 50), (42, 60), (58, 60)], np.float32)


def never(image: Image) -> list[Face]:
    raise AssertionError(f"nobody should look at {image.shape}")


@pytest.mark.parametrize("landmarks", [UPRIGHT, np.full((5, 2), np.nan, np.float32)])
def test_a_face_that_stands_upright_is_not_looked_at_again(landmarks: Image) -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    face = Face(Box(30, 30, 40, 50), landmarks, 0.95)
    found = straightened(image, face, never, sure=0.9, doubtful=False)
    assert (found.view is image, found.face, found.shown) == (True, face, face)


def test_a_face_is_left_as_it_is_where_no_turn_shows_it_better() -> None:
    looks = []

    def find(image: Image) -> list[Face]:
        looks.append(image.shape)
        return [Face(Box(50, 50, 44, 44), UPRIGHT, 0.7)]

    image = np.zeros((100, 100, 3), np.uint8)
    face = Face(Box(30, 30, 40, 50), UPRIGHT, 0.7)
    assert straightened(image, face, find, sure=0.9, doubtful=True).view is image
    assert len(looks) == 9


@pytest.fixture(scope="module")
def recognizer(face_data: Path, model_folder: Path) -> Iterator[FaceRecognizer]:
    with FaceRecognizer.open(":memory:", embedder="sface-int8bq", detector="yunet") as opened:
        for person in PEOPLE:
            opened.add_known_face(person, read_image(face_data / "london" / "people" / person / "neutral.jpg"))
        yield opened


PEOPLE = ["L001", "L002", "L003"]


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [45, -60, 130])
def test_people_are_named_however_they_lean(recognizer: FaceRecognizer, face_data: Path, degrees: float) -> None:
    for person in PEOPLE:
        image = read_image(face_data / "london" / "people" / person / "smile.jpg")
        [upright] = recognizer.identify(image)
        [leaning] = recognizer.identify(rotate(image, upright.face, degrees))
        assert leaning.name == upright.name == person
        # where it is shown, its landmarks lie on the face as it leans
        centre = np.array(upright.face.box.center)
        turn = np.radians(-degrees)
        back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        expected = (upright.face.landmarks - centre) @ back.T + centre
        assert np.abs(leaning.face.landmarks - expected).max() < 0.15 * upright.face.box.width
