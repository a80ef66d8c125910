"""The two-stage vote: given the nearest templates of a probe, who is it?

The rule is that of "Face Recognition System Using CLIP and FAISS for Scalable and Real-Time Identification" (2025),
made exact. Given the k2 nearest templates of a probe, ordered by distance, then template id:

1. Among the first k1 the person with the most templates wins; ties go to the smaller mean distance, then the
   smaller nearest distance, then the smaller person id. If the winner's mean distance over those templates is at
   most the threshold, that is the answer (stage 1).
2. Otherwise all k2 are counted. Of the people whose nearest template is at most the threshold away, the one with
   the most templates wins, ties as before (stage 2).
3. Nobody qualifies: Unknown.

So Unknown means exactly that the nearest template is farther than the threshold. Everything here is a pure function
over arrays; the same one serves a single face, a batch and a grid search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knownface.types import DecisionRule, Ids, Neighbours

NOBODY = -1
"""The person id that stands for Unknown in arrays."""

_ELEMENTS = 1 << 22
"""Pairs of neighbours compared at a time, so that memory stays bounded for large batches."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The people among the first k neighbours of n probes, best first.

    Rows shorter than k end in person -1, 0 votes and infinite distances.

    Attributes:
        people: Int64, shape (n, k).
        votes: Int64, shape (n, k): templates of that person among the k.
        mean: Float64, shape (n, k): mean distance of those templates.
        nearest: Float64, shape (n, k): distance of the nearest of them.
    """

    people: Ids
    votes: Ids
    mean: npt.NDArray[np.float64]
    nearest: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What the vote says of n probes.

    Attributes:
        people: Int64, shape (n,): who, or -1 for Unknown.
        stages: Int64, shape (n,): 1 or 2; 0 for Unknown.
        votes: Int64, shape (n,): templates that voted for the person; 0 for Unknown.
        distances: Float64, shape (n,): to the person's nearest template, or to anybody's when Unknown.
        margin_failed: Bool, shape (n,): Unknown only because somebody else was nearly as near.
        candidates: The people among the k2 nearest, best first.
    """

    people: Ids
    stages: Ids
    votes: Ids
    distances: npt.NDArray[np.float64]
    margin_failed: npt.NDArray[np.bool_]
    candidates: Tally


def tally(neighbours: Neighbours, k: int) -> Tally:
    """Count the people among the first ``k`` neighbours of every probe, best first.

    Args:
        neighbours: Ordered by distance, then template id.
        k: How many of them vote; more than there are is allowed.
    """
    n, columns = neighbours.people.shape
    k = min(k, columns)
    step = max(1, _ELEMENTS // max(1, k * k))
    parts = [
        _tally(neighbours.people[i : i + step, :k], neighbours.distances[i : i + step, :k]) for i in range(0, n, step)
    ]
    if not parts:
        parts = [_tally(neighbours.people[:, :k], neighbours.distances[:, :k])]
    people, votes, mean, nearest = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Tally(people, votes, mean, nearest)


def _tally(
    people: Ids, distances: npt.NDArray[np.float32]
) -> tuple[Ids, Ids, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    exact = distances.astype(np.float64)
    valid = people != NOBODY
    if people.shape[1] == 1:
        alone = np.where(valid, exact, np.inf)
        return people, valid.astype(np.int64), alone, alone
    same = (people[:, :, None] == people[:, None, :]) & valid[:, None, :] & valid[:, :, None]
    earlier = np.tril(np.ones((people.shape[1], people.shape[1]), dtype=bool), k=-1)
    first = valid & ~(same & earlier).any(axis=2)
    votes = same.sum(axis=2)
    total = np.where(same, exact[:, None, :], 0.0).sum(axis=2)
    nearest = np.where(first, exact, np.inf)
    # A mean of equal numbers can round to just below them; it is never smaller than the nearest.
    mean = np.where(first, np.maximum(total / np.maximum(votes, 1), exact), np.inf)
    votes = np.where(first, votes, 0)
    shown = np.where(first, people, NOBODY)
    order = np.lexsort((people, nearest, mean, -votes), axis=-1)
    rows = np.arange(len(order))[:, None]
    return shown[rows, order], votes[rows, order], mean[rows, order], nearest[rows, order]


def thresholds_of(people: Ids, rule: DecisionRule, own: Mapping[int, float]) -> npt.NDArray[np.float64]:
    """The threshold in force for each person id of an array: the person's own, else the rule's."""
    limits = np.full(people.shape, rule.threshold)
    for person, threshold in own.items():
        limits[people == person] = threshold
    return limits


def vote(neighbours: Neighbours, rule: DecisionRule, own: Mapping[int, float] | None = None) -> Outcome:
    """Decide every probe by the two-stage rule.

    Args:
        neighbours: At least ``rule.k2`` nearest templates a probe where the gallery has so many. Further columns do
            not vote; the margin looks at them.
        rule: k1, k2, threshold and margin.
        own: Thresholds of single people, which replace the rule's for them.
    """
    own = own or {}
    n = len(neighbours.people)
    first, second = tally(neighbours, rule.k1), tally(neighbours, rule.k2)
    if neighbours.people.shape[1] == 0:
        zeros = np.zeros(n, dtype=np.int64)
        return Outcome(zeros - 1, zeros, zeros, np.full(n, np.inf), np.zeros(n, dtype=bool), second)
    stage1 = first.mean[:, 0] <= thresholds_of(first.people[:, 0], rule, own)
    near = (second.nearest <= thresholds_of(second.people, rule, own)) & (second.people != NOBODY)
    pick = near.argmax(axis=1)
    stage2 = ~stage1 & near.any(axis=1)
    rows = np.arange(n)
    people = np.where(stage1, first.people[:, 0], np.where(stage2, second.people[rows, pick], NOBODY))
    votes = np.where(stage1, first.votes[:, 0], np.where(stage2, second.votes[rows, pick], 0))
    nearest = np.where(stage1, first.nearest[:, 0], second.nearest[rows, pick])
    failed = _too_close(neighbours, people, nearest, rule.margin)
    people = np.where(failed, NOBODY, people)
    named = people != NOBODY
    return Outcome(
        people=people,
        stages=np.where(named, np.where(stage1, 1, 2), 0),
        votes=np.where(named, votes, 0),
        distances=np.where(named, nearest, neighbours.distances[:, 0]),
        margin_failed=failed,
        candidates=second,
    )


def _too_close(
    neighbours: Neighbours, people: Ids, nearest: npt.NDArray[np.float64], margin: float
) -> npt.NDArray[np.bool_]:
    """Whether somebody other than the winner is nearer than the winner's nearest plus the margin."""
    if margin == 0:
        return np.zeros(len(people), dtype=bool)
    others = (neighbours.people != people[:, None]) & (neighbours.people != NOBODY)
    rival = np.where(others, neighbours.distances, np.inf).min(axis=1)
    failed: npt.NDArray[np.bool_] = (people != NOBODY) & (rival < nearest + margin)
    return failed
