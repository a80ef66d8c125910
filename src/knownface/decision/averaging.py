"""How a mean of pictures of a face is compared like one picture.

Averaging takes away what differs from picture to picture, so a mean lies nearer to everybody than a single picture
does, also to people whom it does not show: in the space of some networks hardly (MobileFaceNet), in that of others
much (dlib's). How much was taken away is seen in the mean itself, in its length R before it is scaled to 1: the mean
resultant length of directional statistics (Mardia and Jupp, "Directional Statistics", 2000), 1 for a single picture and
for equal ones. Squared distances fall by averaging × (1 - R²) of themselves, where ``averaging`` belongs to the
embedder and is seen on enrolled people: their pictures, and the means of these, searched among the others. It is
about the same for two pictures and for many. So distances of means can be counted as those of single pictures, and one
threshold does for both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from knownface.decision.scoring import cosines_to_people, unit_vectors
from knownface.scorings import Scoring
from knownface.types import Distances, Embeddings

FEWEST_PEOPLE = 5
"""Who have several templates; on fewer it is not measured."""
_MOST_PEOPLE = 100
_MOST_PICTURES = 8
"""Of a person that are averaged."""
_LEAST_SPREAD = 1e-3
"""Mean of 1 - R² below which pictures differ too little to say anything."""
_NEAREST = 0.25
"""A squared distance counts as four times as large at most."""
_SEED = 0


def measure_averaging(embeddings: Embeddings, people: npt.NDArray[Any]) -> dict[Scoring, float]:
    """By what share of 1 - R² averaging lowers squared distances to other people.

    Args:
        embeddings: Float32, shape (n, dim), unit vectors: the templates.
        people: Shape (n,): whom each shows, numbers or names.

    Returns:
        By the way of scoring, 0 or more, its standard error added; nothing where fewer than :data:`FEWEST_PEOPLE` have
        several templates, or these are all but equal. 100 people are looked at.
    """
    order = np.argsort(people, kind="stable")
    embeddings = embeddings[order]
    _, starts, owners = np.unique(people[order], return_index=True, return_inverse=True)
    several = np.flatnonzero(np.bincount(owners) > 1)
    if len(several) < FEWEST_PEOPLE:
        return {}
    if len(several) > _MOST_PEOPLE:
        several = np.sort(np.random.default_rng(_SEED).choice(several, _MOST_PEOPLE, replace=False))
    rows = np.flatnonzero(np.isin(owners, several) & (np.arange(len(owners)) - starts[owners] < _MOST_PICTURES))
    first = np.unique(owners[rows], return_index=True)[1]
    counts = np.diff(np.append(first, len(rows)))
    sums = np.add.reduceat(embeddings[rows], first, axis=0)
    spread = 1.0 - np.square(np.linalg.norm(sums, axis=1) / counts)
    if spread.mean() < _LEAST_SPREAD:
        return {}
    probes = np.concatenate([embeddings[rows], unit_vectors(sums)])
    own = np.concatenate([owners[rows], several])
    found = {}
    for scoring, cosines in cosines_to_people(probes, embeddings, starts).items():
        cosines[np.arange(len(own)), own] = -1.0
        squares = np.maximum(2.0 - 2.0 * cosines.max(axis=1).astype(np.float64), 1e-6)
        single, averaged = np.add.reduceat(squares[: len(rows)], first) / counts, squares[len(rows) :]
        fallen = np.clip(1.0 - averaged / single, -1.0, 1.0)
        ratio = fallen.mean() / spread.mean()
        error = np.std(fallen - ratio * spread, ddof=1) / np.sqrt(len(several)) / spread.mean()
        found[scoring] = round(max(0.0, float(ratio + error)), 4)
    return found


def part_left(lengths: npt.ArrayLike, averaging: float) -> Distances:
    """What averaging has left of the distances that a single picture would have to people whom it does not show.

    Args:
        lengths: Shape (n,): R of each mean, 0 to 1.
        averaging: As :func:`measure_averaging` gives it.

    Returns:
        Float32, shape (n,), 0.5 to 1: distances of the means are to be divided by it.
    """
    left = 1.0 - averaging * (1.0 - np.square(np.clip(np.asarray(lengths, dtype=np.float64), 0.0, 1.0)))
    return np.sqrt(np.maximum(left, _NEAREST)).astype(np.float32)
