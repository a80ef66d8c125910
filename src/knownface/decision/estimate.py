"""A threshold for a wanted rate of false alarms, estimated from the enrolled templates alone.

Each enrolled person is looked for among the others, as a stranger would be. The similarities (cosines) of a probe to
people that it does not show are nearly normal, with a little skewness, in every space of embeddings that was tried
(three face networks, two of them joined, and a made space as poor as zero-shot CLIP's). Their mean is known well from
few people; their deviation is not, so it is drawn towards that of a cohort of the embedder, where there is one, and the
quantile is Student's, with as many degrees of freedom as there is evidence. How many of the enrolled people would
really have been taken for another then corrects what the distribution expects, the more so the more people there are
(a Gamma prior of a Poisson rate).

What is measured on the templates, :class:`GallerySpread`, knows nothing of the wanted rate, of the cohort or of people
who come later: a threshold is computed from it in microseconds.

It is an estimate: strangers who look more like the people enrolled than these look like each other are named more
often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.decision.averaging import measure_averaging
from knownface.decision.scoring import cosines_to_people, unit_vectors
from knownface.scorings import Scoring
from knownface.types import CohortSpread, Embeddings, Ids

FEWEST_PEOPLE = 3
"""Of fewer, nothing can be estimated."""

LEAST_SHARE = 1e-4
"""Smaller shares of strangers are not told."""

_AIM = 0.5
"""The share of the wanted rate that is aimed at: of 20 galleries 19 should keep within three times the rate."""
_LARGEST_AIM = 0.5
_HALVINGS = 20
_COHORT_PAIRS = 20.0
"""Independent pairs of people that a cohort's deviation and skewness count as."""
_UNKNOWN_PAIRS = 10.0
"""The same for a skewness of 0, where there is no cohort."""
_KURTOSIS_PAIRS = 1500.0
"""The same for a kurtosis of 0."""
_PEOPLE_DIFFER = 0.5
"""How much the people's own means vary, as a share of the variance of all cosines."""
_PRIOR_HITS = 2.0
"""Strength of the belief that the distribution is right: people expected, and seen, to be taken for another."""
_LEAST_HITS = 5.0
"""People expected to be taken for another where what is seen is compared with what is expected."""
_SMALLEST_RATE = 0.01
_LARGEST_RATE = 0.2
"""Beyond this rate the comparison would say little of the tail."""
_SHARES = tuple(float(share) for share in np.geomspace(0.002, 0.5, 33).round(6))
"""Of probes, for which the similarity to the nearest other person is kept."""
_GENUINE_SHARES = tuple(float(share) for share in np.linspace(0.02, 0.98, 25).round(6))
"""Of probes, for which the similarity to the other templates of the same person is kept."""
_MOST_PEOPLE = 2000
_MOST_TEMPLATES = 40_000
_MOST_PROBES = 2500
_SEED = 0

