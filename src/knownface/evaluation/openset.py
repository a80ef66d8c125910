"""The open set: how often strangers get a name, and how often known people do not get theirs.

Terms of ISO/IEC 19795-1 and of NIST's Face Recognition Technology Evaluation, 1:N: a non-mated search is a false
positive where any name is returned at the threshold (FPIR), a mated search is a miss where the right person is not
returned (FNIR); TPIR = 1 - FNIR. What is returned is the answer of the vote, so a wrong name is a miss. With k1 = 1
that answer is the nearest template's person: the usual rank-1 search.

Faces that no detector found were never searched. They are counted apart: a stranger nobody saw is no right refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knownface.evaluation.answer_steps import AnswerSteps, answer_steps
from knownface.evaluation.faces import Searches
from knownface.evaluation.grid import threshold_range
from knownface.evaluation.intervals import (
    RESAMPLES,
    Floats,
    Interval,
    rate_interval,
    resample_people,
    trials_needed,
)
from knownface.types import Ids

THRESHOLDS = threshold_range(0.0, 2.0, 0.005)
FPIR_LEVELS = (0.1, 0.01, 0.003, 0.001)

_BLOCK = 1 << 23
"""Numbers of bootstrap weights held at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenSet:
    """Counts of both kinds of search, by person and threshold.

    Attributes:
        thresholds: Float64, shape (t,), ascending.
        hits: Int64, shape (p, t): mated searches of each known person that returned that person.
        mated: Int64, shape (p,): mated searches of each, above 0.
        named: Int64, shape (s, t): searches of each stranger that returned anybody.
        non_mated: Int64, shape (s,): searches of each, above 0.
        undetected_mated: Probes of known people in which no face was found.
        undetected_strangers: Probes of strangers in which no face was found.
    """

    thresholds: Floats
    hits: Ids
    mated: Ids
    named: Ids
    non_mated: Ids
    undetected_mated: int = 0
    undetected_strangers: int = 0

    @property
    def fpir(self) -> Floats:
        """FPIR at each threshold; NaN without strangers."""
        return _rate(self.named, self.non_mated)

    @property
    def tpir(self) -> Floats:
        """TPIR at each threshold; NaN without mated searches."""
        return _rate(self.hits, self.mated)

    @property
    def fnir(self) -> Floats:
        """FNIR at each threshold; NaN without mated searches."""
        return 1.0 - self.tpir


def _rate(counts: Ids, searches: Ids) -> Floats:
    total = searches.sum()
    rates: Floats = counts.sum(axis=0) / total if total else np.full(counts.shape[1], np.nan)
    return rates


def open_set(
    searches: Searches,
    *,
    k1: int = 1,
    k2: int = 2,
    margin: float = 0.0,
    thresholds: Floats = THRESHOLDS,
    undetected_mated: int = 0,
    undetected_strangers: int = 0,
) -> OpenSet:
    """Count both kinds of search at every threshold.

    Args:
        searches: Mated and non-mated ones together.
        k1: First vote; 1 is the nearest template alone.
        k2: Second vote.
        margin: As in :class:`knownface.types.DecisionRule`.
        thresholds: Ascending.
        undetected_mated: Probes of known people in which no face was found.
        undetected_strangers: The same of strangers.

    Raises:
        InputError: k1 and k2 do not fit, or there are too few neighbours.
    """
    steps = next(answer_steps(searches.neighbours, [(k1, k2)], thresholds, margin))
    of_mated = searches.mated[steps.probes]
    right = of_mated & (searches.people[steps.probes] == steps.people)
    hits, mated = _by_person(searches, searches.mated, steps.where(right), len(thresholds))
    named, non_mated = _by_person(searches, ~searches.mated, steps.where(~of_mated), len(thresholds))
    return OpenSet(thresholds, hits, mated, named, non_mated, undetected_mated, undetected_strangers)


