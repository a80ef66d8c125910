"""Embeddings parted into people: average linkage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knownface.types import Embeddings

Distances = npt.NDArray[np.float64]

_FARTHEST = 2.0
"""The distance of opposite unit vectors."""


def group_by_likeness(faces: Embeddings, threshold: float, apart: Sequence[tuple[int, int]] = ()) -> list[list[int]]:
    """Part embeddings into people: two groups are joined as long as the mean distance between their members allows.

    Agglomerative clustering with average linkage (Sokal and Michener, 1958), cut at the threshold.

    Args:
        faces: Float32, shape (n, dim), unit norm.
        threshold: Largest mean distance, 0 to 2.
        apart: Pairs of rows that cannot be one person, such as two faces of one picture; they hold groups apart.

    Returns:
        Row numbers, each group ascending, in the order of their first members.
    """
    distances = _distances(faces)
    for one, other in apart:
        distances[one, other] = distances[other, one] = _FARTHEST
    group_of = np.arange(len(faces))
    for one, other, distance in _merges(distances):
        if distance <= threshold:
            first, second = sorted((int(group_of[one]), int(group_of[other])))
            group_of[group_of == second] = first
    return [np.flatnonzero(group_of == group).tolist() for group in np.unique(group_of)]


def _distances(faces: Embeddings) -> Distances:
    """Of every row to every other, shape (n, n)."""
    vectors = np.asarray(faces, dtype=np.float64)
    products = vectors @ vectors.T
    squares = products.diagonal()
    distances: Distances = np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * products, 0.0))
    np.fill_diagonal(distances, np.inf)
    return distances


def _merges(distances: Distances) -> list[tuple[int, int, float]]:
    """All joins of average linkage, in the order of their finding: a member of each group, and their mean distance.

    The nearest-neighbour chain (Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983):
    groups that are each other's nearest may be joined at once, since no later join comes nearer to either. Takes n²
    time. What is joined lives on in the row of its second member.

    Args:
        distances: Shape (n, n), infinite on the diagonal; used up.
    """
    size = np.ones(len(distances))
    merges: list[tuple[int, int, float]] = []
    chain: list[int] = []
    while len(merges) < len(distances) - 1:
        if not chain:
            chain = [int(np.argmax(size > 0))]
        row = distances[chain[-1]]
        nearest = int(np.argmin(row))
        # Of groups equally near the one before counts, or the chain would go round for ever.
        if len(chain) < 2 or row[nearest] < row[chain[-2]]:
            chain.append(nearest)
            continue
        gone, kept = sorted(chain[-2:])
        merges.append((gone, kept, float(distances[gone, kept])))
        del chain[-2:]
        mean = (size[gone] * distances[gone] + size[kept] * distances[kept]) / (size[gone] + size[kept])
        mean[[gone, kept]] = np.inf
        distances[kept] = distances[:, kept] = mean
        distances[gone] = distances[:, gone] = np.inf
        size[kept] += size[gone]
        size[gone] = 0
    return merges
