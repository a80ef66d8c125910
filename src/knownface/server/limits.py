"""How often, how much, how slowly: limits that hold before anything is parsed."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

_REMEMBERED = 10_000
"""Callers whose rate is known; who was away longest is forgotten first."""


class RateLimiter:
    """A token bucket a caller (ITU-T I.371): ``rate`` units a second on average, ``burst`` at once.

    A unit is a request, or a pixel. What is larger than the burst may pass when the bucket is full, and is made up for.

    Used from the event loop's thread only.

    Args:
        rate: Units a second.
        burst: How many may come at once.
        clock: Returns seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, max(1.0, burst), clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, amount: float = 1.0) -> float:
        """Count so many units; 0 if they may pass, else the seconds after which they may."""
        now, left = self._clock(), self._left(who)
        needed = min(amount, self.burst)
        wait = 0.0 if left >= needed else (needed - left) / self.rate
        self._buckets.pop(who, None)
        self._buckets[who] = (left if wait else left - amount, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return wait

    def left(self, who: str) -> int:
        """Units that may come now."""
        return max(0, math.floor(self._left(who)))

    def full_in(self, who: str) -> float:
        """Seconds after which as many may come at once as ever."""
        return (self.burst - self._left(who)) / self.rate

    def _left(self, who: str) -> float:
        now = self._clock()
        left, at = self._buckets.get(who, (self.burst, now))
        return min(self.burst, left + (now - at) * self.rate)
