"""What every vector index does, and the arithmetic that makes their answers equal to the last bit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from knownface.files import sha256_of
from knownface.types import Distances, Embeddings, Ids

NO_ID = -1
"""Stands where fewer than k vectors were found."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorSource:
    """The vectors that an index is built from, read as they are needed.

    Attributes:
        dim: Length of a vector.
        ids: Int64, shape (n,), ascending.
        read: Reads the vectors of some of these ids, float32, shape (m, dim).
        blocks: Reads ids and vectors of all, some thousand at a time, in the order of the ids.
    """

    dim: int
    ids: Ids
    read: Callable[[Ids], Embeddings]
    blocks: Callable[[], Iterator[tuple[Ids, Embeddings]]]


class VectorIndex(ABC):
    """Vectors with ids, and the search for the nearest.

    Ids are whole numbers of at least 0. A probe's answer depends on the probe and the vectors alone: neither on the
    rest of its batch nor on the order in which vectors were added.

    A kind is registered by an entry point of the group ``knownface.indexes`` that names the class, and chosen by the
    setting ``index``. A kind that keeps its vectors in its file (see :class:`knownface.search.CompressedIndex`) also
    overrides :meth:`build`, :meth:`identity` and :attr:`maps_file`.

    Args:
        dim: Length of a vector.
    """

    name: ClassVar[str]
    """By which the kind is chosen, and a saved index found again; that of its entry point."""
    description: ClassVar[str]
    """What searches, for users."""
    maps_file: ClassVar[bool] = False
    """Whether an index that was built or loaded with a path reads its vectors from that file."""

    @abstractmethod
    def __init__(self, dim: int) -> None: ...

    @property
    @abstractmethod
    def dim(self) -> int:
        """Length of a vector."""

    @abstractmethod
    def __len__(self) -> int:
        """Vectors held."""

    @abstractmethod
    def ids(self) -> Ids:
        """The ids held, ascending; a copy."""

    @abstractmethod
    def add(self, ids: Ids, vectors: Embeddings) -> None:
        """Add vectors; where an id is held already, its vector is replaced.

        Args:
            ids: Int64, shape (n,), no id twice.
            vectors: Float32, shape (n, dim), finite, no number beyond 1e15.

        Raises:
            ValueError: A shape, an id or a number does not fit; nothing was added.
        """

    @abstractmethod
    def remove(self, ids: Ids) -> None:
        """Remove the vectors of these ids; ids not held are passed over."""

    @abstractmethod
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

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write everything to a file, which is at any instant the old one or the whole new one.

        Raises:
            OutputError: It cannot be written.
        """

    @classmethod
    @abstractmethod
    def load(cls, path: Path, effort: int | None = None) -> Self:
        """Read a file that :meth:`save` wrote.

        Args:
            path: The file.
            effort: The setting ``search_effort``, for kinds whose search can do more or less; None is their default.

        Raises:
            IndexDamagedError: It is missing, or not such a file.
        """

    @classmethod
    def build(cls, source: VectorSource, path: Path | None = None, effort: int | None = None) -> Self:  # noqa: ARG003
        """An index of many vectors at once.

        Args:
            source: The vectors.
            path: Where a kind that maps its file writes it; None keeps the vectors in memory.
            effort: As for :meth:`load`.

        Raises:
            OSError: The file cannot be written; nothing is left of it.
            IndexDamagedError: Somebody deleted it meanwhile.
        """
        index = cls(source.dim)
        for ids, vectors in source.blocks():
            index.add(ids, vectors)
        return index

    @property
    def outgrown(self) -> bool:
        """Whether it should be built anew, of what it holds now."""
        return False

    @classmethod
    def identity(cls, path: Path) -> str:
        """A text that no other saved file has; what erases vectors in a file leaves it as it was.

        Raises:
            IndexDamagedError: It is missing, or not such a file.
            OSError: It cannot be read.
        """
        return sha256_of(path)


def nearest(probe: npt.NDArray[np.float64], vectors: Embeddings, ids: Ids, k: int) -> tuple[Distances, Ids]:
    """The k nearest of some vectors, by float64 arithmetic.

    Order is by the distance as it is returned, that is rounded to float32, then by id; so equal vectors, and vectors
    that differ by less than a float32 can show, stand in the order of their ids whatever found them.

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


def spread(ids: Ids, most: int) -> Ids:
    """At most so many of the ids, evenly from first to last."""
    if len(ids) <= most:
        return ids
    return ids[np.linspace(0, len(ids) - 1, most).astype(np.int64)]
