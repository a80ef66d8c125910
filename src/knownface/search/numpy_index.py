"""The oracle: every distance computed, by NumPy, in float64. Slow, and plainly right."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Self

import numpy as np

from knownface.errors import IndexDamagedError
from knownface.files import replacing
from knownface.search.base import VectorIndex, checked_ids, checked_k, checked_vectors, empty_answer, nearest
from knownface.types import Distances, Embeddings, Ids

# What NumPy and zipfile raise for files that were cut or altered.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


class NumpyIndex(VectorIndex):
    """See :class:`knownface.search.base.VectorIndex`.

    Example:
        >>> index = NumpyIndex(2)
        >>> index.add(np.array([7, 3]), np.array([[1, 0], [0, 1]], dtype=np.float32))
        >>> index.search(np.array([[1, 0]], dtype=np.float32), 1)[1]
        array([[7]])
    """

    name = "numpy"
    description = "numpy: every template is compared in float64, exact and slow"

    def __init__(self, dim: int) -> None:
        self._ids: Ids = np.empty(0, dtype=np.int64)
        self._vectors: Embeddings = np.empty((0, dim), dtype=np.float32)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    def __len__(self) -> int:
        return len(self._ids)

    def ids(self) -> Ids:
        """The ids held, ascending; a copy."""
        return np.sort(self._ids)

    def add(self, ids: Ids, vectors: Embeddings) -> None:
        """Add or replace vectors."""
        vectors = checked_vectors(vectors, self.dim)
        ids = checked_ids(ids, len(vectors))
        self.remove(ids)
        self._ids = np.concatenate([self._ids, ids])
        self._vectors = np.concatenate([self._vectors, vectors])

    def remove(self, ids: Ids) -> None:
        """Remove the vectors of these ids."""
        keep = ~np.isin(self._ids, ids)
        self._ids, self._vectors = self._ids[keep], self._vectors[keep]

    def search(self, vectors: Embeddings, k: int) -> tuple[Distances, Ids]:
        """Find the k nearest of each probe."""
        probes = checked_vectors(vectors, self.dim).astype(np.float64)
        distances, found = empty_answer(len(probes), checked_k(k))
        width = min(k, len(self))
        for row, probe in enumerate(probes):
            distances[row, :width], found[row, :width] = nearest(probe, self._vectors, self._ids, k)
        return distances, found

    def save(self, path: Path) -> None:
        """Write everything to an ``.npz`` file."""
        with replacing(path, private=True) as temporary, temporary.open("wb") as file:
            np.savez(file, ids=self._ids, vectors=self._vectors)

    @classmethod
    def load(cls, path: Path, effort: int | None = None) -> Self:  # noqa: ARG003
        """Read a file that :meth:`save` wrote."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                ids, vectors = arrays["ids"], arrays["vectors"]
            index = cls(vectors.shape[1])
            index.add(ids, vectors)
        except _DAMAGE as error:
            raise IndexDamagedError(f"{path} is no index ({error}).") from error
        return index
