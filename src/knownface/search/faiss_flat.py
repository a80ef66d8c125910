"""FAISS's exact flat index (``IndexFlatL2``), as the paper has it, with ids and with answers exact to the last bit.

FAISS computes in float32, and for batches by another formula (|x|² + |y|² − 2xy, through BLAS) whose last digits
differ; among near-equal neighbours its order is therefore a matter of chance and of the batch. So FAISS only proposes:
the distances of its candidates are computed anew in float64, and the answer is taken once it is certain that nobody
left out could belong to it. For few probes among many vectors codes propose
(:mod:`knownface.search.scalar_filter`), by a bound that makes as certain.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
import numpy.typing as npt

from knownface.errors import IndexDamagedError
from knownface.files import replacing
from knownface.search.base import VectorIndex, checked_ids, checked_k, checked_vectors, empty_answer, nearest
from knownface.search.scalar_filter import ScalarFilter
from knownface.search.threads import set_threads
from knownface.types import Distances, Embeddings, Ids

_EXTRA = 8
"""Candidates fetched beyond k, so that a second fetch is rare."""

_UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""

_MOST_FILTERED = 16
"""Probes for which codes are quicker; more are quicker through BLAS, which reads the vectors once for all of them."""

faiss.cvar.distance_compute_blas_threshold = 2048  # probes times length; FAISS's own is 128,000, up to six times slower

_DIGEST_SIZE = hashlib.sha256().digest_size


class FaissFlatIndex(VectorIndex):
    """See :class:`knownface.search.base.VectorIndex`. The file is one that FAISS reads (an ``IndexIDMap``).

    Example:
        >>> index = FaissFlatIndex(2)
        >>> index.add(np.array([7, 3]), np.array([[1, 0], [0, 1]], dtype=np.float32))
        >>> index.search(np.array([[1, 0]], dtype=np.float32), 1)[1]
        array([[7]])
    """

    name = "flat"
    description = "flat: every template is compared, exact"

    filtered = (1 << 22, 1 << 26)
    """From how many numbers (vectors times length) up to how many there are codes beside the vectors. With fewer they
    save nothing; with more, an exact search takes more than 10 ms all the same, and they a quarter of its memory."""

    candidates = 256
    """Vectors that codes propose at first; mostly fewer than a hundred of them must be compared."""

    def __init__(self, dim: int) -> None:
        self._adopt(faiss.IndexIDMap(faiss.IndexFlatL2(dim)))

    def _adopt(self, index: Any) -> None:
        self._index = index
        self._flat: Any = faiss.downcast_index(index.index)
        self._refresh()
        self._largest_square = _largest_square(self._vectors)
        self._filter: ScalarFilter | None = None

    def _refresh(self) -> None:
        self._ids: Ids = faiss.vector_to_array(self._index.id_map)
        # A view of FAISS's own memory, so it must be taken anew after every change.
        total, dim = self._flat.ntotal, self._flat.d
        self._vectors: Embeddings = (
            faiss.rev_swig_ptr(self._flat.get_xb(), total * dim).reshape(total, dim)
            if total
            else np.empty((0, dim), dtype=np.float32)
        )

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._flat.d)

    def __len__(self) -> int:
        return len(self._ids)

    def ids(self) -> Ids:
        """The ids held, ascending; a copy."""
        return np.sort(self._ids)

    def add(self, ids: Ids, vectors: Embeddings) -> None:
        """Add or replace vectors."""
        vectors = checked_vectors(vectors, self.dim)
        ids = checked_ids(ids, len(vectors))
        if not len(ids):
            return
        self._remove_held(ids)
        self._index.add_with_ids(vectors, ids)
        self._largest_square = max(self._largest_square, _largest_square(vectors))
        self._refresh()
        if self._filter is not None:
            if self._is_filtered and self._filter.fits(vectors):
                self._filter.add(vectors)
            else:
                self._filter = None

    def remove(self, ids: Ids) -> None:
        """Remove the vectors of these ids."""
        if self._remove_held(np.ascontiguousarray(ids, dtype=np.int64)):
            self._refresh()

    def _remove_held(self, ids: Ids) -> bool:
        held = np.intersect1d(self._ids, ids)
        if not len(held):
            return False
        if self._filter is not None:
            self._filter.remove(np.flatnonzero(np.isin(self._ids, held)))
        self._index.remove_ids(held)
        return True

    @property
    def _is_filtered(self) -> bool:
        return self.filtered[0] <= len(self) * self.dim <= self.filtered[1]

    def search(self, vectors: Embeddings, k: int) -> tuple[Distances, Ids]:
        """Find the k nearest of each probe."""
        probes = checked_vectors(vectors, self.dim)
        distances, found = empty_answer(len(probes), checked_k(k))
        if not len(self) or not len(probes):
            return distances, found
        set_threads(len(probes), len(self) * self.dim)
        width = min(k, len(self))
        search = self._filtered if self._is_filtered and len(probes) < _MOST_FILTERED else self._unfiltered
        distances[:, :width], found[:, :width] = search(probes, width)
        return distances, found

    def _unfiltered(self, probes: Embeddings, k: int) -> tuple[Distances, Ids]:
        fetched = min(k + _EXTRA, len(self))
        squares, positions = self._flat.search(probes, fetched)
        slack = self._slack(probes)
        distances, found = empty_answer(len(probes), k)
        for row, probe in enumerate(probes.astype(np.float64)):
            near, ids = self._nearest(probe, positions[row], k)
            bound = float(near[-1]) ** 2 + slack[row]
            if fetched < len(self) and squares[row, -1] <= bound:
                # Somebody beyond the last candidate may be as near: take everybody within the bound.
                _, _, within = self._flat.range_search(probes[row : row + 1], np.nextafter(bound, np.inf))
                near, ids = self._nearest(probe, within, k)
            distances[row], found[row] = near, ids
        return distances, found

    def _filtered(self, probes: Embeddings, k: int) -> tuple[Distances, Ids]:
        if self._filter is None:
            self._filter = ScalarFilter(self._vectors)
        distances, found = empty_answer(len(probes), k)
        waiting, fetched = np.arange(len(probes)), max(self.candidates, 2 * k)
        while len(waiting) and fetched * 8 <= len(self):
            bounds, positions = self._filter.search(probes[waiting], fetched)
            passed = np.zeros(len(waiting), dtype=np.bool_)
            for place, row in enumerate(waiting.tolist()):
                probe = probes[row].astype(np.float64)
                near, _ = self._nearest(probe, positions[place, :k], k)
                # Distances are rounded to float32 before they are compared.
                needed = bounds[place] <= np.nextafter(near[-1], np.float32(np.inf))
                passed[place] = not needed[-1]
                distances[row], found[row] = self._nearest(probe, positions[place, needed], k)
            waiting, fetched = waiting[~passed], 8 * fetched
        if len(waiting):
            distances[waiting], found[waiting] = self._unfiltered(probes[waiting], k)
        return distances, found

    def _nearest(self, probe: npt.NDArray[np.float64], positions: Ids, k: int) -> tuple[Distances, Ids]:
        return nearest(probe, self._vectors[positions], self._ids[positions], k)

    def _slack(self, probes: Embeddings) -> npt.NDArray[np.float64]:
        """How far a squared distance by FAISS may lie from the true one, per probe, with a margin for rounding.

        The error of a float32 dot product of n terms is at most n·u / (1 − n·u) times the sum of the absolute
        products (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1), whatever the order of
        summation; both of FAISS's formulas are a few of these.
        """
        terms = (self.dim + 8) * _UNIT_ROUNDOFF
        squares = np.einsum("ij,ij->i", probes, probes, dtype=np.float64)
        return np.asarray(4 * terms / (1 - terms) * (squares + self._largest_square) + 1e-30)

    def save(self, path: Path) -> None:
        """Write everything to a file of FAISS's format, followed by its SHA-256, which FAISS passes over."""
        data = faiss.serialize_index(self._index)
        with replacing(path, private=True) as temporary, temporary.open("wb") as file:
            file.write(data.data)
            file.write(hashlib.sha256(data.data).digest())

    @classmethod
    def load(cls, path: Path, effort: int | None = None) -> Self:  # noqa: ARG003
        """Read a file that :meth:`save` wrote."""
        try:
            content = np.fromfile(path, dtype=np.uint8)
            # Checked first: FAISS would believe a damaged count, and ask for as much memory.
            data, digest = content[:-_DIGEST_SIZE], content[-_DIGEST_SIZE:]
            if hashlib.sha256(data.data).digest() != digest.tobytes():
                raise IndexDamagedError(f"{path} is no index, or not as it was saved.")
            loaded = faiss.deserialize_index(data)
        except (OSError, RuntimeError) as error:
            raise IndexDamagedError(f"{path} is no index ({' '.join(str(error).split())}).") from error
        if not _is_ours(loaded):
            raise IndexDamagedError(f"{path} is an index of another kind, or its parts do not fit together.")
        index = cls.__new__(cls)
        index._adopt(loaded)
        return index


def _largest_square(vectors: Embeddings) -> float:
    """The square of the greatest length; 0 where there is no vector."""
    return float(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64).max(initial=0.0))


def _is_ours(loaded: Any) -> bool:
    if not isinstance(loaded, faiss.IndexIDMap):
        return False
    flat = faiss.downcast_index(loaded.index)
    return (
        isinstance(flat, faiss.IndexFlatL2)
        and loaded.d == flat.d > 0
        and loaded.ntotal == flat.ntotal == loaded.id_map.size()
        and flat.codes.size() == flat.ntotal * flat.d * 4
    )