_Cosines: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GallerySpread:
    """How alike the people of a gallery are: moments and quantiles of cosines, and nobody's embedding.

    Attributes:
        people: How many were compared with each other.
        mean: Of the cosines of a probe to each person whom it does not show.
        deviation: Of the same.
        skewness: Of the same.
        kurtosis: Of the same, in excess of a normal distribution's.
        nearest: The cosines to the nearest other person that certain shares of probes exceed, descending.
        genuine: The cosines to the rest of the own person that certain shares of probes exceed, descending; empty where
            nobody has two templates.
        averaging: By what share of 1 - R² means of pictures are nearer to others than these are, in squares
            (:func:`knownface.decision.averaging.measure_averaging`); None where it could not be measured.
    """

    people: int
    mean: float
    deviation: float
    skewness: float
    kurtosis: float
    nearest: tuple[float, ...]
    genuine: tuple[float, ...]
    averaging: float | None = None

    def threshold(self, fpir: float, people: int, cohort: CohortSpread | None = None) -> float:
        """The distance within which about a share ``fpir`` of strangers finds somebody.

        Args:
            fpir: Above 0, below 1.
            people: In the gallery, at least 1.
            cohort: Of the embedder; None if nobody measured one.

        Returns:
            0 to 2.
        """
        tail = self._tail(cohort)
        rate = min(_LARGEST_AIM, _AIM * fpir / self._correction(tail))
        cosine = tail.quantile(_single_rate(rate, people))
        return math.sqrt(min(4.0, max(0.0, 2 - 2 * cosine)))

    def strangers_within(self, distance: float, people: int, cohort: CohortSpread | None = None) -> float:
        """About which share of strangers finds somebody within a distance: what :meth:`threshold` takes, turned round.

        Args:
            distance: 0 to 2.
            people: In the gallery, at least 1.
            cohort: Of the embedder; None if nobody measured one.

        Returns:
            :data:`LEAST_SHARE` to 1. Smaller shares would be guesses about what nobody of the gallery shows.
        """
        tail = self._tail(cohort)
        cosine, worth = 1 - distance**2 / 2, self._correction(tail) / _AIM
        if tail.quantile(_single_rate(LEAST_SHARE / worth, people)) <= cosine:
            return LEAST_SHARE
        low, high = math.log(LEAST_SHARE / worth), math.log(_LARGEST_AIM)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (
                (low, middle) if tail.quantile(_single_rate(math.exp(middle), people)) <= cosine else (middle, high)
            )
        return min(1.0, math.exp(high) * worth)

    def _correction(self, tail: _Tail) -> float:
        """By what more of the enrolled people would have been taken for another than the distribution expects."""
        rate = min(_LARGEST_RATE, max(_SMALLEST_RATE, _LEAST_HITS / self.people))
        limit = tail.quantile(_single_rate(rate, self.people - 1))
        seen = self.people * float(np.interp(-limit, -np.array(self.nearest), _SHARES, left=0.0))
        return (seen + _PRIOR_HITS) / (self.people * rate + _PRIOR_HITS)

    def named_share(self, threshold: float) -> float | None:
        """About which share of pictures of people with several templates is named; None where nobody has several.

        Args:
            threshold: A distance, 0 to 2.
        """
        if not self.genuine:
            return None
        ends = np.array([1.0, *self.genuine, -1.0])
        return float(np.interp(-(1 - threshold**2 / 2), -ends, [0.0, *_GENUINE_SHARES, 1.0]))

    def _tail(self, cohort: CohortSpread | None) -> _Tail:
        # Every pair of people is seen from both sides, and pairs that share a person are not independent.
        pairs = self.people * (self.people - 1) / 4
        # A distribution of Pearson's type III has this much of its own.
        kurtosis = (self.kurtosis - 1.5 * self.skewness**2) * pairs / (pairs + _KURTOSIS_PAIRS)
        if cohort is None:
            skewness = self.skewness * pairs / (pairs + _UNKNOWN_PAIRS)
            return _Tail(self.mean, self._widened(self.deviation), skewness, kurtosis, pairs)
        total = pairs + _COHORT_PAIRS
        variance = (pairs * self.deviation**2 + _COHORT_PAIRS * cohort.deviation**2) / total
        skewness = (pairs * self.skewness + _COHORT_PAIRS * cohort.skewness) / total
        return _Tail(self.mean, self._widened(math.sqrt(variance)), skewness, kurtosis, total)

    def _widened(self, deviation: float) -> float:
        """A deviation with what is not known of the mean, which differs from person to person."""
        return deviation * math.sqrt(1 + _PEOPLE_DIFFER / self.people)


def sample_people(people: Ids, templates: int) -> Ids:
    """Of so many people that comparing all of them would take long, some, drawn by chance, always the same ones.

    Args:
        people: Int64, shape (n,): their ids.
        templates: How many they have together.
    """
    most = min(_MOST_PEOPLE, max(FEWEST_PEOPLE, int(_MOST_TEMPLATES / max(1.0, templates / max(1, len(people))))))
    if len(people) <= most:
        return people
    return np.sort(np.random.default_rng(_SEED).choice(people, most, replace=False))


def measure_spreads(embeddings: Embeddings, people: Ids) -> dict[str, GallerySpread]:
    """Compare the people of a gallery with each other, 2,000 of them at most.

    Args:
        embeddings: Float32, shape (n, dim), unit vectors: the templates.
        people: Int64, shape (n,): whom each shows.

    Returns:
        By the way of scoring: ``nearest``, the template nearest to the probe, and ``nearest+mean``, where the mean of
        each person's templates is one more of theirs. Nothing for fewer than :data:`FEWEST_PEOPLE` people.
    """
    everybody = np.unique(people)
    chosen = sample_people(everybody, len(people))
    if len(chosen) < len(everybody):
        kept = np.isin(people, chosen)
        embeddings, people = embeddings[kept], people[kept]
    order = np.argsort(people, kind="stable")
    embeddings, people = embeddings[order], people[order]
    _, starts, person_of = np.unique(people, return_index=True, return_inverse=True)
    if len(starts) < FEWEST_PEOPLE:
        return {}
    probes = np.arange(len(people))
    if len(probes) > _MOST_PROBES:
        # The first of everybody, so that each person has a probe.
        rest = np.random.default_rng(_SEED).choice(probes, max(0, _MOST_PROBES - len(starts)))
        probes = np.concatenate([starts, rest])
    own = person_of[probes]
    weights = 1 / np.bincount(own)[own]
    genuine = _genuine(embeddings, starts, person_of, probes)
    averaging = measure_averaging(embeddings, people)
    return {
        scoring: replace(_summarised(others, genuine[scoring], own, weights), averaging=averaging.get(scoring))
        for scoring, others in cosines_to_people(embeddings[probes], embeddings, starts).items()
    }


