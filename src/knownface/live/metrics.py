"""Rates and latencies of the last seconds."""

from __future__ import annotations

import time
from collections import deque

import numpy as np

_SECONDS = 5.0
_MOST = 2000


class RollingRate:
    """Events a second. One thread counts, any may read."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MOST)

    def count(self) -> None:
        """Counts one event."""
        self._times.append(time.monotonic())

    def per_second(self) -> float:
        """Over the last seconds; 0 if it happened less than twice."""
        now = time.monotonic()
        recent = [at for at in tuple(self._times) if now - at <= _SECONDS]
        return (len(recent) - 1) / span if len(recent) > 1 and (span := max(now - recent[0], 1e-6)) else 0.0


class RollingLatency:
    """Percentiles of a latency. One thread notes, any may read."""

    def __init__(self) -> None:
        self._latencies: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def note(self, seconds: float) -> None:
        """Adds one measurement."""
        self._latencies.append((time.monotonic(), seconds))

    def percentile(self, percent: float) -> float | None:
        """Over the last seconds; None if nothing was noted."""
        now = time.monotonic()
        recent = [latency for at, latency in tuple(self._latencies) if now - at <= _SECONDS]
        return float(np.percentile(recent, percent)) if recent else None
