"""A threshold for a wanted rate of false alarms, estimated from the enrolled templates alone.

Each enrolled person is looked for among the others, as a stranger would be. The similarities (cosines) of a probe to
people that it does not show are nearly normal, with a little skewness, in every space of embeddings that was tried
(three face networks, two of them joined, and a made space as poor as zero-shot CLIP's). Their mean is known well from
few people; their deviation is not, so it is drawn towards that of a cohort of the embedder, where there is one, and the
quantile is Student's, with as many degrees of freedom as there is evidence. How many of the enrolled people would
really have been taken for another then corrects what the distribution expects, the more so the more people there are
(a Gamma prior of a Poisson rate).

It is an estimate: strangers who look more like the people enrolled than these look like each other are named more
often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from knownface.types import CohortSpread, Embeddings, Ids

FEWEST_PEOPLE = 3
"""Of fewer, nothing can be estimated."""

_AIM = 0.65
"""The share of the wanted rate that is aimed at: of 20 galleries 19 should keep within three times the rate."""
_COHORT_PAIRS = 20.0
"""Independent pairs of people that a cohort's deviation and skewness count as."""
_UNKNOWN_PAIRS = 10.0
"""The same for a skewness of 0, where there is no cohort."""
_PRIOR_HITS = 2.0
"""Strength of the belief that the distribution is right: people expected, and seen, to be taken for another."""
_LEAST_HITS = 5.0
"""People expected to be taken for another where what is seen is compared with what is expected."""
_LARGEST_RATE = 0.2
"""Beyond this rate the comparison would say little of the tail."""
_MOST_PEOPLE = 2000
_MOST_TEMPLATES = 40_000
_MOST_PROBES = 4000
_BLOCK_COSINES = 16_000_000
"""Computed at a time, 64 MB of them, however many templates there are."""
_SEED = 0


def estimate_threshold(
    embeddings: Embeddings, people: Ids, fpir: float, cohort: CohortSpread | None = None
) -> float | None:
    """The distance within which about a share ``fpir`` of strangers finds somebody of this gallery.

    At most 2,000 people are compared with each other, chosen by chance, always the same ones.

    Args:
        embeddings: Float32, shape (n, dim), unit vectors: the templates.
        people: Int64, shape (n,): whom each shows.
        fpir: Above 0, below 1.
        cohort: Of the embedder; None if nobody measured one.

    Returns:
        0 to 2; None for a gallery of fewer than :data:`FEWEST_PEOPLE` people.
    """
    count = len(np.unique(people))
    if count < FEWEST_PEOPLE:
        return None
    cosines, weights = _impostor_cosines(*_sampled(embeddings, people))
    compared = cosines.shape[1]
    spread = _Tail.of(cosines, weights, compared, cohort)
    rate = min(_LARGEST_RATE, max(fpir, _LEAST_HITS / compared))
    limit = spread.quantile(_single_rate(rate, compared - 1))
    seen = float((weights * (np.nanmax(cosines, axis=1) > limit)).sum())
    correction = (seen + _PRIOR_HITS) / (compared * rate + _PRIOR_HITS)
    cosine = spread.quantile(_single_rate(min(0.5, _AIM * fpir / correction), count))
    return math.sqrt(max(0.0, 2 - 2 * cosine))


@dataclass(frozen=True, slots=True)
class _Tail:
    """The distribution of the cosines of a probe and people whom it does not show."""

    mean: float
    deviation: float
    skewness: float
    freedom: float

    @classmethod
    def of(
        cls,
        cosines: npt.NDArray[np.float32],
        weights: npt.NDArray[np.float64],
        compared: int,
        cohort: CohortSpread | None,
    ) -> _Tail:
        known = ~np.isnan(cosines)
        w = np.broadcast_to(weights[:, np.newaxis], cosines.shape)[known]
        values = cosines[known].astype(np.float64)
        mean = float(np.average(values, weights=w))
        variance = float(np.average((values - mean) ** 2, weights=w))
        skewness = float(np.average((values - mean) ** 3, weights=w)) / max(variance, 1e-12) ** 1.5
        # Every pair of people is seen from both sides, and pairs that share a person are not independent.
        pairs = compared * (compared - 1) / 4
        if cohort is None:
            return cls(mean, math.sqrt(variance), skewness * pairs / (pairs + _UNKNOWN_PAIRS), pairs)
        total = pairs + _COHORT_PAIRS
        variance = (pairs * variance + _COHORT_PAIRS * cohort.deviation**2) / total
        skewness = (pairs * skewness + _COHORT_PAIRS * cohort.skewness) / total
        return cls(mean, math.sqrt(variance), skewness, total)

    def quantile(self, rate: float) -> float:
        """The cosine that a share ``rate`` exceeds."""
        z = NormalDist().inv_cdf(1 - rate)
        return self.mean + self.deviation * _skewed(z, self.skewness) * _heavier(z, max(3.0, self.freedom))


def _skewed(z: float, skewness: float) -> float:
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


def _sampled(embeddings: Embeddings, people: Ids) -> tuple[Embeddings, Ids]:
    """Templates of at most so many people that comparing all of them takes a moment."""
    everybody = np.unique(people)
    most = min(_MOST_PEOPLE, max(FEWEST_PEOPLE, int(_MOST_TEMPLATES / (len(people) / len(everybody)))))
    if len(everybody) <= most:
        return embeddings, people
    chosen = np.random.default_rng(_SEED).choice(everybody, most, replace=False)
    kept = np.isin(people, chosen)
    return embeddings[kept], people[kept]


def _impostor_cosines(embeddings: Embeddings, people: Ids) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Probes against people: the cosine to the nearest template of each, NaN for the person whom the probe shows.

    Returns:
        Shape (probes, people), and how much of its person each probe stands for; shape (probes,), a sum of 1 a person.
    """
    order = np.argsort(people, kind="stable")
    embeddings, people = embeddings[order], people[order]
    _, starts, person_of = np.unique(people, return_index=True, return_inverse=True)
    probes = np.arange(len(people))
    if len(probes) > _MOST_PROBES:
        probes = np.concatenate([starts, np.random.default_rng(_SEED).choice(probes, _MOST_PROBES - len(starts))])
    nearest = np.empty((len(probes), len(starts)), np.float32)
    block = max(1, _BLOCK_COSINES // len(people))
    for first in range(0, len(probes), block):
        rows = slice(first, first + block)
        nearest[rows] = np.maximum.reduceat(embeddings[probes[rows]] @ embeddings.T, starts, axis=1)
    nearest[np.arange(len(probes)), person_of[probes]] = np.nan
    return nearest, 1 / np.bincount(person_of[probes])[person_of[probes]]