def _by_person(
    searches: Searches, rows: np.typing.NDArray[np.bool_], steps: AnswerSteps, thresholds: int
) -> tuple[Ids, Ids]:
    """Answers counted for each person among the rows, and that person's rows."""
    people, numbers = np.unique(searches.people[rows], return_counts=True)
    unit = np.searchsorted(people, searches.people[steps.probes])
    return steps.count(unit, len(people), thresholds), numbers.astype(np.int64)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a wanted FPIR costs.

    Attributes:
        wanted_fpir: The rate asked for.
        threshold: The largest at which the FPIR seen, here and at every smaller threshold, is not above it; None
            where there is none.
        fpir: The FPIR seen there.
        fpir_interval: Its interval, by people.
        tpir: The TPIR seen there.
        tpir_interval: Its interval: the threshold is found anew for every resample of strangers and known people.
        strangers: Strangers searched.
        strangers_needed: How many, with nobody named, could show such a rate at this confidence. With fewer,
            ``wanted_fpir`` is what was seen, not what can be guaranteed.
    """

    wanted_fpir: float
    threshold: float | None
    fpir: float
    fpir_interval: Interval
    tpir: float
    tpir_interval: Interval
    strangers: int
    strangers_needed: int


def operating_points(
    counts: OpenSet, levels: Sequence[float] = FPIR_LEVELS, *, confidence: float = 0.95, seed: int = 0
) -> list[OperatingPoint]:
    """TPIR at given FPIR, with intervals by bootstrap over people.

    Args:
        counts: With strangers and mated searches; without either the list is empty.
        levels: Rates wanted, each above 0 and below 1.
        confidence: Of the intervals.
        seed: Of the resampling.
    """
    strangers, known = len(counts.non_mated), len(counts.mated)
    if not strangers or not known:
        return []
    wanted = np.asarray(levels, dtype=np.float64)
    drawn = _bootstrap(counts, wanted, np.random.default_rng(seed))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail], axis=0)
    chosen = _last_within(counts.fpir[None, :], wanted)[0]
    points = []
    for i, (level, index) in enumerate(zip(wanted.tolist(), chosen.tolist(), strict=True)):
        at = max(index, 0)
        misses = counts.mated - counts.hits[:, at] if index >= 0 else counts.mated
        tpir = 1.0 - misses.sum() / counts.mated.sum()
        # No miss seen in any resample is no proof that there is none.
        floor = rate_interval(misses.astype(np.float64), counts.mated.astype(np.float64), confidence, seed)
        named = counts.named[:, at] if index >= 0 else np.zeros(strangers, dtype=np.int64)
        points.append(
            OperatingPoint(
                wanted_fpir=level,
                threshold=float(counts.thresholds[index]) if index >= 0 else None,
                fpir=float(named.sum() / counts.non_mated.sum()),
                fpir_interval=rate_interval(named.astype(float), counts.non_mated.astype(float), confidence, seed),
                tpir=float(tpir),
                tpir_interval=Interval(min(float(low[i]), 1.0 - floor.high), max(float(high[i]), 1.0 - floor.low)),
                strangers=strangers,
                strangers_needed=trials_needed(level, confidence),
            )
        )
    return points


def _last_within(fpir: Floats, wanted: Floats) -> Ids:
    """For each row and wanted rate, the last index up to which the rate is kept; -1 where it never is."""
    # With a margin the FPIR can fall again at a larger threshold; its running maximum is what a rate is held to.
    highest = np.maximum.accumulate(fpir, axis=1)
    return np.stack([(highest <= rate).sum(axis=1) - 1 for rate in wanted], axis=1)


def _bootstrap(counts: OpenSet, wanted: Floats, rng: np.random.Generator) -> Floats:
    """TPIR at each wanted rate for resampled people: shape (resamples, rates)."""
    step = max(1, _BLOCK // (len(counts.non_mated) + len(counts.mated)))
    parts = []
    for start in range(0, RESAMPLES, step):
        size = min(step, RESAMPLES - start)
        strangers = resample_people(len(counts.non_mated), size, rng)
        known = resample_people(len(counts.mated), size, rng)
        fpir = (strangers @ counts.named) / (strangers @ counts.non_mated)[:, None]
        tpir = (known @ counts.hits) / (known @ counts.mated)[:, None]
        chosen = _last_within(fpir, wanted)
        parts.append(np.where(chosen >= 0, np.take_along_axis(tpir, np.maximum(chosen, 0), axis=1), 0.0))
    return np.concatenate(parts)
