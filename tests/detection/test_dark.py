"""Dark pictures, raised for a second look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from knownface import FaceRecognizer
from knownface.detection import dark
from knownface.detection.dark import raised
from knownface.errors import FaceError
from knownface.media import read_image
from knownface.research.alterations import low_light
from knownface.types import Image

PEOPLE = ["L001", "L002"]


def noise(shape: tuple[int, ...], light: float) -> Image:
    return np.clip(np.random.default_rng(1).normal(light, 3.0, shape), 0, 255).astype(np.uint8)


def test_what_is_bright_enough_is_left_alone() -> None:
    picture = noise((80, 60, 3), 90.0)
    picture[:3] = 0  # a dark edge is no dark part
    assert raised(picture) is None


def test_only_the_dark_part_is_raised_and_its_noise_is_not() -> None:
    picture = noise((200, 300, 3), 200.0)
    picture[:, :150] = noise((200, 150, 3), 8.0)
    bright = raised(picture)
    assert bright is not None
    assert picture[:, :75].mean() < 10
    assert 80 < bright[:, :75].mean() < 140
    assert bright[:, :40].std() < 10
    assert abs(bright[:, 225:].mean() - 200) < 5


def test_bands_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = noise((50, 30, 3), 8.0)
    whole = raised(picture)
    monkeypatch.setattr(dark, "_BAND", 7)
    bands = raised(picture)
    assert whole is not None
    assert bands is not None
    assert np.abs(whole.astype(int) - bands).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 700, 3), (300, 2, 3)])
def test_black_pictures_of_any_shape(shape: tuple[int, ...]) -> None:
    assert raised(np.zeros(shape, np.uint8)) is not None


@pytest.fixture(scope="module")
def recognizer(face_data: Path, model_folder: Path) -> Iterator[FaceRecognizer]:
    with FaceRecognizer.open(":memory:", embedder="sface-int8bq", detector="yunet") as opened:
        for person in PEOPLE:
            opened.add_known_face(person, picture_of(face_data, person, "neutral"))
        yield opened


def picture_of(face_data: Path, person: str, which: str) -> Image:
    picture = read_image(face_data / "london" / "people" / person / f"{which}.jpg")
    return np.ascontiguousarray(picture[::2, ::2])


@pytest.mark.slow
def test_people_are_named_in_a_tenth_of_the_light(recognizer: FaceRecognizer, face_data: Path) -> None:
    for person, turns in zip(PEOPLE, (0, 1), strict=True):
        image = np.ascontiguousarray(np.rot90(picture_of(face_data, person, "smile"), turns))
        [bright] = recognizer.identify(image)
        dim = low_light(image, bright.face, 0.1)
        assert not any(face.score >= 0.92 for face in recognizer.detector.detect(dim))
        [found] = recognizer.identify(dim)
        assert found.name == bright.name == person
        assert found.quality.brightness < 0.08 < bright.quality.brightness
        assert np.abs(found.face.landmarks - bright.face.landmarks).max() < 0.2 * bright.face.box.width


@pytest.mark.slow
def test_nobody_is_seen_in_noise_and_a_photo_in_the_dark_is_refused_as_dark(
    recognizer: FaceRecognizer, face_data: Path
) -> None:
    assert recognizer.identify(noise((240, 320, 3), 5.0)) == []
    image = picture_of(face_data, "L004", "neutral")
    [found] = recognizer.identify(image)
    with pytest.raises(FaceError, match="too dark"):
        recognizer.add_known_face("L004", low_light(image, found.face, 0.06))
