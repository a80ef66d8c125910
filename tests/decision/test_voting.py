"""The two-stage vote against a slow, literal reading of the rule, and its properties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.decision import NOBODY, tally, vote
from knownface.types import DecisionRule, Neighbours

# Distances on a coarse grid, so that ties are common.
DISTANCES = st.integers(0, 12).map(lambda i: i / 8)


@st.composite
def neighbourhoods(draw: st.DrawFn, rows: int = 3) -> Neighbours:
    k = draw(st.integers(1, 7))
    distances, templates, people = [], [], []
    for _ in range(draw(st.integers(1, rows))):
        found = draw(st.integers(0, k))
        ids = draw(st.permutations(range(k)))[:found]
        row = sorted(zip([draw(DISTANCES) for _ in range(found)], ids, strict=True))
        distances.append([d for d, _ in row] + [np.inf] * (k - found))
        templates.append([t for _, t in row] + [-1] * (k - found))
        people.append([draw(st.integers(0, 3)) for _ in range(found)] + [NOBODY] * (k - found))
    return Neighbours(np.array(distances, np.float32), np.array(templates, np.int64), np.array(people, np.int64))


@st.composite
def rules(draw: st.DrawFn) -> DecisionRule:
    k1 = draw(st.integers(1, 5))
    return DecisionRule(k1, k1 + draw(st.integers(1, 4)), draw(DISTANCES), draw(st.sampled_from([0.0, 0.125, 0.5])))


def count(row: list[tuple[float, int]], k: int) -> list[tuple[int, int, float, float]]:
    """People among the first k as (person, votes, mean, nearest), best first."""
    groups: dict[int, list[float]] = {}
    for distance, person in row[:k]:
        groups.setdefault(person, []).append(distance)
    people = [(p, len(d), sum(d) / len(d), min(d)) for p, d in groups.items()]
    return sorted(people, key=lambda p: (-p[1], p[2], p[3], p[0]))


def slow_vote(row: list[tuple[float, int]], rule: DecisionRule, own: dict[int, float]) -> tuple[int, int, int]:
    """(person, stage, votes) by the words of the rule."""
    answer = (NOBODY, 0, 0)
    first = count(row, rule.k1)
    if first and first[0][2] <= own.get(first[0][0], rule.threshold):
        answer = (first[0][0], 1, first[0][1])
    else:
        for person, votes, _, nearest in count(row, rule.k2):
            if nearest <= own.get(person, rule.threshold):
                answer = (person, 2, votes)
                break
    if answer[0] != NOBODY and rule.margin:
        nearest = min(d for d, p in row if p == answer[0])
        others = [d for d, p in row if p != answer[0]]
        if others and min(others) < nearest + rule.margin:
            return (NOBODY, 0, 0)
    return answer


def rows_of(neighbours: Neighbours) -> list[list[tuple[float, int]]]:
    return [
        [(d, p) for d, p in zip(ds, ps, strict=True) if p != NOBODY]
        for ds, ps in zip(neighbours.distances.tolist(), neighbours.people.tolist(), strict=True)
    ]


@settings(max_examples=300)
@given(neighbourhoods(), rules(), st.dictionaries(st.integers(0, 3), DISTANCES, max_size=2))
def test_vote_is_the_rule_of_the_design(neighbours: Neighbours, rule: DecisionRule, own: dict[int, float]) -> None:
    outcome = vote(neighbours, rule, own)
    got = list(zip(outcome.people.tolist(), outcome.stages.tolist(), outcome.votes.tolist(), strict=True))
    assert got == [slow_vote(row, rule, own) for row in rows_of(neighbours)]


@settings(max_examples=200)
@given(neighbourhoods(), rules())
def test_unknown_exactly_when_the_nearest_is_too_far(neighbours: Neighbours, rule: DecisionRule) -> None:
    outcome = vote(neighbours, DecisionRule(rule.k1, rule.k2, rule.threshold))
    nearest = neighbours.distances[:, 0].astype(np.float64)
    assert ((outcome.people == NOBODY) == (nearest > rule.threshold)).all()


@settings(max_examples=200)
@given(neighbourhoods(), rules(), DISTANCES)
def test_a_lower_threshold_never_turns_unknown_into_a_name(
    neighbours: Neighbours, rule: DecisionRule, other: float
) -> None:
    low, high = sorted([rule.threshold, other])
    strict = vote(neighbours, DecisionRule(rule.k1, rule.k2, low)).people
    loose = vote(neighbours, DecisionRule(rule.k1, rule.k2, high)).people
    assert not ((strict != NOBODY) & (loose == NOBODY)).any()


@given(neighbourhoods(), DISTANCES)
def test_with_k1_of_one_k2_does_not_matter(neighbours: Neighbours, threshold: float) -> None:
    answers = [vote(neighbours, DecisionRule(1, k2, threshold)).people.tolist() for k2 in (2, 3, 6)]
    assert answers[0] == answers[1] == answers[2]


@given(neighbourhoods(rows=4), rules())
def test_a_batch_decides_as_each_alone(neighbours: Neighbours, rule: DecisionRule) -> None:
    together = vote(neighbours, rule)
    for i in range(len(neighbours.people)):
        rows = slice(i, i + 1)
        one = vote(Neighbours(neighbours.distances[rows], neighbours.templates[rows], neighbours.people[rows]), rule)
        assert (one.people[0], one.stages[0], one.votes[0]) == (
            together.people[i],
            together.stages[i],
            together.votes[i],
        )


def test_nearest_neighbour_with_one_template_each() -> None:
    neighbours = Neighbours(np.array([[0.5, 0.6, 0.7]], np.float32), np.array([[4, 2, 9]]), np.array([[7, 8, 9]]))
    assert vote(neighbours, DecisionRule(1, 3, 0.55)).people.tolist() == [7]
    assert vote(neighbours, DecisionRule(1, 3, 0.45)).people.tolist() == [NOBODY]


def test_second_stage_asks_for_the_nearest_not_the_mean() -> None:
    # First three: person 1 twice, mean 0.95 > 0.9; among five person 2 has three templates, the nearest at 0.8.
    neighbours = Neighbours(
        np.array([[0.8, 0.9, 1.0, 1.1, 1.2]], np.float32),
        np.array([[0, 1, 2, 3, 4]]),
        np.array([[2, 1, 1, 2, 2]]),
    )
    outcome = vote(neighbours, DecisionRule(3, 5, 0.9))
    assert (outcome.people[0], outcome.stages[0], outcome.votes[0]) == (2, 2, 3)


def test_a_mean_of_equal_distances_does_not_slip_below_them() -> None:
    distance = np.float32(0.1)
    neighbours = Neighbours(np.full((1, 3), distance), np.array([[0, 1, 2]]), np.array([[5, 5, 5]]))
    below = float(np.nextafter(np.float64(distance), 0.0))
    assert vote(neighbours, DecisionRule(3, 4, below)).people[0] == NOBODY
    assert vote(neighbours, DecisionRule(3, 4, float(distance))).people[0] == 5


def test_empty_batch_and_empty_gallery() -> None:
    nothing = Neighbours(np.empty((0, 3), np.float32), np.empty((0, 3), np.int64), np.empty((0, 3), np.int64))
    assert vote(nothing, DecisionRule(1, 3, 1.0)).people.shape == (0,)
    empty = Neighbours(np.empty((2, 0), np.float32), np.empty((2, 0), np.int64), np.empty((2, 0), np.int64))
    assert vote(empty, DecisionRule(1, 3, 1.0)).people.tolist() == [NOBODY, NOBODY]


def test_tally_in_blocks_equals_tally_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    distances = np.sort(rng.random((50, 8), dtype=np.float32), axis=1)
    neighbours = Neighbours(distances, rng.integers(0, 99, (50, 8)), rng.integers(0, 4, (50, 8)))
    whole = tally(neighbours, 6)
    monkeypatch.setattr("knownface.decision.voting._ELEMENTS", 100)
    blocks = tally(neighbours, 6)
    for a, b in itertools.pairwise([whole, blocks]):
        np.testing.assert_array_equal(a.people, b.people)
        np.testing.assert_array_equal(a.mean, b.mean)
