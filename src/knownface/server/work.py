"""Where pictures are looked at: a few threads, fair shares for every key, and a clear no when the queue is full."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from knownface.errors import BusyError, RateLimitedError
from knownface.server.fair_queue import FairQueue

Item = TypeVar("Item")
Result = TypeVar("Result")

_PROMPT_SECONDS, _PATIENT_SECONDS = 10.0, 30.0
"""For which a picture may have to wait in its lane, as far as can be foreseen; sent away, one is told to come later."""
_LONGEST_WAIT = 60.0
_OPENNESS = 4
"""One key may have so many times as many pictures waiting as there are places left (dynamic thresholds, Choudhury and
Hahne 1998): alone four fifths of the queue, so that there is room for others whenever they come."""


class Workers:
    """Threads for work that takes the processor, off the event loop; used from the event loop's thread only.

    There are two lanes, each with threads of its own: one for what somebody waits for, and one with half as many for
    large pictures and for many at once. In each lane keys take turns by the time that their pictures take; of both
    together no key has more than its part of the threads while others want some, or did a moment ago.

    Usually there is one share more than there are processors: while one waits for the interpreter, another one
    computes. More are not faster, and hold more decoded pictures in memory.

    Args:
        shares: How many pictures of a lone key are looked at at a time, large ones aside.
        queue: How many may wait.
    """

    def __init__(self, shares: int, queue: int) -> None:
        self._queue = queue
        self._prompt, self._patient = (
            _Lane(shares, "picture", _PROMPT_SECONDS, lends=True),
            _Lane(max(1, shares // 2), "patient", _PATIENT_SECONDS, lends=False),
        )
        self._closed = False
        self._last = time.monotonic()

    async def run(self, who: str, work: Callable[[Item], Result], item: Item) -> Result:
        """Do one piece of work that somebody waits for.

        Raises:
            RateLimitedError: Too many wait.
            BusyError: The service is stopping.
        """
        return (await self.run_all(who, work, [item]))[0]

    async def run_all(
        self, who: str, work: Callable[[Item], Result], items: Sequence[Item], *, patient: bool = False
    ) -> list[Result]:
        """Do pieces of work, all of them or, where the queue has no room for all, none; results keep the order.

        Where this is cancelled, what has not begun is not done.

        Args:
            who: Whose share it comes from.
            work: Done on a thread.
            items: What it is done with.
            patient: Whether it may take longer, for the sake of others.

        Raises:
            RateLimitedError: Too many wait.
            BusyError: The service is stopping.
        """
        if self._closed:
            raise BusyError("The service is stopping.", retry_after=10)
        lane = self._patient if patient else self._prompt
        self._check_room(lane, who, len(items))
        loop = asyncio.get_running_loop()
        pieces = [_Piece(work, item, loop.create_future()) for item in items]
        if not lane.queue.waiting and not lane.queue.working:
            lane.spent = max(self._prompt.spent, self._patient.spent)
        for piece in pieces:
            lane.queue.put(who, piece)
        self._begin()
        try:
            results: list[Result] = await asyncio.gather(*(piece.answer for piece in pieces))
            return results
        finally:
            for piece in pieces:
                lane.queue.drop(who, piece)

    @property
    def pending(self) -> int:
        """Pictures waiting or being looked at."""
        return sum(lane.queue.waiting + lane.queue.working for lane in (self._prompt, self._patient))

    @property
    def idle_seconds(self) -> float:
        """Since when no picture has been looked at."""
        return 0.0 if self.pending else time.monotonic() - self._last

    def close(self) -> None:
        """Take no more work, and wait for what is being done."""
        self._closed = True
        for lane in (self._prompt, self._patient):
            lane.pool.shutdown(wait=True, cancel_futures=True)

    def _check_room(self, lane: _Lane, who: str, count: int) -> None:
        waiting = self._prompt.queue.waiting + self._patient.queue.waiting
        own = self._prompt.queue.waiting_of(who) + self._patient.queue.waiting_of(who)
        begin = max(0, lane.queue.shares - lane.queue.working)
        left = self._queue - waiting
        wait = lane.queue.wait_of(who)
        full = count > left + begin or own + count > _OPENNESS * (left - count) + begin
        if self.pending and (full or wait > lane.longest):
            wait = min(_LONGEST_WAIT, max(1.0, wait))
            whose, count = ("of this key", own) if own else ("of others", waiting)
            raise RateLimitedError(f"Too many pictures {whose} are waiting already: {count}.", retry_after=wait)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        # By what they have taken, so that a caller's part of the places does not all go to one of the lanes.
        first, second = sorted((self._prompt, self._patient), key=lambda lane: lane.spent)
        for lane, other in ((first, second), (second, first)):
            while not self._closed and (turn := lane.queue.take(beside=other.queue)) is not None:
                who, piece = turn
                done = loop.run_in_executor(lane.pool, _timed, piece.work, piece.item)
                done.add_done_callback(partial(self._end, lane, who, piece))

    def _end(self, lane: _Lane, who: str, piece: _Piece, done: asyncio.Future[_Timed]) -> None:
        self._last = time.monotonic()
        if done.cancelled():  # the service is closed
            piece.answer.cancel()
            return
        result = done.result()
        lane.queue.done(who, result.cost, result.seconds)
        lane.spent += result.cost
        if not piece.answer.done():
            if result.error is not None:
                piece.answer.set_exception(result.error)
            else:
                piece.answer.set_result(result.value)
        self._begin()


@dataclass(slots=True, eq=False)
class _Piece:
    work: Callable[[Any], Any]
    item: Any
    answer: asyncio.Future[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Timed:
    cost: float
    seconds: float
    value: Any = None
    error: BaseException | None = None


class _Lane:
    def __init__(self, shares: int, name: str, longest: float, *, lends: bool) -> None:
        self.queue: FairQueue[_Piece] = FairQueue(shares, lends=lends)
        self.longest = longest
        self.spent = 0.0
        self.pool = ThreadPoolExecutor(shares + 1, thread_name_prefix=name)


def _timed(work: Callable[[Any], Any], item: Any) -> _Timed:
    cost, start = time.thread_time(), time.perf_counter()
    try:
        value, error = work(item), None
    except BaseException as failure:  # noqa: BLE001 - raised where it is waited for
        value, error = None, failure
    return _Timed(time.thread_time() - cost, time.perf_counter() - start, value, error)
