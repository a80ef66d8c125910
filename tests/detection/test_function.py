from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import dlib
import numpy as np
import pytest

from knownface.detection import FunctionDetector, HogDetector
from knownface.types import Box, Face, Image, box_iou

PICTURE = np.zeros((60, 80, 3), dtype=np.uint8)
POINTS = np.arange(10, dtype=np.float32).reshape(5, 2)


def test_rows_and_faces_come_largest_first() -> None:
    whole = Face(Box(0, 0, 30, 30), POINTS, 0.5)

    def mixed(image: Image) -> list[Any]:
        return [[1, 2, 3, 4, 0.25], np.array([5, 6, 7, 8, *range(10), 0.75]), whole]

    detector = FunctionDetector(mixed)
    first, second, third = detector.detect(PICTURE)
    assert first is whole
    assert (second.box, second.score) == (Box(5, 6, 7, 8), 0.75)
    np.testing.assert_array_equal(second.landmarks, POINTS)
    assert (third.box, third.score) == (Box(1, 2, 3, 4), 0.25)
    assert np.isnan(third.landmarks).all()
    assert (detector.name, detector.gives_landmarks) == ("mixed", True)


def test_what_is_no_row_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a row of 5 or 15 numbers, got the shape \(4,\)"):
        FunctionDetector(lambda image: [(1, 2, 3, 4)]).detect(PICTURE)


def test_the_fingerprint_is_what_is_declared_and_the_code() -> None:
    def fingerprint(fn: Any = len, **keys: Any) -> str:
        return FunctionDetector(fn, **{"name": "mine", **keys}).fingerprint

    assert fingerprint() == fingerprint(thread_safe=True)
    others = fingerprint(max), fingerprint(name="other"), fingerprint(gives_landmarks=False)
    assert len({fingerprint(), *others}) == 4
    assert fingerprint(fingerprint="weights of June") == "weights of June"


@pytest.mark.parametrize("thread_safe", [False, True])
def test_calls_wait_for_each_other_unless_it_is_thread_safe(thread_safe: bool) -> None:
    inside = threading.Semaphore(1)
    alone: list[bool] = []
    together = threading.Barrier(2)

    def look(image: Image) -> list[Any]:
        alone.append(inside.acquire(blocking=False))
        if thread_safe:
            together.wait(20)  # nobody gets past this without the other
        if alone[-1]:
            inside.release()
        return []

    detector = FunctionDetector(look, thread_safe=thread_safe)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(detector.detect, [PICTURE] * 4)) == [[]] * 4
    assert thread_safe or alone == [True] * 4


def test_dlibs_detector_in_a_line(astronaut: Image) -> None:
    hog = dlib.get_frontal_face_detector()
    [face] = FunctionDetector(lambda image: map(Face.from_dlib, hog(image)), gives_landmarks=False).detect(astronaut)
    [ours] = HogDetector().detect(astronaut)
    assert box_iou(face.box, ours.box) > 0.6
    assert np.isnan(face.landmarks).all()


def test_a_face_of_insightface() -> None:
    theirs = SimpleNamespace(bbox=np.array([10, 20, 40, 60.5]), kps=POINTS, det_score=np.float32(0.5))
    face = Face.from_insightface(theirs)
    assert (face.box, face.score) == (Box(10, 20, 30, 40.5), 0.5)
    np.testing.assert_array_equal(face.landmarks, POINTS)
    theirs.kps = None
    assert np.isnan(Face.from_insightface(theirs).landmarks).all()
    theirs.kps = POINTS[:3]
    with pytest.raises(ValueError, match=r"kps must have the shape \(5, 2\), got \(3, 2\)"):
        Face.from_insightface(theirs)


def test_a_row_of_opencv() -> None:
    face = Face.from_opencv_yunet(np.array([1, 2, 3, 4, *range(10), 0.5]))
    assert (face.box, face.score) == (Box(1, 2, 3, 4), 0.5)
    with pytest.raises(ValueError, match=r"a row of FaceDetectorYN must have the shape \(15,\), got \(14,\)"):
        Face.from_opencv_yunet(np.zeros(14))
