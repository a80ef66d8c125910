"""Whose turn it is: start-time fair queueing over callers."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

_STAYS = 2.0
"""Seconds for which a caller counts as here after its last item: its next one may be on its way."""


class FairQueue(Generic[Item]):
    """Items of several callers for a few places, in turns by what each caller's items cost.

    Start-time fair queueing (Goyal, Vin and Cheng 1996): a caller is charged what an item cost, and the one charged
    least is next; who was away begins where the others stand, so nobody saves up. Of one caller's items the first to
    come is the first. Callers who are here, or were a moment ago, share the places; one who has its part in work gets
    more only while that leaves a place for somebody else, if at all. There is one place more than shares, so that
    whoever comes while one caller fills all of them begins at once.

    Args:
        shares: Items of a lone caller that may be in work at a time.
        clock: Returns seconds.
        lends: Whether a caller may have more than its part in work while that leaves a place. Long items should not:
            whoever comes meanwhile would share the processor with them.
    """

    def __init__(self, shares: int, clock: Callable[[], float] = time.monotonic, *, lends: bool = True) -> None:
        self.shares = shares
        self._clock, self._lends = clock, lends
        self._last: dict[str, float] = {}
        self._charged: dict[str, float] = {}
        self._waiting: dict[str, deque[Item]] = {}
        self._working: Counter[str] = Counter()
        self._now = 0.0
        self._mean = 0.1
        self._mean_seconds = 0.1

    @property
    def waiting(self) -> int:
        """Items of all callers that wait."""
        return sum(map(len, self._waiting.values()))

    @property
    def working(self) -> int:
        """Items of all callers that are in work."""
        return self._working.total()

    def waiting_of(self, who: str) -> int:
        """Items of one caller that wait."""
        return len(self._waiting.get(who, ()))

    def wait_of(self, who: str) -> float:
        """After how many seconds another item of one caller would begin, roughly."""
        part = max(1, self.shares // max(1, len(self._here() | {who})))
        return self.waiting_of(who) * self._mean_seconds / part

    def put(self, who: str, item: Item) -> None:
        """Let an item wait."""
        if who not in self._waiting and not self._working[who]:
            self._charged[who] = max(self._charged.get(who, 0.0), self._now)
        self._waiting.setdefault(who, deque()).append(item)

    def take(self, beside: FairQueue[Item] | None = None) -> tuple[str, Item] | None:
        """The next item, which is in work from now on, with its caller; None while nothing may begin.

        Args:
            beside: Another queue for the same processors; what it has in work counts too.
        """
        if not self._waiting or self.working > self.shares:
            return None
        queues = [self] if beside is None else [self, beside]
        shares = max(queue.shares for queue in queues)
        callers = len(set[str]().union(*(queue._here() for queue in queues)))
        part = max(1, shares // max(1, callers))
        idle = self._lends and sum(queue.working for queue in queues) < shares - 1
        able = [who for who in self._waiting if idle or sum(queue._working[who] for queue in queues) < part]
        if not able:
            return None
        who = min(able, key=self._charged.__getitem__)
        self._now = max(self._now, self._charged[who])
        self._charged[who] += self._mean  # until it is known
        self._working[who] += 1
        item = self._waiting[who].popleft()
        if not self._waiting[who]:
            del self._waiting[who]
        return who, item

    def done(self, who: str, cost: float, seconds: float) -> None:
        """Charge a caller for an item that was in work for so many seconds."""
        self._working[who] -= 1
        self._last[who] = self._clock()
        self._charged[who] += cost - self._mean
        self._mean += 0.05 * (cost - self._mean)
        self._mean_seconds += 0.05 * (seconds - self._mean_seconds)
        idle = [one for one in self._charged if one not in self._waiting and not self._working[one]]
        for one in idle:
            if self._charged[one] <= self._now or len(idle) == len(self._charged):
                del self._charged[one], self._working[one]

    def _here(self) -> set[str]:
        now = self._clock()
        self._last = {who: at for who, at in self._last.items() if now - at < _STAYS}
        return self._waiting.keys() | +self._working | self._last.keys()

    def drop(self, who: str, item: Item) -> bool:
        """Forget an item; False if it does not wait any more."""
        waiting = self._waiting.get(who, deque[Item]())
        if item not in waiting:
            return False
        waiting.remove(item)
        if not waiting:
            del self._waiting[who]
        return True
