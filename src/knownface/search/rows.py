"""Vectors in rows: a first part that may lie in a file and be mapped, and a tail in memory that grows."""

from __future__ import annotations

import functools
import mmap
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from knownface.errors import IndexDamagedError
from knownface.types import Embeddings, Ids

_T = TypeVar("_T", bound=np.generic)

Checks = npt.NDArray[np.uint64]

ERASED = np.uint64(0)
"""In the place of a row's checksum: the row was overwritten."""

_FAR = 1e6
"""Every number of a row that another program has erased just now: it is nobody's neighbour."""

_BLOCK = 16_384
"""Rows handled at a time where all are."""


class Growing(Generic[_T]):
    """An array whose rows can be added to without copying it each time."""

    def __init__(self, start: npt.NDArray[_T]) -> None:
        self._room = start
        self._used = len(start)

    def __len__(self) -> int:
        return self._used

    @property
    def array(self) -> npt.NDArray[_T]:
        """What it holds; a view."""
        return self._room[: self._used]

    def append(self, rows: npt.NDArray[_T]) -> None:
        """Add rows at the end."""
        needed = self._used + len(rows)
        if needed > len(self._room):
            self.reserve(needed + needed // 8 + 64)
        self._room[self._used : needed] = rows
        self._used = needed

    def reserve(self, count: int) -> None:
        """Make room for so many rows in all, so that none is copied until there are more."""
        room = np.empty((max(count, self._used), *self._room.shape[1:]), dtype=self._room.dtype)
        room[: self._used] = self.array
        self._room = room


def checks_of(rows: npt.NDArray[Any]) -> Checks:
    """A checksum of each row, never 0: a sum of its words modulo 2^64, each with an odd weight of its own.

    It shows any change but for a chance of about 2^-63. It is for damage by the disk, not by somebody who means it.

    Args:
        rows: C-contiguous.
    """
    if not len(rows):
        return np.empty(0, dtype=np.uint64)
    size = rows.nbytes // len(rows)
    if size % 8:
        rows = np.pad(rows.view(np.uint8).reshape(len(rows), size), ((0, 0), (0, -size % 8)))
    words = rows.view(np.uint64).reshape(len(rows), -1)
    return np.asarray(words @ _weights(words.shape[1]) | np.uint64(1), dtype=np.uint64)


@functools.lru_cache(maxsize=8)
def _weights(count: int) -> Checks:
    drawn = np.random.default_rng(count).integers(0, 1 << 63, count, dtype=np.uint64)
    weights: Checks = (drawn << np.uint64(1)) | np.uint64(1)
    weights.flags.writeable = False
    return weights


class VectorRows:
    """Vectors by row number; a row never moves, and what was removed is not asked for any more.

    Args:
        first: Float32, shape (n, dim): the rows there are, in memory or mapped from a file.
        checks: The rows' checksums, where they come from a file; they are compared whenever a row is read.
        place: What messages call the file.
        mapping: What the first rows are a view of, where they are mapped.
    """

    def __init__(
        self,
        first: Embeddings,
        checks: Checks | None = None,
        place: str = "",
        mapping: mmap.mmap | None = None,
    ) -> None:
        self._first, self._checks, self._place, self._mapping = first, checks, place, mapping
        self._expect("MADV_RANDOM")
        self._tail: Growing[np.float32] = Growing(np.empty((0, first.shape[1]), dtype=np.float32))

    def __len__(self) -> int:
        return len(self._first) + len(self._tail)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._first.shape[1])

    def reserve(self, count: int) -> None:
        """Make room for so many rows to be added."""
        self._tail.reserve(len(self._tail) + count)

    def append(self, vectors: Embeddings) -> None:
        """Add rows at the end."""
        self._tail.append(vectors)

    def take(self, rows: Ids) -> Embeddings:
        """The vectors of these rows, a copy, float32, shape (len(rows), dim).

        Raises:
            IndexDamagedError: A row of the file is not as it was written.
        """
        count = len(self._first)
        if not len(self._tail) or (rows < count).all():
            return self._from_file(rows)
        vectors = np.empty((len(rows), self.dim), dtype=np.float32)
        old = rows < count
        vectors[old] = self._from_file(rows[old])
        vectors[~old] = self._tail.array[rows[~old] - count]
        return vectors

    def _from_file(self, rows: Ids) -> Embeddings:
        vectors = np.array(self._first[rows])
        if self._checks is None:
            return vectors
        # Read after the vectors: whoever erases a row clears its checksum first.
        checks = self._checks[rows]
        erased = checks == ERASED
        if not np.array_equal(checks_of(vectors)[~erased], checks[~erased]):
            raise IndexDamagedError(f"{self._place} is not as it was saved.")
        vectors[erased] = _FAR
        return vectors

    def blocks(self, rows: Ids) -> Iterator[tuple[Ids, Embeddings]]:
        """These rows' numbers and vectors, some thousand at a time, in order."""
        self._expect("MADV_NORMAL")
        try:
            for start in range(0, len(rows), _BLOCK):
                part = rows[start : start + _BLOCK]
                yield part, self.take(part)
        finally:
            self._expect("MADV_RANDOM")

    def _expect(self, advice: str) -> None:
        """Say how rows will be read: where single ones are, reading ahead would read thirty times as much."""
        if self._mapping is not None and hasattr(mmap, advice):  # Windows takes no advice
            self._mapping.madvise(getattr(mmap, advice))
