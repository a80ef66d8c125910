"""Reading a source ahead of the work: files in order, live sources newest first, lost ones again and again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from threading import Event
from typing import TypeVar

from knownface.errors import SourceUnavailableError
from knownface.live.metrics import RollingRate
from knownface.live.options import WatchOptions
from knownface.live.threads import Job, LatestFrameQueue, ReceivedFrame, SourceNotice
from knownface.live.turning import turned_by
from knownface.media import Source, read_source
from knownface.media.capture import ASK_TIMEOUT, OPEN_TIMEOUT, Capture
from knownface.media.doubts import Doubts
from knownface.media.opencv import squared
from knownface.pipeline import map_in_order
from knownface.types import Frame

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

FIRST_WAIT = 0.5
"""Seconds before the first attempt to reach a lost source again; each further one waits twice as long."""
LONGEST_WAIT = 30.0
UNREADABLE = "The source cannot be reached or read."
"""All that is told of it where the options are discreet."""
_SLOWEST_NO = OPEN_TIMEOUT + ASK_TIMEOUT
_DOUBTFUL = 1.0
"""Seconds without any change after which a stream is asked, once, whether it is one that OpenCV cannot decode."""


def read_ahead(items: Iterable[Item], ahead: int) -> Iterator[Item]:
    """The same items, read by a thread of their own up to ``ahead`` before they are taken."""
    source = iter(items)
    for taken in map_in_order(lambda _: tuple(islice(source, 1)), count(), threads=1, ahead=ahead):
        if not taken:
            return
        yield taken[0]


def read_frames(source: Source, options: WatchOptions, doubts: Doubts) -> Iterator[Frame]:
    """The frames of a file or folder in order, by ``every``, ``fps``, ``pixel_aspect`` and ``turn`` of the options."""
    for frame in read_source(source, options.every, options.fps, doubts=doubts):
        yield replace(frame, image=turned_by(squared(frame.image, options.pixel_aspect), options.turn or 0))


def read_file(
    source: Source, options: WatchOptions, doubts: Doubts, stop: Event, on_frame: Callable[[], None]
) -> Iterator[Frame]:
    """The frames of a file or folder in order, with wall-clock times where it is known when it was recorded.

    Args:
        source: Which.
        options: As for :func:`read_frames`, and ``began`` and ``max_fps``.
        doubts: Takes the warnings about its pictures.
        stop: Ends the reading when set.
        on_frame: Called for each frame.
    """
    frames = read_frames(source, options, doubts)
    due = time.monotonic()
    for frame in frames:
        if options.max_fps is not None:
            stop.wait(max(0.0, due - time.monotonic()))
            due = max(due, time.monotonic() - 1) + 1 / options.max_fps
        if stop.is_set():
            return
        on_frame()
        if options.began is None or frame.time is None:
            yield frame
        else:
            yield Frame(frame.image, frame.time, options.began + timedelta(seconds=frame.time))


class LiveReader:
    """Reads a camera or stream on a thread of its own and keeps the newest frame; reconnects when it is lost.

    Args:
        source: Which.
        options: ``every``, ``max_fps``, ``pixel_aspect``, ``keep_trying``, ``resolve`` and ``discreet`` are used.
        rate: Counts every frame that the source gives.
        doubts: Takes the warnings about its pictures.
    """

    def __init__(self, source: Source, options: WatchOptions, rate: RollingRate, doubts: Doubts) -> None:
        self.queue = LatestFrameQueue()
        self._doubts = doubts
        self._source = source
        self._options = options
        self._rate = rate
        self._stop = Event()
        self._frames = 0
        self._began: float | None = None
        self._due = float("-inf")
        self._job = Job(self._run, "reading")

    def start(self) -> None:
        """Begins to read."""
        self._job.start()

    def stop(self) -> None:
        """Asks the thread to end; it does when the read under way returns, which has a time limit."""
        self._stop.set()

    def join(self) -> BaseException | None:
        """Waits for the thread; returns the error that ended it, or None."""
        self._job.join()
        return self._job.error

    def _run(self) -> None:
        try:
            self._read()
        finally:
            self.queue.close()

    def _read(self) -> None:
        wait, ever = FIRST_WAIT, self._options.keep_trying
        while not self._stop.is_set():
            before, start = self._frames, time.monotonic()
            why = f"{self._source.name} sends no more pictures."
            try:
                with Capture(self._options.resolve(self._source)) as capture:
                    self._take_all(capture)
            except SourceUnavailableError as error:
                if not ever:
                    raise
                why = error.message
            if self._stop.is_set():
                return
            if self._frames > before:
                wait = FIRST_WAIT
            elif not ever:
                raise SourceUnavailableError(
                    f"{self._source.name} was opened, but sends no picture.",
                    "Check that the camera works in another program.",
                )
            ever = True
            logger.warning("%s Trying again in %.1f seconds.", why, wait)
            if self._options.discreet:
                why = UNREADABLE
                self._stop.wait(0 if self._frames else max(0.0, start + _SLOWEST_NO - time.monotonic()))
            self.queue.put(SourceNotice("lost", why))
            self._stop.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _take_all(self, capture: Capture) -> None:
        """Puts frames into the queue until the source ends or falls silent, or reading is to stop."""
        connected = False
        doubts, doubted = self._doubts, False
        doubts.begin()
        while not self._stop.is_set() and capture.grab():
            at, captured_at = time.perf_counter(), datetime.now(UTC)
            self._rate.count()
            if not self._is_due(at):
                continue
            image = capture.picture()
            if image is None:
                continue
            image = squared(image, self._options.pixel_aspect)
            if not connected:
                self.queue.put(SourceNotice("connected"))
                connected = True
            if self._began is None:
                self._began = at
            doubts.look(image, at - self._began)
            if doubts.still_for >= _DOUBTFUL and not doubted:
                doubted = True
                if capture.mend():
                    doubts.warn(f"{self._source.name} is interlaced: it is read through ffmpeg.")
                    doubts.begin()
                    continue
            frame = Frame(image, at - self._began, captured_at)
            self.queue.put(ReceivedFrame(frame, self._frames, at))
            self._frames += 1

    def _is_due(self, at: float) -> bool:
        shortest = max(self._options.every or 0.0, 1 / self._options.max_fps if self._options.max_fps else 0.0)
        if not shortest:
            return True
        # A frame that comes a little early is taken: cameras do not keep time to the millisecond.
        if at < self._due - 0.005:
            return False
        self._due = max(self._due, at - shortest) + shortest
        return True
