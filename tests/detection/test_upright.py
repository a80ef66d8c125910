"""Pictures that lie on their side or stand on their head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface import FaceRecognizer
from knownface.detection import FunctionDetector, as_shown, quarter_turns, turned
from knownface.media import read_image, write_image
from knownface.types import Box, Face, Image

POINTS = np.array([[0.3, 0.3], [0.7, 0.3], [0.5, 0.5], [0.35, 0.8], [0.65, 0.8]])


def marked(image: Image) -> list[Face]:
    """A detector that finds white rectangles wherever they are, as upright faces; the score is the redness below."""
    rows, columns = np.nonzero((image == 255).all(axis=2))
    if not len(rows):
        return []
    box = Box(float(columns.min()), float(rows.min()), float(np.ptp(columns) + 1), float(np.ptp(rows) + 1))
    points = POINTS * [box.width, box.height] + [box.x, box.y]
    return [Face(box, points.astype(np.float32), float(image[-1, 0, 0]) / 255)]


@given(st.integers(0, 3), st.integers(2, 20), st.integers(2, 20), st.integers(0, 10), st.integers(0, 10))
def test_a_face_is_given_where_it_is_shown(turns: int, width: int, height: int, x: int, y: int) -> None:
    image = np.zeros((40, 50, 3), np.uint8)
    image[y : y + height, x : x + width] = 255
    [shown] = marked(image)
    [found] = marked(turned(image, turns))
    back = as_shown(found, turns, 50, 40)
    assert back.box == shown.box
    again = as_shown(back, -turns % 4, *turned(image, turns).shape[1::-1])
    np.testing.assert_allclose(again.landmarks, found.landmarks, atol=1e-4)


@pytest.mark.parametrize(
    ("scores", "sure", "turns"),
    [
        ([0.95, 0.99, 0.99, 0.99], 0.92, 0),
        ([0.7, 0.71, 0.9, 0.72], 0.92, 2),
        ([0.85, 0.7, 0.6, 0.84], 0.92, 0),
        ([0.0, 0.75, 0.0, 0.0], 0.92, 0),
        ([0.7, 0.71, 0.9, 0.72], None, 0),
    ],
)
def test_the_view_of_the_best_score_counts(scores: list[float], sure: float | None, turns: int) -> None:
    image = np.zeros((40, 50, 3), np.uint8)
    image[10:20, 10:20] = 255
    # In a picture turned by n quarters, its lower left corner is another one of these.
    for corner, score in zip([(39, 0), (0, 0), (0, 49), (39, 49)], scores, strict=True):
        image[corner] = (round(255 * score), 0, 0)
    detector = FunctionDetector(marked, gives_landmarks=True)
    if sure is not None:
        detector.sure_score = sure  # type: ignore[attr-defined]
    assert quarter_turns(image, marked(image), detector, marked) == turns


def test_landmarks_that_tell_of_a_face_on_its_head_are_believed() -> None:
    image = np.zeros((40, 50, 3), np.uint8)
    image[10:20, 10:20] = 255

    def honest(image: Image) -> list[Face]:
        return [as_shown(face, 2, 50, 40) if image.shape[0] == 40 else face for face in marked(image)]

    assert quarter_turns(image, honest(image), FunctionDetector(honest, gives_landmarks=True), honest) in {1, 3}


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_is_enrolled_and_named(alone: Path, astronaut: Image, turns: int) -> None:
    write_image(alone / "p" / "Eileen" / "turned.png", turned(astronaut, turns))
    with FaceRecognizer.open(embedder="dlib-resnet", detector="dlib-hog") as recognizer:
        assert recognizer.load_known_faces(alone / "p").templates == 1
        [upright] = [face for face in recognizer.identify(astronaut) if face.name]
        [shown] = [face for face in recognizer.identify(turned(astronaut, turns)) if face.name]
        assert upright.distance < 0.05
        back = as_shown(upright.face, -turns % 4, 512, 512)
        assert shown.box.center == pytest.approx(back.box.center, abs=8)


@pytest.mark.slow
def test_public_cases_stand_upright(face_data: Path, model_folder: Path) -> None:
    cases = face_data.parent / "cases"
    if not cases.is_dir():
        pytest.skip("the folder of cases is not there")
    with FaceRecognizer.open(":memory:", embedder="mobilefacenet", models=model_folder) as recognizer:
        recognizer.load_known_faces(face_data / "portraits")
        upright = recognizer.identify(read_image(cases / "no_eoi.jpg", 10**8))[0].name
        named = [
            recognizer.identify(cases / f"rotated_{name}.jpg")[0].name for name in ("090", "180", "180_other_person")
        ]
    assert upright is not None
    assert named == [upright, upright, None]
