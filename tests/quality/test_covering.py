from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knownface import FaceRecognizer
from knownface.media import read_image
from knownface.quality import covered_part
from knownface.research.alterations import blur, cover_below, cover_eyes, low_light
from knownface.types import Box, Face


@pytest.mark.slow
def test_a_covered_mouth_and_covered_eyes_are_told_of_bare_faces(face_data: Path, model_folder: Path) -> None:
    with FaceRecognizer.open(":memory:", embedder="sface-int8bq", detector="yunet") as recognizer:
        detector = recognizer.detector
    bare, mouth, eyes = [], [], []
    for person in range(1, 13):
        image = read_image(face_data / "london" / "people" / f"L{person:03}" / "smile.jpg")
        [face, *_] = detector.detect(image)
        bare += [covered_part(image, face), covered_part(low_light(image, face, 0.25), face)]
        bare.append(covered_part(blur(image, face, 2.0), face))
        mouth.append(covered_part(cover_below(image, face, 0.4), face))
        eyes.append(covered_part(cover_eyes(image, face), face))
    assert set(bare) == {None}
    assert set(mouth) == {"mouth"}
    assert eyes.count("eyes") >= 6
    assert "mouth" not in eyes


def test_nothing_is_told_of_small_faces_and_without_landmarks() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    points = np.array([(70, 80), (120, 80), (95, 105), (75, 130), (115, 130)], np.float32)
    face = Face(Box(50, 50, 90, 110), points, 0.9)
    assert covered_part(image, face) is None
    assert covered_part(image, replace(face, box=Box(50, 50, 30, 110))) is None
    assert covered_part(image, replace(face, landmarks=np.full((5, 2), np.nan, np.float32))) is None
