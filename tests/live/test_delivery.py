from __future__ import annotations

import threading
from typing import Any

import numpy as np

from knownface.errors import OutputError
from knownface.live import FrameResult, LiveEvent
from knownface.live.delivery import Delivery
from knownface.types import Frame

PICTURE = np.zeros((2, 2, 3), np.uint8)


class Sink:
    def __init__(self, fails_at: int | None = None, gate: threading.Event | None = None) -> None:
        self.taken: list[FrameResult] = []
        self.entered = self.left = 0
        self.error: BaseException | None = None
        self._fails_at = fails_at
        self._gate = gate

    def __enter__(self) -> Sink:
        self.entered += 1
        return self

    def take(self, result: FrameResult) -> None:
        if self._gate is not None:
            assert self._gate.wait(30)
        if len(self.taken) == self._fails_at:
            raise OutputError("the disk is full")
        self.taken.append(result)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.left += 1
        self.error = error


def result(number: int, *, tells: bool = False) -> FrameResult:
    events = (LiveEvent("named", "door", time=float(number)),) if tells else ()
    return FrameResult(Frame(PICTURE, float(number)), events=events)


def test_a_file_s_results_all_come_in_order_however_slow_a_sink_is() -> None:
    gate = threading.Event()
    sink = Sink(gate=gate)
    delivery = Delivery([sink], lossless=True, on_error=lambda: None)
    delivery.start()
    threading.Timer(0.1, gate.set).start()
    for number in range(100):
        delivery.put(result(number))
        assert len(delivery) <= 16
    assert delivery.finish() is None
    assert [r.frame.time for r in sink.taken if r.frame] == list(range(100))
    assert (sink.entered, sink.left) == (1, 1)


def test_a_live_source_never_waits_for_a_sink_and_loses_pictures_but_no_event() -> None:
    gate = threading.Event()
    sink = Sink(gate=gate)
    delivery = Delivery([sink], lossless=False, on_error=lambda: None)
    delivery.start()
    for number in range(200):
        delivery.put(result(number, tells=number % 10 == 0))
    gate.set()
    assert delivery.finish() is None
    assert [e.time for r in sink.taken for e in r.events] == list(range(0, 200, 10))
    with_picture = [r.frame.time for r in sink.taken if r.frame]
    assert with_picture == sorted(with_picture)
    assert with_picture[-1] == 199
    assert len(with_picture) <= 18


def test_a_sink_that_fails_does_not_take_the_others_along() -> None:
    told = threading.Event()
    good, bad = Sink(), Sink(fails_at=3)
    delivery = Delivery([bad, good], lossless=True, on_error=told.set)
    delivery.start()
    for number in range(10):
        delivery.put(result(number))
    error = delivery.finish()
    assert isinstance(error, OutputError)
    assert told.is_set()
    assert (len(bad.taken), len(good.taken)) == (3, 10)
    assert (bad.left, good.left) == (1, 1)
    assert (bad.error, good.error) == (error, None)


def test_without_sinks_nothing_waits() -> None:
    delivery = Delivery([], lossless=True, on_error=lambda: None)
    delivery.start()
    for number in range(100):
        delivery.put(result(number))
    assert len(delivery) == 0
    assert delivery.finish() is None
