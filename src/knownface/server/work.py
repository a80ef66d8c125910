"""Where pictures are looked at: a few threads, a bounded queue, and a clear no when it is full."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from knownface.errors import BusyError

Item = TypeVar("Item")
Result = TypeVar("Result")

_LONGEST_WAIT = 60.0


class Workers:
    """Threads for work that takes the processor, off the event loop; used from the event loop's thread only.

    Pictures of all requests stand in one queue, first come, first served. Usually there is one thread more than there
    are processors: while one waits for the interpreter, another one computes. More are not faster, and hold more
    decoded pictures in memory.

    Args:
        threads: How many pictures are looked at at a time.
        queue: How many may wait.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self._threads = threads
        self._most = threads + queue
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="picture")
        self._mean_seconds = 0.1
        self._closed = False
        self._last = time.monotonic()
        self.pending = 0

    async def run(self, work: Callable[[Item], Result], item: Item) -> Result:
        """Do one piece of work.

        Raises:
            BusyError: The queue is full.
        """
        return (await self.run_all(work, [item]))[0]

    async def run_all(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Do pieces of work, all of them or, where the queue has no room for all, none; results keep the order.

        Raises:
            BusyError: The queue is too full, or the service is stopping.
        """
        if self._closed:
            raise BusyError("The service is stopping.", retry_after=10)
        if self.pending + len(items) > max(self._most, len(items)):
            raise BusyError(f"{self.pending} pictures are waiting already.", retry_after=self.wait_seconds)
        self.pending += len(items)
        loop = asyncio.get_running_loop()
        futures = [loop.run_in_executor(self._pool, self._timed, work, item) for item in items]
        for future in futures:
            future.add_done_callback(self._count)
        return await asyncio.gather(*futures)

    @property
    def wait_seconds(self) -> float:
        """After how long the queue will be empty, roughly."""
        return min(_LONGEST_WAIT, max(1.0, self.pending * self._mean_seconds / self._threads))

    @property
    def idle_seconds(self) -> float:
        """Since when no picture has been looked at."""
        return 0.0 if self.pending else time.monotonic() - self._last

    def close(self) -> None:
        """Take no more work, and wait for what is being done."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _count(self, _: object) -> None:
        self.pending -= 1
        self._last = time.monotonic()

    def _timed(self, work: Callable[[Item], Result], item: Item) -> Result:
        start = time.perf_counter()
        try:
            return work(item)
        finally:
            # A moving mean; threads overwrite each other's now and then, which an estimate can bear.
            self._mean_seconds += 0.05 * (time.perf_counter() - start - self._mean_seconds)
