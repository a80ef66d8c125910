from __future__ import annotations

import threading

import numpy as np
import pytest

from knownface.errors import OutputError
from knownface.live.threads import Job, LatestFrameQueue, ReceivedFrame, SourceNotice
from knownface.types import Frame

PICTURE = np.zeros((2, 2, 3), np.uint8)


def arrived(number: int) -> ReceivedFrame:
    return ReceivedFrame(Frame(PICTURE, number / 30), number, number / 30)


def test_the_newest_frame_replaces_the_one_that_waits() -> None:
    queue = LatestFrameQueue()
    for number in range(5):
        queue.put(arrived(number))
    queue.close()
    taken = queue.take()
    assert isinstance(taken, ReceivedFrame)
    assert taken.number == 4
    assert queue.dropped == 4
    assert queue.take() is None


def test_no_notice_is_lost_and_the_order_is_kept() -> None:
    queue = LatestFrameQueue()
    for item in (
        SourceNotice("connected"),
        arrived(0),
        arrived(1),
        SourceNotice("lost", "why"),
        SourceNotice("connected"),
        arrived(2),
    ):
        queue.put(item)
    queue.close()
    told = []
    while (item := queue.take()) is not None:
        told.append(item.number if isinstance(item, ReceivedFrame) else item.kind)
    assert told == ["connected", 1, "lost", "connected", 2]


def test_who_waits_is_woken_by_the_end() -> None:
    queue, taken = LatestFrameQueue(), []
    waiting = threading.Thread(target=lambda: taken.append(queue.take()))
    waiting.start()
    queue.close()
    waiting.join(10)
    assert taken == [None]


def test_the_error_of_a_thread_is_kept() -> None:
    def fail() -> None:
        raise OutputError("the disk is full")

    job = Job(fail, "failing")
    job.start()
    assert job.join(10)
    assert isinstance(job.error, OutputError)


def test_a_mistake_of_ours_is_told_and_kept() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    told: list[threading.ExceptHookArgs] = []
    before, threading.excepthook = threading.excepthook, told.append
    try:
        job = Job(fail, "failing")
        job.start()
        assert job.join(10)
    finally:
        threading.excepthook = before
    assert isinstance(job.error, ZeroDivisionError)
    assert [args.exc_type for args in told] == [ZeroDivisionError]


def test_a_job_that_was_never_begun_has_ended() -> None:
    assert Job(lambda: pytest.fail("not to be called"), "idle").join(0)
