"""People who may be one, enrolled under two names.

Neither is recognised as well as they could be, and an estimate takes the one for a stranger to the other: it is smaller
for them, so that they are looked for by the network's own threshold, where it has one.

Measured with people of `lfw62` and `pins10` parted in two, at the networks' own thresholds: with three pictures on each
side SFace finds 100 of 100, MobileFaceNet 97 and dlib 85; with one picture on each side 94, 92 and 66. Of the other
people, 72 and 20 in a gallery, none were listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.gallery import Gallery
from knownface.review.person import PersonReview
from knownface.types import DecisionRule, EmbedderContract, Embeddings, Ids

_ROWS = 1024
"""People compared with everybody at a time."""

AlikePair: TypeAlias = tuple[int, int, float]
"""Ids of two people, the smaller first, and the distance between the means of their templates."""


@dataclass(frozen=True, slots=True)
class AlikePeople:
    """Two people who may be one.

    Attributes:
        first: The name of who has been enrolled longer.
        second: The other's.
        first_id: Whose is the smaller.
        second_id: The other's.
        distance: Between the means of their templates, 0 to 2.
    """

    first: str
    second: str
    first_id: int
    second_id: int
    distance: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def alike_people(gallery: Gallery, contract: EmbedderContract, rule: DecisionRule) -> list[AlikePeople]:
    """People who may be one, the most alike first, but for those of whom somebody said that they are two.

    Args:
        gallery: Theirs.
        contract: Of the embedder that filled it.
        rule: In force; its threshold counts where the embedder's was not measured.
    """
    return who_they_are(gallery, alike_pairs(gallery, contract, rule))


def alike_pairs(gallery: Gallery, contract: EmbedderContract, rule: DecisionRule) -> list[AlikePair]:
    """Who looks alike: the ids of two people, the smaller first, and their distance.

    The means of two people must be within the threshold, and of each more than half of the templates so near to one of
    the other's. It shrinks as galleries grow, since more pairs are compared.
    """
    vectors, own = gallery.vectors(), own_rule(contract, rule)
    people = len(np.unique(vectors.people))
    most = PersonReview(own, cohort=contract.cohort).largest_distance(people * (people - 1) // 2)
    return list(_pairs(vectors.embeddings, vectors.people, min(own.threshold, most)))


def own_rule(contract: EmbedderContract, rule: DecisionRule) -> DecisionRule:
    """By which people are held to be one: the network's own where it was measured, else the one in force."""
    return contract.rule_for(rule.scoring) if contract.calibrated else rule


def who_they_are(gallery: Gallery, pairs: Iterable[AlikePair]) -> list[AlikePeople]:
    """Pairs with names, the most alike first, but for who is gone or may not be named, and those known to be two."""
    names, different = gallery.index.snapshot().names_for("photos"), gallery.people_store.different()
    found = [
        AlikePeople(names[one], names[other], one, other, distance)
        for one, other, distance in pairs
        if one in names and other in names and (one, other) not in different
    ]
    return sorted(found, key=lambda pair: (pair.distance, pair.first_id, pair.second_id))


def _pairs(embeddings: Embeddings, people: Ids, threshold: float) -> Iterator[AlikePair]:
    order = np.argsort(people, kind="stable")
    ids, starts = np.unique(people[order], return_index=True)
    if len(ids) < 2:
        return
    of_each = np.split(embeddings[order], starts[1:])
    means = np.stack([mine.mean(axis=0) for mine in of_each])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)
    least = 1 - threshold**2 / 2
    for begin in range(0, len(ids), _ROWS):
        cosines = means[begin : begin + _ROWS] @ means[begin:].T
        for row, column in np.argwhere(cosines >= least):
            if row < column and _near(of_each[begin + row] @ of_each[begin + column].T >= least):
                cosine = min(1.0, float(cosines[row, column]))
                yield int(ids[begin + row]), int(ids[begin + column]), float(np.sqrt(2 - 2 * cosine))


def _near(near: npt.NDArray[np.bool_]) -> bool:
    """Whether more than half of the rows, and of the columns, have one that is near."""
    return bool(all(near.any(axis=axis).mean() > 0.5 for axis in (0, 1)))
