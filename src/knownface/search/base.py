"""What every vector index can do, and the arithmetic that makes their answers equal to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from knownface.types import Distances, Embeddings, Ids

NO_ID = -1
"""Stands where fewer than k vectors were found."""


class VectorIndex(Protocol):
    """Vectors with ids, and the search for the nearest.

    Ids are whole numbers of at least 0. A probe's answer depends on the probe and the vectors alone: neither on the
    rest of its batch nor on the order in which vectors were added.
    """

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    def __len__(self) -> int:
        """Vectors held."""
        ...

    def ids(self) -> Ids:
        """The ids held, ascending; a copy."""
        ...

    def add(self, ids: Ids, vectors: Embeddings) -> None:
        """Add vectors; where an id is held already, its vector is replaced.

        Args:
            ids: Int64, shape (n,), no id twice.
            vectors: Float32, shape (n, dim), finite, no number beyond 1e15.

        Raises:
            ValueError: A shape, an id or a number does not fit; nothing was added.
        """
        ...

    def remove(self, ids: Ids) -> None:
        """Remove the vectors of these ids; ids not held are passed over."""
        ...

    def search(self, vectors: Embeddings, k: int) -> tuple[Distances, Ids]:
        """Find the k nearest of each probe, ordered by distance, then id.

        Args:
            vectors: Probes, float32, shape (n, dim), finite, no number beyond 1e15.
            k: How many, at least 1.

        Returns:
            Euclidean distances (the root taken), float32, shape (n, k), and ids, int64, shape (n, k). Where fewer
            than k are held, the ids are -1 and the distances infinite.

        Raises:
            ValueError: A shape or a number does not fit.
        """
        ...

    def save(self, path: Path) -> None:
        """Write everything to a file, which is at any instant the old one or the whole new one.

        Raises:
            OutputError: It cannot be written.
        """
        ...

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that :meth:`save` wrote.

        Raises:
            IndexDamagedError: It is missing, or not such a file.
        """
        ...


def nearest(probe: npt.NDArray[np.float64], vectors: Embeddings, ids: Ids, k: int) -> tuple[Distances, Ids]:
    """The k nearest of some vectors, by float64 arithmetic.

    Order is by the distance as it is returned, that is rounded to float32, then by id; so equal vectors, and vectors
    that differ by less than a float32 can tell, stand in the order of their ids whatever found them.

    Args:
        probe: Shape (dim,).
        vectors: Float32, shape (m, dim).
        ids: Int64, shape (m,).
        k: How many.

    Returns:
        Distances, float32, and ids, int64, both of shape (min(k, m),).
    """
    difference = vectors.astype(np.float64) - probe
    distances = np.sqrt(np.sum(difference * difference, axis=1)).astype(np.float32)
    order = np.lexsort((ids, distances))[:k]
    return distances[order], ids[order]


def empty_answer(n: int, k: int) -> tuple[Distances, Ids]:
    """Distances and ids of n probes for which nothing was found."""
    return np.full((n, k), np.inf, dtype=np.float32), np.full((n, k), NO_ID, dtype=np.int64)


def checked_vectors(vectors: Embeddings, dim: int) -> Embeddings:
    """The vectors as a contiguous float32 array.

    Raises:
        ValueError: The shape is not (n, dim), or a number is not finite or beyond 1e15, whose square, summed, a
            float32 could not hold.
    """
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != dim:
        raise ValueError(f"vectors must have the shape (n, {dim}), got {array.shape}")
    if not (np.abs(array) <= 1e15).all():
        raise ValueError("vectors must be finite, with no number beyond 1e15")
    return array


def checked_ids(ids: Ids, count: int) -> Ids:
    """The ids as a contiguous int64 array.

    Raises:
        ValueError: There are not ``count`` of them, one is negative, or one comes twice.
    """
    array = np.ascontiguousarray(ids, dtype=np.int64)
    if array.shape != (count,):
        raise ValueError(f"ids must have the shape ({count},), got {array.shape}")
    if count and (array.min() < 0 or len(np.unique(array)) != count):
        raise ValueError("ids must be at least 0, and none may come twice")
    return array


def checked_k(k: int) -> int:
    """K itself.

    Raises:
        ValueError: It is smaller than 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    return k
