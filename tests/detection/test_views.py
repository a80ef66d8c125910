from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.detection import YuNetDetector
from knownface.detection.views import DETAIL_SIDE, OVERLAP, Rows, ViewPlan, search
from knownface.media import read_image
from knownface.types import Image


def _marks(view: Image) -> Rows:
    """A detector of white rectangles between 8 and 900 pixels, each of which it sees as one face."""
    count, _, boxes, _ = cv2.connectedComponentsWithStats((view[..., 0] > 128).astype(np.uint8))
    rows = np.zeros((count - 1, 15), dtype=np.float32)
    rows[:, :4] = boxes[1:, :4]
    rows[:, 4:14] = np.tile(rows[:, :2], 5)
    rows[:, 14] = 0.9
    fits = (rows[:, 2:4] >= 8).all(axis=1) & (rows[:, 2:4] <= 900).all(axis=1)
    return rows[fits]


SPOTS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.sampled_from([30, 100, 180])), max_size=8)


@settings(max_examples=40)
@given(st.integers(300, 6000), st.integers(300, 6000), SPOTS)
def test_every_face_is_found_once_wherever_the_tiles_meet(
    width: int, height: int, spots: list[tuple[int, int, int]]
) -> None:
    picture = np.zeros((height, width, 1), dtype=np.uint8)
    gap = 4 + max(width, height) // 200  # so far apart that they do not touch in the overview
    truth = []
    for across, down, side in spots:
        x, y = across * (width - side) // 99, down * (height - side) // 99
        if not picture[max(0, y - gap) : y + side + gap, max(0, x - gap) : x + side + gap].any():
            picture[y : y + side, x : x + side] = 255
            truth.append((x, y, side))
    found = search(np.repeat(picture, 3, axis=2), ViewPlan(least_scale=1.0), _marks, 0.3)
    assert sorted(found[:, 0].round()) == pytest.approx(sorted(x for x, _, _ in truth), abs=2)
    assert sorted(found[:, 1].round()) == pytest.approx(sorted(y for _, y, _ in truth), abs=2)
    assert found[:, 4:14:2] == pytest.approx(np.repeat(found[:, :1], 5, axis=1), abs=0.1), "points move with the box"


def test_tiles_are_no_larger_than_a_view_and_overlap() -> None:
    seen: list[tuple[int, int]] = []

    def note(view: Image) -> Rows:
        seen.append(view.shape[:2])
        return np.empty((0, 15), dtype=np.float32)

    search(np.zeros((3000, 8000, 3), dtype=np.uint8), ViewPlan(least_scale=1.0), note, 0.3)
    *tiles, overview = seen
    assert max(max(shape) for shape in tiles) <= DETAIL_SIDE
    assert sum(height * width for height, width in tiles) > 3000 * 8000
    assert len(tiles) == 8
    assert max(overview) == 640
    assert DETAIL_SIDE > 2 * OVERLAP


def test_what_looks_like_faces_inside_a_face_is_none() -> None:
    face, cheek, beside = ((x, y, side, side, *[0] * 10, score) for x, y, side, score in
                           [(2000, 1000, 2400, 0.9), (2300, 1300, 500, 0.8), (4300, 1000, 500, 0.8)])  # fmt: skip

    def find(view: Image) -> Rows:
        scale = max(view.shape[:2]) / 6000
        rows = np.array([face] if max(view.shape[:2]) == 640 else [cheek, beside], np.float32)
        return rows * np.array([scale] * 14 + [1], np.float32)

    picture = np.zeros((4000, 6000, 3), np.uint8)
    found = search(picture, ViewPlan(detail_side=2000, least_scale=1 / 3), find, 0.3)
    assert sorted(found[:, 0].round()) == [2000, 4300]


@pytest.fixture(scope="module")
def yunet(model_folder: Path) -> YuNetDetector:
    return YuNetDetector(model_folder / "yunet_n_dynamic.onnx")


@pytest.mark.slow
def test_a_face_that_fills_a_large_photo_is_one_face(yunet: YuNetDetector, face_data: Path) -> None:
    portrait = read_image(face_data / "portraits_probe" / "obama1.jpg")
    box = max(yunet.detect(portrait), key=lambda face: face.box.area).box
    for margin in (0.0, 0.2, 0.5):
        top, left = (max(0, int(v)) for v in (box.y - margin * box.height, box.x - margin * box.width))
        close = portrait[top : int(box.bottom + margin * box.height), left : int(box.right + margin * box.width)]
        assert len(yunet.detect(cv2.resize(close, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC))) == 1


@pytest.mark.slow
def test_small_faces_of_a_large_photo(yunet: YuNetDetector, model_folder: Path, face_data: Path) -> None:
    canvas = np.full((4000, 6000, 3), (110, 125, 110), dtype=np.uint8)
    files = [sorted(folder.glob("*.jpg"))[-1] for folder in sorted((face_data / "lfw62").iterdir())[:30]]
    for number, file in enumerate(files):  # 250 pixels with a face of about 96
        row, column = divmod(number, 6)
        small = cv2.resize(read_image(file), (78, 78), interpolation=cv2.INTER_AREA)
        canvas[300 + 700 * row :][:78, 300 + 900 * column :][:, :78] = small
    assert len(yunet.detect(canvas)) >= 25
    thorough = YuNetDetector(model_folder / "yunet_n_dynamic.onnx", plan=ViewPlan(least_scale=1.0))
    assert len(thorough.detect(canvas)) >= 29