def _summarised(others: _Cosines, genuine: _Cosines, own: Ids, weights: npt.NDArray[np.float64]) -> GallerySpread:
    rows, people = np.arange(len(own)), others.shape[1]
    others[rows, own] = -1.0
    nearest = others.max(axis=1)
    others[rows, own] = 0.0
    total = weights.sum() * (people - 1)
    light = weights.astype(np.float32)
    mean = float((light @ others).sum(dtype=np.float64) / total)
    others -= np.float32(mean)
    others[rows, own] = 0.0
    squares = others * others
    variance = float((light @ squares).sum(dtype=np.float64) / total)
    skewness = float((light @ (squares * others)).sum(dtype=np.float64) / total) / max(variance, 1e-12) ** 1.5
    squares *= squares
    kurtosis = float((light @ squares).sum(dtype=np.float64) / total) / max(variance, 1e-12) ** 2 - 3
    several = ~np.isnan(genuine)
    return GallerySpread(
        people=people,
        mean=mean,
        deviation=math.sqrt(variance),
        skewness=skewness,
        kurtosis=kurtosis,
        nearest=_exceeded(nearest, weights, _SHARES),
        genuine=_exceeded(genuine[several], weights[several], _GENUINE_SHARES) if several.any() else (),
    )


def _genuine(embeddings: Embeddings, starts: Ids, person_of: Ids, probes: Ids) -> dict[Scoring, _Cosines]:
    """By the way of scoring: the cosines of probes to the rest of the own person; NaN where there is no rest."""
    own, counts = person_of[probes], np.bincount(person_of)
    ends = np.append(starts[1:], len(embeddings))
    nearest = np.full(len(probes), np.nan, np.float32)
    for row in np.flatnonzero(counts[own] > 1).tolist():
        cosines = embeddings[starts[own[row]] : ends[own[row]]] @ embeddings[probes[row]]
        cosines[probes[row] - starts[own[row]]] = -1.0
        nearest[row] = cosines.max()
    rest = unit_vectors(np.add.reduceat(embeddings, starts, axis=0)[own] - embeddings[probes])
    of_rest = np.einsum("ij,ij->i", rest, embeddings[probes])
    return {"nearest": nearest, "nearest+mean": np.maximum(nearest, of_rest)}


def _exceeded(
    values: npt.NDArray[np.float32], weights: npt.NDArray[np.float64], shares: tuple[float, ...]
) -> tuple[float, ...]:
    """The values that these shares exceed; the largest value is exceeded by none."""
    order = np.argsort(-values, kind="stable")
    above = np.cumsum(weights[order]) / weights.sum()
    return tuple(float(v) for v in np.interp(shares, above, values[order]).round(6))


@dataclass(frozen=True, slots=True)
class _Tail:
    """The distribution of the cosines of a probe and people whom it does not show."""

    mean: float
    deviation: float
    skewness: float
    kurtosis: float
    freedom: float

    def quantile(self, rate: float) -> float:
        """The cosine that a share ``rate`` exceeds."""
        z = NormalDist().inv_cdf(1 - rate)
        shaped = skewed_quantile(_bent(z, self.kurtosis), self.skewness)
        return self.mean + self.deviation * shaped * _heavier(z, max(3.0, self.freedom))


def _bent(z: float, kurtosis: float) -> float:
    """A normal quantile as that of a symmetric distribution of an excess kurtosis, scaled to the variance 1.

    Below 0 that of the cosines of random directions in as many dimensions, bounded; above 0 Student's.
    """
    if kurtosis < 0:
        dimensions = max(4.0, -6 / kurtosis - 2)
        t = z * _heavier(z, dimensions - 1)
        return t * math.sqrt(dimensions / (dimensions - 1 + t**2))
    freedom = 4 + 6 / max(kurtosis, 1e-6)
    return z * _heavier(z, freedom) * math.sqrt(1 - 2 / freedom)


def skewed_quantile(z: float, skewness: float) -> float:
    """A normal quantile as that of a Pearson type III distribution (Wilson and Hilferty, 1931)."""
    if abs(skewness) < 1e-3:
        return z
    return 2 / skewness * ((1 + skewness * z / 6 - skewness**2 / 36) ** 3 - 1)


def _heavier(z: float, freedom: float) -> float:
    """By what Student's quantile is farther out than the normal one (Hill, 1970: three terms)."""
    first = (z**2 + 1) / 4
    second = (5 * z**4 + 16 * z**2 + 3) / 96
    third = (3 * z**6 + 19 * z**4 + 17 * z**2 - 15) / 384
    return 1 + first / freedom + second / freedom**2 + third / freedom**3


def _single_rate(rate: float, people: int) -> float:
    """The rate of finding one of a number of people, as that of finding a certain one."""
    return -math.expm1(math.log1p(-rate) / people)
