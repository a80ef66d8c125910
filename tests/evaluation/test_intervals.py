"""Exact bounds against tables and definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from knownface.evaluation.intervals import (
    clopper_pearson,
    most_errors,
    rate_interval,
    seen_later,
    trials_needed,
    upper_bound,
)


def test_rule_of_three() -> None:
    assert upper_bound(0, 1000) == pytest.approx(3 / 1000, rel=5e-3)
    assert trials_needed(0.01) == 299
    assert trials_needed(0.003) == 998
    assert trials_needed(0.001) == 2995


@given(st.integers(0, 50), st.integers(1, 200), st.sampled_from([0.9, 0.95, 0.99]))
def test_upper_bound_is_where_so_few_errors_become_unlikely(errors: int, trials: int, confidence: float) -> None:
    bound = upper_bound(errors, trials, confidence)
    if errors >= trials:
        assert bound == 1.0
    else:
        assert stats.binom.cdf(errors, trials, bound) == pytest.approx(1 - confidence, abs=1e-9)


@given(st.integers(1, 100), st.integers(1, 100))
def test_two_sided_is_scipys(errors: int, more: int) -> None:
    expected = stats.binomtest(errors, errors + more).proportion_ci(0.95, method="exact")
    got = clopper_pearson(errors, errors + more)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high))


@given(st.integers(0, 3000), st.floats(0.001, 0.5))
def test_most_errors_is_the_last_that_is_bound(trials: int, rate: float) -> None:
    most = most_errors(trials, rate)
    if most is None:
        assert upper_bound(0, trials) > rate
        assert trials < trials_needed(rate)
    else:
        assert upper_bound(most, trials) <= rate < upper_bound(most + 1, trials)


@given(st.integers(0, 60), st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([0.9, 0.95, 0.99]))
def test_seen_later_is_the_first_count_that_is_rarely_exceeded(
    allowed: int, trials: int, later: int, confidence: float
) -> None:
    count = seen_later(allowed, trials, later, confidence)

    def exceeded(count: int) -> float:
        return float(stats.hypergeom.cdf(allowed, trials + later, trials, min(allowed + 1 + count, trials + later)))

    assert exceeded(count) <= 1 - confidence + 1e-9 or count == later
    assert count == 0 or exceeded(count - 1) > 1 - confidence - 1e-9


def test_many_trials_are_counted_as_exactly_as_few() -> None:
    for errors in (0, 3, 1000, 50_000):
        assert stats.binom.cdf(errors, 100_000, upper_bound(errors, 100_000)) == pytest.approx(0.05, abs=1e-8)
    most = most_errors(100_000, 0.01)
    assert most is not None
    assert stats.binom.cdf(most, 100_000, 0.01) <= 0.05 < stats.binom.cdf(most + 1, 100_000, 0.01)


def test_nothing_tried_nothing_known() -> None:
    assert upper_bound(0, 0) == 1.0
    interval = clopper_pearson(0, 0)
    assert (interval.low, interval.high) == (0.0, 1.0)
    assert most_errors(0, 0.5) is None


def test_seen_later_holds_for_any_distances() -> None:
    rng = np.random.default_rng(0)
    first, second = np.sort(rng.random((20_000, 40)), axis=1), rng.random((20_000, 60))
    for allowed in (0, 2):
        seen = (second < first[:, [allowed]]).sum(axis=1)
        most = seen_later(allowed, 40, 60)
        assert (seen <= most).mean() >= 0.947
        assert (seen <= most - 1).mean() < 0.955
    assert seen_later(40, 40, 60) == 60


def test_bootstrap_draws_people_not_searches() -> None:
    # All errors are one person's: the number of searches does not make it surer.
    searches = np.full(20, 100.0)
    together, spread = np.zeros(20), np.full(20, 5.0)
    together[0] = 100.0
    assert rate_interval(together, searches).high > 0.1
    assert rate_interval(spread, searches).high == pytest.approx(0.05)


def test_no_error_seen_is_bound_by_people() -> None:
    assert rate_interval(np.zeros(20), np.full(20, 100.0)).high == pytest.approx(upper_bound(0, 20))
    assert rate_interval(np.full(20, 100.0), np.full(20, 100.0)).low == pytest.approx(1 - upper_bound(0, 20))
    assert 0.5 in rate_interval(np.array([]), np.array([]))


def test_one_search_each_is_counted_exactly() -> None:
    errors = np.r_[np.ones(3), np.zeros(97)]
    got, expected = rate_interval(errors, np.ones(100)), clopper_pearson(3, 100)
    assert (got.low, got.high) == (expected.low, expected.high)
