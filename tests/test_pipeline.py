"""Work on several threads, in order."""

from __future__ import annotations

import threading

import cv2
import pytest

from knownface.pipeline import map_in_order, opencv_on_one_thread


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
