"""Work on several threads, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from knownface.detection import FunctionDetector
from knownface.embedding import FunctionEmbedder
from knownface.errors import FaceError, PartError
from knownface.pipeline import embed_crops, examine, find_faces, map_in_order, opencv_on_one_thread
from knownface.types import Box, Face

PICTURE = np.zeros((60, 80, 3), dtype=np.uint8)
CROPS = [PICTURE] * 3


def test_results_come_in_the_order_of_the_items() -> None:
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            second_is_done.wait(10)
        if item == 1:
            second_is_done.set()
        return item * item

    assert list(map_in_order(work, range(20), threads=2, ahead=4)) == [n * n for n in range(20)]


def test_items_are_read_only_so_far_ahead() -> None:
    read: list[int] = []
    results = map_in_order(lambda item: item, (read.append(n) or n for n in range(1000)), threads=2, ahead=3)
    assert [next(results), next(results)] == [0, 1]
    assert len(read) <= 2 + 3


def test_an_error_comes_when_it_is_its_turn() -> None:
    def work(item: int) -> float:
        return 1 / (2 - item)

    results = map_in_order(work, range(5), threads=2, ahead=4)
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_opencv_has_its_threads_again_after_an_error() -> None:
    before, during = cv2.getNumThreads(), []

    def fail() -> None:
        during.append(cv2.getNumThreads())
        raise KeyError

    with pytest.raises(KeyError), opencv_on_one_thread():
        fail()
    assert (during, cv2.getNumThreads()) == ([1], before)


class Detector:
    """A detector of somebody's own, which returns anything."""

    name = "theirs"
    gives_landmarks = False
    fingerprint = "1"

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def detect(self, image: object) -> Any:
        return self._answer()


def face(x: float, y: float, width: float, height: float, score: float = 1.0) -> Face:
    return Face.without_landmarks(Box(x, y, width, height), score)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda: None, "returned None, expected a list of Face"),
        (lambda: np.zeros((1, 5)), "returned a value of type ndarray, expected a list of Face"),
        (lambda: [(1, 2, 30, 40)], "returned a value of type tuple in its list, expected a Face"),
        (lambda: [Face(Box(1, 2, 30, 40), None, 0.9)], r"fails with ValueError: .*shape \(5, 2\).*got NoneType"),
        (lambda: [Face(Box(1, None, 30, 40), np.zeros((5, 2)), 0.9)], "fails with TypeError"),
        (lambda: [face(1, 2, -30, 40)], "a box of -30x40 with score 1, expected positive, finite numbers"),
        (lambda: [face(1, 2, 30, 0)], "a box of 30x0"),
        (lambda: [face(1, 2, float("nan"), 40)], "a box of nanx40"),
        (lambda: [face(1, 2, float("inf"), 40)], "a box of infx40"),
        (lambda: [face(1, 2, 30, 40, float("nan"))], "with score nan"),
        (lambda: [face(float("nan"), 2, 30, 40)], "expected one in its picture of 80x60 pixels"),
        (lambda: [face(1, 2, 30, 40), face(90, 2, 30, 40)], "expected one in its picture of 80x60 pixels"),
        (lambda: [face(-30, 2, 30, 40)], "expected one in its picture"),
        (lambda: 1 / 0, "fails with ZeroDivisionError"),
    ],
)
def test_what_a_detector_may_not_return(answer: Callable[[], Any], message: str) -> None:
    with pytest.raises(PartError, match=f"^The detector theirs .*{message}"):
        find_faces(PICTURE, Detector(answer))


def test_what_a_detector_may_return() -> None:
    faces = [face(-10, -10, 30, 40), face(70, 50, 30, 40)]
    assert find_faces(PICTURE, Detector(lambda: faces)) == faces
    assert find_faces(PICTURE, Detector(list)) == []


def test_errors_of_ours_keep_their_kind() -> None:
    def refuse() -> None:
        raise FaceError("not this one")

    with pytest.raises(FaceError, match="not this one"):
        find_faces(PICTURE, Detector(refuse))


class Embedder:
    """An embedder of somebody's own with vectors of 4 numbers, which returns anything."""

    contract = FunctionEmbedder(lambda crops: crops, dim=4, crop="square", name="theirs").contract

    def __init__(self, answer: Callable[[int], Any]) -> None:
        self._answer = answer

    def crop(self, image: Any, face: object) -> Any:
        return image

    def embed(self, crops: Any) -> Any:
        return self._answer(len(crops))


def unit(n: int, dim: int = 4) -> np.ndarray:
    return np.full((n, dim), dim**-0.5, dtype=np.float32)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: None, "returned None, expected an array, float32 of shape \\(3, 4\\)"),
        (lambda n: unit(n, 7), "returned float32 of shape \\(3, 7\\), expected .* shape \\(3, 4\\)"),
        (lambda n: unit(n - 1), "returned float32 of shape \\(2, 4\\)"),
        (lambda n: unit(n)[0], "returned float32 of shape \\(4,\\)"),
        (lambda n: unit(n).astype(np.float64), "returned float64 of shape"),
        (lambda n: unit(n).tolist(), "returned a value of type list"),
        (lambda n: unit(n) * 3, "a vector of length 3, expected unit vectors"),
        (lambda n: unit(n) * 0, "a vector of length 0, expected unit vectors"),
        (lambda n: unit(n) * np.float32("nan"), "a vector of length nan, expected unit vectors"),
        (lambda n: unit(n) + np.float32([[0], [np.inf], [0]]), "a vector of length inf, expected unit vectors"),
        (lambda n: {}["weights"], "fails with KeyError"),
    ],
)
def test_what_an_embedder_may_not_return(answer: Callable[[int], Any], message: str) -> None:
    with pytest.raises(PartError, match=f"^The embedder theirs .*{message}"):
        embed_crops(CROPS, Embedder(answer))


def test_what_an_embedder_may_return() -> None:
    np.testing.assert_array_equal(embed_crops(CROPS, Embedder(unit)), unit(3))
    assert embed_crops([], Embedder(unit)).shape == (0, 4)


def test_an_embedder_that_cannot_crop_is_named() -> None:
    embedder = Embedder(unit)
    detector = FunctionDetector(lambda image: [(10, 10, 20, 20, 0.9)], gives_landmarks=False)
    embedder.crop = lambda image, face: image[{}["size"] :]  # type: ignore[method-assign]
    with pytest.raises(PartError, match="The embedder theirs fails with KeyError: 'size'"):
        examine(PICTURE, detector, embedder)


def test_functions_are_parts() -> None:
    detector = FunctionDetector(lambda image: [(10, 10, 20, 20, 0.9)], gives_landmarks=False)
    embedder = FunctionEmbedder(lambda crops: crops.reshape(len(crops), -1)[:, :4] + 1.0, dim=4, crop="square")
    [examined] = examine(PICTURE, detector, embedder)
    assert examined.crop.shape == (112, 112, 3)
    np.testing.assert_allclose(embed_crops([examined.crop], embedder), unit(1))
