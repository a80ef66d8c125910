"""Curves over the distance: ROC and precision-recall, CMC, and the distances of genuine and impostor pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knownface.errors import InputError
from knownface.evaluation.faces import FaceSet, Searches, encode_people
from knownface.evaluation.neighbours import nearest_of_people
from knownface.scorings import Scoring
from knownface.types import Ids

Floats = npt.NDArray[np.float64]

LARGEST_PAIRS = 1_000_000
"""Pairs of each kind beyond which some are drawn."""
_ALL_PAIRS = 4_000_000
_LARGEST_PERSON = 1500
"""Of a person with more faces (a long video), so many are drawn before they are paired."""
_BLOCK = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class DistanceCurve:
    """What is accepted at every distance that occurs, nearest first.

    Attributes:
        thresholds: Float64, shape (t,), ascending: accepted is what is at most so far away.
        accepted_genuine: Int64, shape (t,): right ones among the accepted.
        accepted_impostors: Int64, shape (t,): wrong ones among the accepted.
        genuine: All right ones.
        impostors: All wrong ones.
    """

    thresholds: Floats
    accepted_genuine: Ids
    accepted_impostors: Ids
    genuine: int
    impostors: int

    @property
    def true_positive_rate(self) -> Floats:
        """Accepted among the right ones, which is also the recall; 0 where there is none."""
        return self.accepted_genuine / max(1, self.genuine)

    @property
    def false_positive_rate(self) -> Floats:
        """Accepted among the wrong ones; 0 where there is none."""
        return self.accepted_impostors / max(1, self.impostors)

    @property
    def precision(self) -> Floats:
        """Right among the accepted."""
        return self.accepted_genuine / (self.accepted_genuine + self.accepted_impostors)

    @property
    def area(self) -> float:
        """Area under the ROC curve: the chance that a right one is nearer than a wrong one; NaN without either."""
        if not self.genuine or not self.impostors:
            return float("nan")
        x = np.concatenate([[0.0], self.false_positive_rate])
        y = np.concatenate([[0.0], self.true_positive_rate])
        return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2.0))

    @property
    def average_precision(self) -> float:
        """Precision averaged over the steps of recall; 0 without right ones."""
        return float(np.sum(np.diff(self.true_positive_rate, prepend=0.0) * self.precision))


def distance_curve(distances: npt.NDArray[np.floating], genuine: npt.NDArray[np.bool_]) -> DistanceCurve:
    """Sweep the threshold over all distances.

    Args:
        distances: Shape (n,); infinite ones are never accepted.
        genuine: Shape (n,): which are right.
    """
    order = np.argsort(distances, kind="stable")
    ordered, right = distances[order].astype(np.float64), genuine[order]
    last = np.r_[ordered[1:] != ordered[:-1], True][: len(ordered)] & np.isfinite(ordered)
    hits = np.cumsum(right, dtype=np.int64)
    seen = np.arange(1, len(ordered) + 1)
    total = int(genuine.sum())
    return DistanceCurve(ordered[last], hits[last], (seen - hits)[last], total, len(distances) - total)


def one_against_rest(
    gallery: FaceSet, probes: FaceSet, scoring: Scoring = "nearest"
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Every probe against every enrolled person: their distance by a scoring, and whether it is that person.

    This is the paper's ROC: with many people there are so many wrong pairs that the curve says little.

    Returns:
        Two arrays of shape (probes * people,).
    """
    _, enrolled, codes, probe_codes = encode_people(gallery, probes)
    distances = nearest_of_people(gallery.embeddings, codes, probes.embeddings, scoring)
    return distances.ravel(), (probe_codes[:, None] == np.arange(enrolled)).ravel()


def nearest_curve(searches: Searches) -> DistanceCurve:
    """The curve over each probe's nearest distance: right where the nearest template shows the probe's person.

    Strangers, and probes whose nearest template is somebody else's, are the wrong ones.
    """
    near = searches.neighbours
    return distance_curve(near.distances[:, 0], near.people[:, 0] == searches.truth)


def match_ranks(gallery: FaceSet, probes: FaceSet, scoring: Scoring = "nearest") -> Ids:
    """At which rank each probe's person comes, people ordered by their distance by a scoring; from 1.

    People at the same distance count as nearer. Probes of strangers are left out.
    """
    _, enrolled, codes, probe_codes = encode_people(gallery, probes)
    mated = probe_codes < enrolled
    distances = nearest_of_people(gallery.embeddings, codes, probes.embeddings[mated], scoring)
    own = np.take_along_axis(distances, probe_codes[mated, None], axis=1)
    ranks: Ids = (distances <= own).sum(axis=1)
    return ranks


