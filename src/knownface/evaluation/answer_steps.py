"""The vote's answer to a probe as a step function of the threshold.

For fixed k1 and k2 a probe's answer changes at few thresholds only. Let person j be the j-th best of the k2 (see
:func:`knownface.decision.tally`). Stage 2 names the best person whose nearest template is at most the threshold away:
person j from j's nearest distance on, until somebody better comes in reach. Stage 1 names the winner of the k1 from
that person's mean distance on, whatever stage 2 says. Below the first step the answer is Unknown. So a whole grid of
thresholds costs a few steps a probe, and counting is adding where a step begins and subtracting where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knownface.decision import NOBODY, tally
from knownface.errors import InputError
from knownface.types import Ids, Neighbours

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AnswerSteps:
    """Who is answered to which probe over which thresholds; everywhere else the answer is Unknown.

    Steps of one probe do not overlap.

    Attributes:
        probes: Int64, shape (m,).
        people: Int64, shape (m,).
        first: Int64, shape (m,): index of the smallest threshold with this answer.
        stop: Int64, shape (m,): index after the largest.
    """

    probes: Ids
    people: Ids
    first: Ids
    stop: Ids

    def where(self, mask: npt.NDArray[np.bool_]) -> AnswerSteps:
        """The steps at which the mask is true."""
        return AnswerSteps(self.probes[mask], self.people[mask], self.first[mask], self.stop[mask])

    def count(self, groups: Ids, group_count: int, thresholds: int) -> Ids:
        """How many steps of each group hold at each threshold.

        Args:
            groups: Int64, shape (m,): the group of each step, 0 to ``group_count`` - 1.
            group_count: Number of groups.
            thresholds: Number of thresholds.

        Returns:
            Int64, shape (group_count, thresholds).
        """
        width = thresholds + 1
        size = group_count * width
        change = np.bincount(groups * width + self.first, minlength=size)
        change -= np.bincount(groups * width + self.stop, minlength=size)
        counts: Ids = change.reshape(group_count, width).cumsum(axis=1)[:, :thresholds]
        return counts


def answer_steps(
    neighbours: Neighbours, pairs: Sequence[tuple[int, int]], thresholds: Floats, margin: float = 0.0
) -> Iterator[AnswerSteps]:
    """The answers of the two-stage vote for many parameters at once.

    Args:
        neighbours: At least as many columns as the largest k2. With a margin, all of them are looked at, as
            :func:`knownface.decision.vote` does.
        pairs: The pairs (k1, k2) wanted.
        thresholds: Ascending, without repeats.
        margin: As in :class:`knownface.types.DecisionRule`.

    Yields:
        One value for each of ``pairs``, in order.

    Raises:
        InputError: A pair is wrong, or there are too few columns.
    """
    columns = neighbours.people.shape[1]
    for k1, k2 in pairs:
        if not 1 <= k1 < k2 <= columns:
            raise InputError(f"k1 and k2 must satisfy 1 <= k1 < k2 <= {columns} neighbours, got {k1} and {k2}.")
    first_stage = {k1: _first_stage(neighbours, k1, thresholds, margin) for k1 in {k1 for k1, _ in pairs}}
    second_stage = {k2: _second_stage(neighbours, k2, thresholds, margin) for k2 in {k2 for _, k2 in pairs}}
    for k1, k2 in pairs:
        reached, winners = first_stage[k1]
        second = second_stage[k2]
        stop = np.minimum(second.stop, reached[second.probes])
        yield AnswerSteps(
            np.concatenate([winners.probes, second.probes]),
            np.concatenate([winners.people, second.people]),
            np.concatenate([winners.first, np.minimum(second.first, stop)]),
            np.concatenate([winners.stop, stop]),
        )


def _first_stage(neighbours: Neighbours, k: int, thresholds: Floats, margin: float) -> tuple[Ids, AnswerSteps]:
    """From which threshold on stage 1 answers, for every probe; and its answers that the margin lets stand."""
    counted = tally(neighbours, k)
    reached = np.searchsorted(thresholds, counted.mean[:, 0], side="left")
    probes = np.flatnonzero(reached < len(thresholds))
    people = counted.people[probes, 0]
    steps = AnswerSteps(probes, people, reached[probes], np.full(len(probes), len(thresholds)))
    return reached, steps.where(_clear(neighbours, probes, people, counted.nearest[probes, 0], margin))


def _second_stage(neighbours: Neighbours, k: int, thresholds: Floats, margin: float) -> AnswerSteps:
    counted = tally(neighbours, k)
    better = np.minimum.accumulate(counted.nearest, axis=1)
    until = np.concatenate([np.full((len(better), 1), np.inf), better[:, :-1]], axis=1)
    first = np.searchsorted(thresholds, counted.nearest, side="left")
    stop = np.searchsorted(thresholds, until, side="left")
    probes, ranks = np.nonzero((first < stop) & (counted.people != NOBODY))
    people, nearest = counted.people[probes, ranks], counted.nearest[probes, ranks]
    steps = AnswerSteps(probes, people, first[probes, ranks], stop[probes, ranks])
    return steps.where(_clear(neighbours, probes, people, nearest, margin))


def _clear(neighbours: Neighbours, probes: Ids, people: Ids, nearest: Floats, margin: float) -> npt.NDArray[np.bool_]:
    """Whether everybody else is farther than the person's nearest template by the margin."""
    if margin == 0 or not len(probes):
        return np.ones(len(probes), dtype=bool)
    shown = neighbours.people[probes]
    others = (shown != people[:, None]) & (shown != NOBODY)
    rival = np.where(others, neighbours.distances[probes], np.inf).min(axis=1)
    clear: npt.NDArray[np.bool_] = rival >= nearest + margin
    return clear
