"""How long something takes on a machine that does other things as well."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

FEWEST_RUNS = 3


def seconds_of(work: Callable[[], object], budget: float) -> float:
    """The median time of a call.

    It is called once unmeasured, since the first call of a network or an index takes longer, then until the budget
    is used up, at least :data:`FEWEST_RUNS` times; of something that alone takes longer than the budget once.

    Args:
        work: What is timed.
        budget: Seconds.
    """
    started = time.perf_counter()
    work()
    slow = time.perf_counter() - started > budget
    taken: list[float] = []
    end = time.perf_counter() + budget
    while not taken or (not slow and (time.perf_counter() < end or len(taken) < FEWEST_RUNS)):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return max(statistics.median(taken), 1e-9)