def cmc(ranks: Ids, highest: int) -> Floats:
    """Cumulative match characteristic: the share of mated searches whose person is among the first r, r from 1.

    Args:
        ranks: From :func:`match_ranks`.
        highest: Last rank.

    Returns:
        Float64, shape (highest,); zeros where there is no search.
    """
    counts = np.bincount(np.minimum(ranks, highest + 1), minlength=highest + 2)[1 : highest + 1]
    return counts.cumsum() / max(1, len(ranks))


@dataclass(frozen=True, slots=True, eq=False)
class PairDistances:
    """Distances of pairs of faces.

    Attributes:
        genuine: Float32: pairs of one person from two sources.
        impostor: Float32: pairs of two people.
        genuine_total: How many such pairs there are; more than are given where some were drawn.
        impostor_total: The same of impostor pairs.
    """

    genuine: npt.NDArray[np.float32]
    impostor: npt.NDArray[np.float32]
    genuine_total: int
    impostor_total: int


def pair_distances(faces: FaceSet, *, largest: int = LARGEST_PAIRS, seed: int = 0) -> PairDistances:
    """Distances of all pairs, or of some drawn at random where there are very many.

    Two faces of one source say nothing about recognition and are no pair.

    Args:
        faces: At least two.
        largest: Pairs of each kind to give at most.
        seed: Of the draw.

    Raises:
        InputError: Fewer than two faces.
    """
    if len(faces) < 2:
        raise InputError("Pairs need at least two faces.")
    rng = np.random.default_rng(seed)
    who = np.unique(faces.people, return_inverse=True)[1]
    origin = np.unique(faces.sources, return_inverse=True)[1]
    both = np.unique(np.stack([who, origin]), axis=1, return_inverse=True)[1]
    total, of_people, of_sources, of_both = (_pairs_within(g) for g in (np.zeros_like(who), who, origin, both))
    if total <= max(_ALL_PAIRS, largest):
        pairs = np.stack(np.triu_indices(len(faces), k=1), axis=1)
    else:
        pairs = rng.integers(0, len(faces), size=(3 * largest, 2))
    apart = origin[pairs[:, 0]] != origin[pairs[:, 1]]
    impostor = pairs[apart & (who[pairs[:, 0]] != who[pairs[:, 1]])]
    genuine = _genuine_pairs(who, origin, rng)
    return PairDistances(
        _distances(faces, _some(genuine, largest, rng)),
        _distances(faces, _some(impostor, largest, rng)),
        of_people - of_both,
        total - of_people - of_sources + of_both,
    )


def _pairs_within(groups: Ids) -> int:
    """Pairs of rows that share a group."""
    sizes = np.bincount(groups)
    return int((sizes * (sizes - 1) // 2).sum())


def _genuine_pairs(who: Ids, origin: Ids, rng: np.random.Generator) -> Ids:
    pairs = []
    for rows in np.split(np.argsort(who, kind="stable"), np.cumsum(np.bincount(who))[:-1]):
        some = rows if len(rows) <= _LARGEST_PERSON else rng.choice(rows, _LARGEST_PERSON, replace=False)
        first, second = np.triu_indices(len(some), k=1)
        pairs.append(np.stack([some[first], some[second]], axis=1))
    together = np.concatenate(pairs)
    kept: Ids = together[origin[together[:, 0]] != origin[together[:, 1]]]
    return kept


def _some(pairs: Ids, largest: int, rng: np.random.Generator) -> Ids:
    return pairs if len(pairs) <= largest else pairs[rng.choice(len(pairs), largest, replace=False)]


def _distances(faces: FaceSet, pairs: Ids) -> npt.NDArray[np.float32]:
    distances = np.empty(len(pairs), dtype=np.float32)
    for start in range(0, len(pairs), _BLOCK):
        part = pairs[start : start + _BLOCK]
        difference = faces.embeddings[part[:, 0]] - faces.embeddings[part[:, 1]]
        distances[start : start + _BLOCK] = np.linalg.norm(difference, axis=1)
    return distances
