"""How much each part of joined embeddings should count, learnt from the people enrolled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knownface.types import Embeddings, Ids

FEWEST_PEOPLE = 3
"""With two templates or more; of fewer, nothing can be learnt."""

_PRIOR_PEOPLE = 10.0
"""People that the usual weights count as: 5 people alone move a weight by a third from draw to draw, 50 by a tenth."""
_SMALLEST = 0.01
"""Share of a part at least: a part that counts nothing could not be brought back."""
_MOST_TEMPLATES = 2000
_SEED = 0


def learn_weights(
    vectors: Sequence[Embeddings], people: Ids, usual: Sequence[float]
) -> tuple[npt.NDArray[np.float64], int] | None:
    """Weights by which pairs of one person stand out most from pairs of different people.

    Fisher's linear discriminant ("The use of multiple measurements in taxonomic problems", 1936) of the parts' cosines,
    drawn towards the usual weights the more, the fewer people there are. At most 2,000 templates are compared, chosen
    by chance, always the same ones.

    Args:
        vectors: Of each part, float32, shape (n, dim of the part), unit vectors.
        people: Int64, shape (n,): whom each shows.
        usual: Positive weights that would be taken otherwise.

    Returns:
        Weights of the squared distances, positive, a sum of 1; and from how many people with several templates they
        were learnt. None for fewer than :data:`FEWEST_PEOPLE`.
    """
    chosen = _several_first(people)
    _, counts = np.unique(people[chosen], return_counts=True)
    several = int((counts > 1).sum())
    if several < FEWEST_PEOPLE:
        return None
    pairs = np.triu_indices(len(chosen), 1)
    cosines = np.stack([(part[chosen] @ part[chosen].T)[pairs] for part in vectors]).astype(np.float64)
    same = people[chosen][pairs[0]] == people[chosen][pairs[1]]
    within, between = cosines[:, same], cosines[:, ~same]
    spread = np.cov(within) + np.cov(between) + 1e-9 * np.eye(len(vectors))
    found = np.linalg.solve(spread, within.mean(axis=1) - between.mean(axis=1))
    before = np.asarray(usual, dtype=np.float64) / np.sum(usual)
    positive = np.maximum(found, 0)
    learnt = positive / positive.sum() if positive.any() else before
    weights = np.maximum((several * learnt + _PRIOR_PEOPLE * before) / (several + _PRIOR_PEOPLE), _SMALLEST)
    return weights / weights.sum(), several


def _several_first(people: Ids) -> Ids:
    """Rows of as many people as may be compared, those with several templates first."""
    _, inverse, counts = np.unique(people, return_inverse=True, return_counts=True)
    order = np.random.default_rng(_SEED).permutation(len(counts))
    order = order[np.argsort(counts[order] < 2, kind="stable")]
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return np.argsort(place[inverse], kind="stable")[:_MOST_TEMPLATES]
