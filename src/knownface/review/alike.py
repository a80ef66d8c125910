"""People who may be one, enrolled under two names.

Neither is recognised as well as they could be, and an estimate takes the one for a stranger to the other: it is smaller
for them, so that they are looked for by the network's own threshold, where it has one.

Measured with people of `lfw62` and `pins10` parted in two, at the networks' own thresholds: with three pictures on each
side SFace finds 100 of 100, MobileFaceNet 97 and dlib 85; with one picture on each side 94, 92 and 66. Of the other
people, 72 and 20 in a gallery, none were listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from knownface.gallery import Gallery
from knownface.review.person import PersonReview
from knownface.types import DecisionRule, EmbedderContract, Embeddings, Ids

_ROWS = 1024
"""People compared with everybody at a time."""


@dataclass(frozen=True, slots=True)
class AlikePeople:
    """Two people who may be one.

    Attributes:
        first: The name of who has been enrolled longer.
        second: The other's.
        distance: Between the means of their templates, 0 to 2.
    """

    first: str
    second: str
    distance: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def alike_people(gallery: Gallery, contract: EmbedderContract, rule: DecisionRule) -> list[AlikePeople]:
    """People who may be one, the most alike first.

    The means of two people must be within the threshold, and of each more than half of the templates so near to one of
    the other's. It shrinks as galleries grow, since more pairs are compared.

    Args:
        gallery: Theirs.
        contract: Of the embedder that filled it.
        rule: In force; its threshold counts where the embedder's was not measured.
    """
    vectors, names = gallery.vectors(), gallery.names
    own = contract.rule_for(rule.scoring) if contract.calibrated else rule
    people = len(np.unique(vectors.people))
    most = PersonReview(own, cohort=contract.cohort).largest_distance(people * (people - 1) // 2)
    pairs = _pairs(vectors.embeddings, vectors.people, min(own.threshold, most))
    found = [AlikePeople(names[a], names[b], distance) for a, b, distance in pairs if a in names and b in names]
    return sorted(found, key=lambda pair: pair.distance)


def _pairs(embeddings: Embeddings, people: Ids, threshold: float) -> Iterator[tuple[int, int, float]]:
    order = np.argsort(people, kind="stable")
    ids, starts = np.unique(people[order], return_index=True)
    if len(ids) < 2:
        return
    of_each = np.split(embeddings[order], starts[1:])
    means = np.stack([mine.mean(axis=0) for mine in of_each])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)
    least = 1 - threshold**2 / 2
    for begin in range(0, len(ids), _ROWS):
        cosines = means[begin : begin + _ROWS] @ means.T
        for row, other in np.argwhere(cosines >= least):
            mine = begin + int(row)
            if mine < other and _near(of_each[mine] @ of_each[other].T >= least):
                cosine = min(1.0, float(cosines[row, other]))
                yield int(ids[mine]), int(ids[other]), float(np.sqrt(2 - 2 * cosine))


def _near(near: npt.NDArray[np.bool_]) -> bool:
    """Whether more than half of the rows, and of the columns, have one that is near."""
    return bool(all(near.any(axis=axis).mean() > 0.5 for axis in (0, 1)))
