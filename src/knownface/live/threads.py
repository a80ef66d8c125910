"""Threads whose errors are kept, and the queue between the reader of a live source and the work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from knownface.errors import KnownFaceError
from knownface.types import Frame


class Job:
    """Work on a thread of its own, whose error is kept for whoever waits for it.

    Args:
        work: Called once.
        name: Of the thread.
    """

    def __init__(self, work: Callable[[], None], name: str) -> None:
        self._work = work
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"knownface-{name}", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Waits for the end; returns whether it has come."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work()
        except KnownFaceError as error:
            self.error = error
        except BaseException as error:
            self.error = error  # a mistake of ours: threading.excepthook prints it, whoever waits raises it
            raise


@dataclass(frozen=True, slots=True, eq=False)
class ReceivedFrame:
    """A frame that a live source gave.

    Attributes:
        frame: The frame.
        number: Which one of all that the source gave, from 0; some of them are left out.
        at: When it came, by ``time.perf_counter``.
    """

    frame: Frame
    number: int
    at: float


@dataclass(frozen=True, slots=True)
class SourceNotice:
    """What became of a live source: it was reached, or lost."""

    kind: Literal["connected", "lost"]
    why: str = ""


_Item: TypeAlias = ReceivedFrame | SourceNotice


class LatestFrameQueue:
    """A queue that holds only the newest frame, and every notice. One thread puts, another one takes."""

    def __init__(self) -> None:
        self._items: deque[_Item] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, item: _Item) -> None:
        """Adds a frame, in the place of one that still waits, or a notice."""
        with self._changed:
            if isinstance(item, ReceivedFrame) and self._items and isinstance(self._items[-1], ReceivedFrame):
                self._items.pop()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify()

    def take(self) -> _Item | None:
        """Waits for the next item and returns it; None when no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            return self._items.popleft() if self._items else None

    def close(self) -> None:
        """Notes that no more will come; what is still in the queue can be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._items)
