"""How often, how much, how slowly: limits that hold before anything is parsed."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_REMEMBERED = 10_000
"""Callers whose rate is known; who was away longest is forgotten first."""


class RateLimiter:
    """A token bucket a caller (ITU-T I.371): ``rate`` requests a second on average, ``burst`` at once.

    Used from the event loop's thread only.

    Args:
        rate: Requests a second.
        burst: How many may come at once.
        clock: Returns seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, max(1.0, burst), clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> float:
        """Count a request; 0 if it may pass, else the seconds after which one may."""
        now = self._clock()
        left, at = self._buckets.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._buckets[who] = (left if wait else left - 1, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return wait
