"""How sure a rate is that was seen on a limited number of people.

Searches of one person resemble each other, so the unit here is always the person: bounds count people, the bootstrap
draws people.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def upper_bound(errors: int, trials: int, confidence: float = 0.95) -> float:
    """The largest rate that fits ``errors`` among ``trials`` (Clopper and Pearson, 1934; one-sided, exact).

    Without an error it is 1 - (1 - confidence)^(1 / trials), about 3 / trials at 95 %: the rule of three.

    Returns:
        0 to 1; 1 where nothing was tried.
    """
    if errors >= trials:
        return 1.0
    return float(special.betaincinv(errors + 1, trials - errors, confidence))


def clopper_pearson(errors: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact two-sided interval of a rate.

    Where no error was seen, or nothing but errors, it is one-sided at the full confidence: the rule of three.
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    if errors == 0:
        return Interval(0.0, upper_bound(0, trials, confidence))
    if errors == trials:
        return Interval(1.0 - upper_bound(0, trials, confidence), 1.0)
    side = (1.0 + confidence) / 2.0
    return Interval(1.0 - upper_bound(trials - errors, trials, side), upper_bound(errors, trials, side))


def most_errors(trials: int, rate: float, confidence: float = 0.95) -> int | None:
    """How many errors among ``trials`` still bound the rate by ``rate``; None where not even none does."""
    most = first_true(0, trials, lambda errors: upper_bound(errors, trials, confidence) > rate) - 1
    return most if most >= 0 else None


def first_true(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first whole number from ``low`` on, at most ``high``, for which something holds that never stops holding."""
    return bisect.bisect_left(range(low, high), True, key=holds) + low


def trials_needed(rate: float, confidence: float = 0.95) -> int:
    """How many trials without an error bound the rate by ``rate``: about 3 / rate at 95 %.

    Args:
        rate: Above 0, below 1.
        confidence: Above 0, below 1.
    """
    return math.ceil(math.log(1.0 - confidence) / math.log1p(-rate))


def seen_later(allowed: int, trials: int, later: int, confidence: float = 0.95) -> int:
    """How many errors a second sample may show, if a threshold was set just below the next error of a first one.

    The threshold lies below the (``allowed`` + 1)-th smallest distance of ``trials`` people. If ``later`` further
    people come from the same population, which of all their distances are the smallest is chance alone, so the count
    follows the negative hypergeometric distribution whatever the distances are (Wilks, 1942).

    Returns:
        The smallest count that is not exceeded with this confidence.
    """
    # Importing it takes longer than all else here, and most users of this module do not need it.
    from scipy.stats import hypergeom

    def is_enough(count: int) -> bool:
        # More than count: of the smallest allowed + 1 + count of all distances, at most `allowed` are the first's.
        more = hypergeom.cdf(allowed, trials + later, trials, min(allowed + 1 + count, trials + later))
        return bool(more <= 1.0 - confidence)

    return first_true(0, later, is_enough)


def resample_people(people: int, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each person is drawn in each bootstrap sample: shape (resamples, people)."""
    return rng.multinomial(people, np.full(people, 1.0 / people), size=resamples).astype(np.float64)


def rate_interval(errors: Floats, searches: Floats, confidence: float = 0.95, seed: int = 0) -> Interval:
    """The interval of a rate of errors by bootstrap over people (percentiles).

    A bootstrap cannot reach beyond what was seen: where nothing but right, or nothing but wrong, was seen, the exact
    interval of so many people is taken (the rule of three); the same where everybody has one search only, since then
    there are counts and nothing else.

    Args:
        errors: Shape (p,): each person's errors.
        searches: Shape (p,): each person's searches, above 0.
        confidence: Above 0, below 1.
        seed: Of the resampling.
    """
    people = len(errors)
    wrong = errors == searches
    if np.all(wrong | (errors == 0)) and (np.all(searches == 1) or len(np.unique(wrong)) < 2):
        return clopper_pearson(int(wrong.sum()), people, confidence)
    draws = resample_people(people, RESAMPLES, np.random.default_rng(seed))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile((draws @ errors) / (draws @ searches), [tail, 1.0 - tail]).tolist()
    return Interval(low, high)
