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
    ways = math.log(math.comb(trials, errors))
    low, high = errors / trials, 1.0
    while low < (middle := (low + high) / 2) < high:
        too_low = _at_most(errors, trials, middle, ways) > 1.0 - confidence
        low, high = (middle, high) if too_low else (low, middle)
    return low


def _at_most(errors: int, trials: int, rate: float, ways: float | None = None) -> float:
    """The chance of no more than so many errors where each trial has one at this rate (binomial).

    Args:
        errors: Less than ``trials``.
        trials: Above 0.
        rate: Above 0, below 1.
        ways: The logarithm of the binomial coefficient, where it is known.
    """
    if ways is None:
        ways = math.log(math.comb(trials, errors))
    fewer = np.arange(errors, 0, -1)
    return _sum_of(
        ways + errors * math.log(rate) + (trials - errors) * math.log1p(-rate),
        fewer / (trials - fewer + 1.0) * ((1.0 - rate) / rate),
    )


def _sum_of(log_last: float, ratios: Floats) -> float:
    """The sum of a row of probabilities: the last of them, and how many times the next one each one before it is."""
    logs = log_last + np.cumsum(np.log(ratios))
    return math.exp(log_last) + float(np.exp(logs).sum())


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
    most = first_true(0, trials, lambda errors: _at_most(errors, trials, rate) > 1.0 - confidence) - 1
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

    def is_enough(count: int) -> bool:
        # More than count: of the smallest allowed + 1 + count of all distances, at most `allowed` are the first's.
        return _drawn_at_most(allowed, trials, later, min(allowed + 1 + count, trials + later)) <= 1.0 - confidence

    return first_true(0, later, is_enough)


def _drawn_at_most(most: int, first: int, second: int, drawn: int) -> float:
    """The chance that ``drawn`` of ``first + second`` hold at most so many of the first (hypergeometric)."""
    most = min(most, first, drawn)
    least = max(0, drawn - second)
    if most < least:
        return 0.0
    ways = math.log(math.comb(first, most)) + math.log(math.comb(second, drawn - most))
    fewer = np.arange(most, least, -1)
    ratios = fewer / (first - fewer + 1.0) * (second - drawn + fewer) / (drawn - fewer + 1.0)
    return _sum_of(ways - math.log(math.comb(first + second, drawn)), ratios)


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
