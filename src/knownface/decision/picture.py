"""From the vote to the answers for one picture: counter-examples, and one face a person.

Order of the rules, as the vote sees them: a template of "not P" nearer than P's nearest removes P; people's own
thresholds; the margin. Then, unless repeats are allowed, a person is given to at most one face of the picture: the
nearest face keeps the name, the others vote again without that person, until nobody is claimed twice. That is
deferred acceptance (Gale and Shapley, 1962): no face that lost a person was nearer to them than the one that kept them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np

from knownface.decision.voting import NOBODY, Outcome, Tally, vote
from knownface.types import Candidate, Decision, DecisionRule, Distances, Embeddings, Ids, Neighbours, Reason

Search = Callable[[int], Neighbours]
"""Gives the k nearest templates of the picture's faces for a k."""


@dataclass(frozen=True, slots=True, eq=False)
class CounterExamples:
    """Templates of faces that are "not P".

    Attributes:
        vectors: Float32, shape (m, dim), unit vectors.
        people: Int64, shape (m,): the P that each is not.
    """

    vectors: Embeddings
    people: Ids

    def distances(self, embeddings: Embeddings) -> Distances:
        """Distances of n embeddings to the m counter-examples, shape (n, m)."""
        difference = embeddings[:, None, :] - self.vectors[None, :, :]
        distances: Distances = np.sqrt(np.square(difference).sum(axis=2), dtype=np.float32)
        return distances


@dataclass(frozen=True, slots=True, eq=False)
class GalleryFacts:
    """What a decision needs to know of the gallery besides the neighbours.

    Attributes:
        templates: How many templates can be found at most.
        names: Every person's name by id.
        thresholds: People's own thresholds.
        counter_examples: Templates of "not P", or None.
    """

    templates: int
    names: Mapping[int, str]
    thresholds: Mapping[int, float] = field(default_factory=dict)
    counter_examples: CounterExamples | None = None


def decide_picture(
    embeddings: Embeddings,
    search: Search,
    rule: DecisionRule,
    facts: GalleryFacts,
    *,
    left: Distances | None = None,
    allow_repeats: bool = False,
    top: int = 0,
) -> list[Decision]:
    """Decide the faces of one picture together.

    Args:
        embeddings: One a face, shape (n, dim).
        search: Finds the k nearest templates of these embeddings. Called again with a larger k when so many were
            set aside that fewer than k2 remain.
        rule: Parameters of the vote.
        facts: Of the gallery.
        left: Float32, shape (n,), above 0: what averaging has left of each face's distances
            (:func:`knownface.decision.averaging.part_left`), which are divided by it; None where nothing was averaged.
        allow_repeats: Whether one person may be given to several faces, as for frames or photos decided together.
        top: How many candidates are listed at least, where there are so many people.

    Returns:
        One decision a face, in order.
    """
    if not len(embeddings):
        return []
    if left is not None:
        search = partial(_counted, search, left)
    search = cache(search)
    raw = search(rule.k2)
    unhindered = vote(raw, rule, facts.thresholds)
    refused = _refused(embeddings, raw, facts.counter_examples, left)
    removed = [set(people) for people in refused]
    outcome = unhindered
    if any(removed) or not (rule.k2 >= facts.templates or _is_wide_enough(raw, rule, facts.templates)):
        outcome = _vote_again(search, removed, rule, facts)
    while not allow_repeats and (losers := _losers(outcome)):
        for face, person in losers:
            removed[face].add(person)
        outcome = _vote_again(search, removed, rule, facts)
    shown = _candidates(search, unhindered.candidates, facts, top)
    return _explain(raw, unhindered, outcome, facts, refused, removed, shown)


def _counted(search: Search, left: Distances, k: int) -> Neighbours:
    """The neighbours, their distances counted as those of single pictures: at most 2, as distances are."""
    found = search(k)
    counted = np.where(np.isfinite(found.distances), np.minimum(found.distances / left[:, None], 2.0), np.inf)
    return replace(found, distances=counted.astype(np.float32))


def _refused(
    embeddings: Embeddings, raw: Neighbours, examples: CounterExamples | None, left: Distances | None
) -> list[set[int]]:
    """For each face the people whom a counter-example nearer than their own nearest template rules out."""
    refused: list[set[int]] = [set() for _ in range(len(embeddings))]
    if examples is None or not len(examples.people):
        return refused
    distances = examples.distances(embeddings)
    if left is not None:
        distances /= left[:, None]
    for column, person in enumerate(examples.people.tolist()):
        own = np.where(raw.people == person, raw.distances, np.inf).min(axis=1)
        for face in np.flatnonzero((distances[:, column] < own) & np.isfinite(own)):
            refused[face].add(person)
    return refused


