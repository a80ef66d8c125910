"""Faces of real photos, and the hand-written networks of tests/models."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from knownface.types import Box, Face, Image

sys.path.append(str(Path(__file__).parents[1] / "models"))


class Photos:
    """Photos of LFW by person, each with the face that YuNet finds nearest to the middle."""

    def __init__(self, data: Path, models: Path) -> None:
        self._folder = data / "lfw62"
        self._detector = cv2.FaceDetectorYN.create(str(models / "yunet_n_640_640.onnx"), "", (250, 250), 0.6, 0.3)

    def of(self, people: int, each: int) -> list[tuple[str, Image, Face]]:
        """``each`` photos of the first ``people`` people in name order."""
        found = []
        for person in sorted(self._folder.iterdir())[:people]:
            for path in sorted(person.glob("*.jpg"))[:each]:
                image = np.asarray(PIL.Image.open(path).convert("RGB"))
                found.append((person.name, image, self._face(image)))
        return found

    def _face(self, image: Image) -> Face:
        height, width = image.shape[:2]
        self._detector.setInputSize((width, height))
        rows = self._detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
        middle = np.array([width / 2, height / 2])
        row = min(rows, key=lambda r: float(np.linalg.norm(r[:2] + r[2:4] / 2 - middle)))
        return Face(Box(*row[:4].tolist()), row[4:14].reshape(5, 2).copy(), float(row[14]))


@pytest.fixture(scope="session")
def photos(face_data: Path, model_folder: Path) -> Photos:
    return Photos(face_data, model_folder)
