"""Strangers who get a name, and those among them who are probably enrolled after all.

A stranger who is enrolled under another name, or a name that belongs to nobody, is as near to the gallery as its own
people's other pictures are. A few of them make a calibration so strict that it is of no use, so they are looked for
before anything is promised: nearer than, by the estimate from the enrolled people alone, half a stranger among so many
would be. Two people who look alike are then suspected once in two times; asking costs a look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from knownface.decision.estimate import measure_spreads
from knownface.evaluation.faces import FaceSet, search
from knownface.gallery import EnrolledFaces
from knownface.types import CohortSpread, DecisionRule, Ids

_EXPECTED = 0.5
"""Strangers expected to be so near, of as many as there are."""


@dataclass(frozen=True, slots=True)
class NamedStranger:
    """A stranger who would get a name: a false alarm, or somebody who is enrolled after all.

    Attributes:
        row: Which of the strangers' faces.
        name: The name that it would get.
        template: The id of that person's nearest template.
        distance: To it, or to the person's mean where it counts and is nearer.
    """

    row: int
    name: str
    template: int
    distance: float


def gallery_faces(enrolled: EnrolledFaces) -> FaceSet:
    """A gallery's templates for evaluation: people by their ids, sources by the content of their files."""
    return FaceSet(enrolled.embeddings, enrolled.people, enrolled.source_sha256)


def named_strangers(enrolled: EnrolledFaces, strangers: FaceSet, rule: DecisionRule) -> list[NamedStranger]:
    """The strangers who would get a name by these parameters, nearest first."""
    _, codes = np.unique(strangers.people, return_inverse=True)
    # Numbers that no person has: strangers share nobody's name here.
    apart = FaceSet(strangers.embeddings, int(enrolled.people.max()) + 1 + codes, strangers.sources)
    searches = search(gallery_faces(enrolled), apart, rule.k2, scoring=rule.scoring)
    answers: Ids = searches.answers(rule)
    names = dict(zip(enrolled.people.tolist(), enrolled.names.tolist(), strict=True))
    near = searches.neighbours
    found = []
    for row in np.flatnonzero(answers >= 0).tolist():
        place = int(np.flatnonzero(near.people[row] == answers[row])[0])
        template = int(enrolled.templates[near.templates[row, place]])
        name = names[int(searches.labels[answers[row]])]
        found.append(NamedStranger(row, name, template, float(near.distances[row, place])))
    return sorted(found, key=lambda stranger: stranger.distance)


def look_alikes(enrolled: EnrolledFaces, strangers: FaceSet, cohort: CohortSpread | None = None) -> list[NamedStranger]:
    """The strangers far nearer than strangers should be, nearest first; none where too few people are enrolled.

    Args:
        enrolled: At least one person.
        strangers: At least one face.
        cohort: Of the embedder, where one was measured.
    """
    rate = min(0.5, _EXPECTED / len(np.unique(strangers.people)))
    spread = measure_spreads(enrolled.embeddings, enrolled.people).get("nearest")
    if spread is None:
        return []
    limit = spread.threshold(rate, len(np.unique(enrolled.people)), cohort)
    return named_strangers(enrolled, strangers, DecisionRule(1, 2, limit, scoring="nearest"))
