"""Whose turn it is: start-time fair queueing over callers."""

from __future__ import annotations

from collections import Counter, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Items of several callers for a few places, in turns by what each caller's items cost.

    Start-time fair queueing (Goyal, Vin and Cheng 1996): a caller is charged what an item cost, and the one charged
    least is next; who was away begins where the others stand, so nobody saves up. Of one caller's items the first to
    come is the first. As many items of one caller may be in work as there are shares for each caller who is here; there
    is one place more than shares, so that whoever comes while one caller fills all of them begins at once.

    Args:
        shares: Items of a lone caller that may be in work at a time.
    """

    def __init__(self, shares: int) -> None:
        self.shares = shares
        self._charged: dict[str, float] = {}
        self._waiting: dict[str, deque[Item]] = {}
        self._working: Counter[str] = Counter()
        self._now = 0.0
        self._mean = 0.1

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
        """After how many units of cost what one caller has in work and waiting will be done, roughly."""
        return (self._working[who] + self.waiting_of(who)) * self._mean / self.shares

    def put(self, who: str, item: Item) -> None:
        """Let an item wait."""
        if who not in self._waiting and not self._working[who]:
            self._charged[who] = max(self._charged.get(who, 0.0), self._now)
        self._waiting.setdefault(who, deque()).append(item)

    def take(self) -> tuple[str, Item] | None:
        """The next item, which is in work from now on, with its caller; None while nothing may begin."""
        if self.working > self.shares:
            return None
        here = self._waiting.keys() | +self._working
        most = -(-self.shares // max(1, len(here)))
        able = [who for who in self._waiting if self._working[who] < most]
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

    def done(self, who: str, cost: float) -> None:
        """Charge a caller for an item that was in work."""
        self._working[who] -= 1
        self._charged[who] += cost - self._mean
        self._mean += 0.05 * (cost - self._mean)
        idle = [one for one in self._charged if one not in self._waiting and not self._working[one]]
        for one in idle:
            if self._charged[one] <= self._now or len(idle) == len(self._charged):
                del self._charged[one], self._working[one]

    def drop(self, who: str, item: Item) -> bool:
        """Forget an item; False if it does not wait any more."""
        waiting = self._waiting.get(who, deque[Item]())
        if item not in waiting:
            return False
        waiting.remove(item)
        if not waiting:
            del self._waiting[who]
        return True