def without(neighbours: Neighbours, removed: Sequence[set[int]]) -> Neighbours:
    """The neighbours with every template of the removed people taken out of each row; order is kept."""
    if not any(removed):
        return neighbours
    gone = np.zeros(neighbours.people.shape, dtype=bool)
    for row, people in enumerate(removed):
        if people:
            gone[row] = np.isin(neighbours.people[row], list(people))
    order = np.argsort(gone, axis=1, kind="stable")
    gone = np.take_along_axis(gone, order, axis=1)
    return Neighbours(
        distances=np.where(gone, np.float32(np.inf), np.take_along_axis(neighbours.distances, order, axis=1)),
        templates=np.where(gone, NOBODY, np.take_along_axis(neighbours.templates, order, axis=1)),
        people=np.where(gone, NOBODY, np.take_along_axis(neighbours.people, order, axis=1)),
    )


def _vote_again(search: Search, removed: Sequence[set[int]], rule: DecisionRule, facts: GalleryFacts) -> Outcome:
    """The vote without the removed people, among as many neighbours as it takes."""
    k = rule.k2
    while True:
        neighbours = without(search(k), removed)
        if k >= facts.templates or _is_wide_enough(neighbours, rule, facts.templates):
            return vote(neighbours, rule, facts.thresholds)
        k = min(4 * k, facts.templates)


def _is_wide_enough(neighbours: Neighbours, rule: DecisionRule, templates: int) -> bool:
    """Whether there are k2 templates to vote and, with a margin, a rival to be seen; or nothing more to be found."""
    found = neighbours.people != NOBODY
    full = bool((found.sum(axis=1) >= min(rule.k2, templates)).all())
    return full and (
        rule.margin == 0 or bool((found & (neighbours.people != neighbours.people[:, :1])).any(axis=1).all())
    )


def _candidates(search: Search, voters: Tally, facts: GalleryFacts, top: int) -> list[tuple[Candidate, ...]]:
    """The people among the k2 nearest, best first; then the next nearest people, without votes, up to ``top``."""
    listed = [
        tuple(
            Candidate(int(p), int(v), float(d), facts.names.get(int(p)))
            for p, v, d in zip(*row, strict=True)
            if p != NOBODY
        )
        for row in zip(voters.people, voters.votes, voters.nearest, strict=True)
    ]
    k = min(4 * top, facts.templates)
    while k and any(len(row) < top for row in listed):
        wide = search(k)
        for face, row in enumerate(listed):
            nearest: dict[int, float] = {}
            for person, distance in zip(wide.people[face].tolist(), wide.distances[face].tolist(), strict=True):
                if person != NOBODY:
                    nearest.setdefault(person, distance)
            known = {candidate.person_id for candidate in row}
            more = [Candidate(p, 0, d, facts.names.get(p)) for p, d in nearest.items() if p not in known]
            listed[face] = (*row, *more[: max(0, top - len(row))])
        if k == facts.templates:
            break
        k = min(4 * k, facts.templates)
    return listed


def _losers(outcome: Outcome) -> list[tuple[int, int]]:
    """Faces that claim a person whom a nearer face (then one earlier in the picture) claims too."""
    keepers: dict[int, int] = {}
    losers = []
    for face in np.lexsort((np.arange(len(outcome.people)), outcome.distances)).tolist():
        person = int(outcome.people[face])
        if person == NOBODY:
            continue
        if person in keepers:
            losers.append((face, person))
        else:
            keepers[person] = face
    return losers


def _explain(
    raw: Neighbours,
    unhindered: Outcome,
    outcome: Outcome,
    facts: GalleryFacts,
    refused: Sequence[set[int]],
    removed: Sequence[set[int]],
    shown: Sequence[tuple[Candidate, ...]],
) -> list[Decision]:
    # Candidates are listed as the gallery saw them, the removed ones included; whom the vote would have named without
    # the removals distinguishes "taken" and "not this person" from "too far".
    decisions = []
    for face in range(len(outcome.people)):
        person = int(outcome.people[face])
        named = person != NOBODY
        candidates = shown[face]
        first_choice = int(unhindered.people[face])
        reason: Reason
        if named:
            reason = "named"
        elif not candidates:
            reason = "empty gallery"
        elif outcome.margin_failed[face]:
            reason = "margin"
        elif first_choice in refused[face]:
            reason = "not this person"
        elif first_choice in removed[face]:
            reason = "taken"
        else:
            reason = "too far"
        decisions.append(
            Decision(
                person_id=person if named else None,
                name=facts.names[person] if named else None,
                distance=float(outcome.distances[face] if named else raw.distances[face, 0])
                if candidates
                else float("inf"),
                votes=int(outcome.votes[face]),
                stage=int(outcome.stages[face]),
                reason=reason,
                runner_up=next((c for c in candidates if c.person_id != person), None),
                candidates=candidates,
            )
        )
    return decisions
