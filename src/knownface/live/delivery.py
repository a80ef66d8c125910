"""Delivery of results to the sinks, on a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from knownface.errors import KnownFaceError
from knownface.live.threads import Job
from knownface.live.values import FrameResult, Sink

_MOST_FRAMES = 16
"""Pictures that wait for the sinks at most."""


class Delivery:
    """The sinks and the queue before them.

    A sink that fails is left out from then on; the others get everything to the end.

    Args:
        sinks: Entered by :meth:`start`, left by :meth:`finish`.
        lossless: Whether :meth:`put` waits while too many pictures wait; else the oldest waiting one loses its
            picture, never its events.
        on_error: Called when a sink fails, on the sinks' thread.
    """

    def __init__(self, sinks: Sequence[Sink], *, lossless: bool, on_error: Callable[[], None]) -> None:
        self._sinks = list(sinks)
        self._lossless = lossless
        self._on_error = on_error
        self._queue: deque[FrameResult] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._job = Job(self._run, "sinks")
        self.errors: list[KnownFaceError | OSError] = []

    def start(self) -> None:
        """Begins to deliver."""
        self._job.start()

    def put(self, result: FrameResult) -> None:
        """Adds a result."""
        if not self._sinks:
            return
        with self._changed:
            if self._lossless:
                self._changed.wait_for(lambda: len(self._queue) < _MOST_FRAMES or self._closed)
            self._queue.append(result)
            if not self._lossless:
                self._thin_out()
            self._changed.notify_all()

    def finish(self) -> BaseException | None:
        """Delivers what waits, leaves the sinks; returns the first error, or None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._job.join()
        return self.errors[0] if self.errors else self._job.error

    def __len__(self) -> int:
        return len(self._queue)

    def _thin_out(self) -> None:
        with_picture = [i for i, result in enumerate(self._queue) if result.frame is not None]
        if len(with_picture) > _MOST_FRAMES:
            oldest = self._queue[with_picture[0]]
            if oldest.events or oldest.ended or oldest.present is not None:
                self._queue[with_picture[0]] = replace(oldest, frame=None)
            else:
                del self._queue[with_picture[0]]

    def _run(self) -> None:
        done = False
        try:
            self._each(lambda sink: sink.__enter__())
            while (result := self._next()) is not None:
                self._each(lambda sink, result=result: sink.take(result))  # type: ignore[misc]
            done = True
        finally:
            if not done:
                self._on_error()
            self._each(lambda sink: sink.__exit__(None, None, None))
            with self._changed:
                self._closed = True
                self._changed.notify_all()

    def _next(self) -> FrameResult | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            result = self._queue.popleft() if self._queue else None
            self._changed.notify_all()
            return result

    def _each(self, do: Callable[[Sink], object]) -> None:
        for sink in tuple(self._sinks):
            try:
                do(sink)
            except (KnownFaceError, OSError) as error:  # OSError: who read our output has gone
                self.errors.append(error)
                self._sinks.remove(sink)
                self._on_error()
                sink.__exit__(type(error), error, error.__traceback__)
