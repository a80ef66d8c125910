"""Rates and delays of the last seconds."""

from __future__ import annotations

import time
from collections import deque

import numpy as np

_SECONDS = 5.0
_MOST = 2000


class RollingRate:
    """How often something happens. One thread counts, any may read."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MOST)

    def count(self) -> None:
        """It happened."""
        self._times.append(time.monotonic())

    def per_second(self) -> float:
        """Over the last seconds; 0 if it happened less than twice."""
        now = time.monotonic()
        recent = [at for at in tuple(self._times) if now - at <= _SECONDS]
        return (len(recent) - 1) / span if len(recent) > 1 and (span := max(now - recent[0], 1e-6)) else 0.0


class RollingLatency:
    """How long something takes. One thread notes, any may read."""

    def __init__(self) -> None:
        self._delays: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def note(self, seconds: float) -> None:
        """It took so long."""
        self._delays.append((time.monotonic(), seconds))

    def percentile(self, percent: float) -> float | None:
        """Over the last seconds; None if nothing was noted."""
        now = time.monotonic()
        recent = [delay for at, delay in tuple(self._delays) if now - at <= _SECONDS]
        return float(np.percentile(recent, percent)) if recent else None
