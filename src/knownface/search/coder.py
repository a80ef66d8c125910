"""Short codes of vectors, and FAISS's scan over them.

A vector is turned to the axes along which vectors differ, and cut into 48 pieces of about equal spread (the parametric
solution of "Optimized product quantization"; Ge, He, Ke and Sun, 2013). Each piece is told by 4 bits: which of 16
typical pieces it is most like (product quantisation; Jégou, Douze and Schmid, 2011). A table of 48 x 16 distances then
fits into the registers of a processor, and one core goes through hundreds of millions of codes a second (Quick ADC;
André, Kermarrec and Le Scouarnec, 2017; FAISS's "fast scan"). So all of a million codes are looked at for one probe,
and no neighbour is missed because it lay in a list that was not visited, which is where inverted lists lose most of
theirs: embeddings of faces form no clusters. The scan takes as long as reading the codes from memory, so they are few.

With ``lists`` the codes are sorted into that many lists around typical vectors, and only those nearest to the probe
are looked at. That is for many millions, where looking at all takes too long.
"""

from __future__ import annotations

from typing import Any, Self

import faiss as _faiss
import numpy as np
import numpy.typing as npt

from knownface.types import Distances, Embeddings, Ids

faiss: Any = _faiss  # its type hints lack what is used here

Codes = npt.NDArray[np.uint8]

_PIECES = 48
_BITS = 4
_BLOCK = 32
"""Codes that a register holds together: FAISS's own choice for these."""
_LIST_BYTES = 4

_FEWEST_IN_A_LIST = 8
"""A list around fewer vectors than this would give them away: its centre is their mean."""

_TRAINED_ON = 4096
_IN_A_LIST = 40


class Coder:
    """What vectors are encoded by; it does not change once trained.

    Args:
        dim: Length of a vector.
        trained: FAISS's product quantiser.
        turn: Float32, shape (padded dim, dim): orthonormal axes, and zeros, so that the pieces are of equal length.
        centres: Float32, shape (lists, padded dim): what lists stand around; None where there are none.
    """

    def __init__(self, dim: int, trained: Any, turn: Embeddings, centres: Embeddings | None = None) -> None:
        self.dim, self._quantiser, self._turn, self._centres = dim, trained, turn, centres
        self._coarse: Any = None
        if centres is not None:
            self._coarse = faiss.IndexFlatL2(trained.d)
            self._coarse.add(centres)

    @property
    def lists(self) -> int:
        """How many lists there are; 0 where all codes are looked at."""
        return 0 if self._centres is None else len(self._centres)

    @property
    def size(self) -> int:
        """Bytes a vector, its list's number included."""
        return int(self._quantiser.code_size) + (_LIST_BYTES if self.lists else 0)

    @classmethod
    def train(cls, sample: Embeddings, lists: int = 0) -> Self:
        """Learn typical pieces, and where wanted typical vectors, from some of the vectors to be encoded.

        Args:
            sample: Float32, shape (n, dim), at least 16 of them.
            lists: How many lists to make at most; those with few vectors of the sample are given up.
        """
        dim = sample.shape[1]
        pieces = min(_PIECES, dim)
        turn = _axes(sample, pieces, -(-dim // pieces))
        turned = _turned(sample, turn)
        centres = _typical(turned, lists) if lists else None
        if centres is not None:
            coarse = faiss.IndexFlatL2(turned.shape[1])
            coarse.add(centres)
            turned = turned - centres[coarse.assign(turned, 1)[:, 0]]
        quantiser = faiss.ProductQuantizer(turned.shape[1], pieces, _BITS)
        quantiser.cp.min_points_per_centroid = 1
        quantiser.train(turned)
        return cls(dim, quantiser, turn, centres)

    def turned(self, vectors: Embeddings) -> Embeddings:
        """Vectors along the coder's axes, shape (n, padded dim); distances stay the same."""
        return _turned(vectors, self._turn)

    def turned_probes(self, probes: Embeddings) -> Embeddings:
        """The same, one by one: a product of matrices rounds a row otherwise in another batch."""
        each = [np.einsum("ij,j->i", self._turn, probe) for probe in probes]
        return np.array(each, dtype=np.float32).reshape(len(probes), len(self._turn))

    def encode(self, vectors: Embeddings) -> Codes:
        """The codes of vectors, shape (n, size)."""
        turned = self.turned(vectors)
        if self._centres is None:
            codes: Codes = self._quantiser.compute_codes(turned)
            return codes
        number = self._coarse.assign(turned, 1)[:, 0] if len(turned) else np.empty(0, dtype=np.int64)
        inner = self._quantiser.compute_codes(turned - self._centres[number])
        return np.concatenate([number.astype("<i4").view(np.uint8).reshape(-1, _LIST_BYTES), inner], axis=1)

    def scan(self, codes: Codes) -> CodeScan:
        """A scan over codes; the number of a code is its row."""
        return CodeScan(self, self._all_at_once(codes) if self._centres is None else self._by_lists(codes))

    def _all_at_once(self, codes: Codes) -> Any:
        plain = faiss.IndexPQ(self._quantiser.d, self._quantiser.M, _BITS)
        plain.pq, plain.is_trained = self._quantiser, True
        faiss.copy_array_to_vector(np.ascontiguousarray(codes).ravel(), plain.codes)
        plain.ntotal = len(codes)
        return faiss.IndexPQFastScan(plain, _BLOCK)

    def _by_lists(self, codes: Codes) -> Any:
        plain = faiss.IndexIVFPQ(self._coarse, self._quantiser.d, self.lists, self._quantiser.M, _BITS)
        plain.pq, plain.is_trained = self._quantiser, True
        numbers = np.ascontiguousarray(codes[:, :_LIST_BYTES]).view("<i4")[:, 0]
        order = np.argsort(numbers, kind="stable")
        starts = np.searchsorted(numbers[order], np.arange(self.lists + 1))
        for number in range(self.lists):
            rows = order[starts[number] : starts[number + 1]].astype(np.int64)
            if len(rows):
                inner = np.ascontiguousarray(codes[rows, _LIST_BYTES:])
                plain.invlists.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(inner))
        plain.ntotal = len(codes)
        plain.precompute_table()
        return faiss.IndexIVFPQFastScan(plain, _BLOCK)

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """What is needed to make it again."""
        pieces = faiss.vector_to_array(self._quantiser.centroids).reshape(self._quantiser.M, 1 << _BITS, -1)
        arrays = {"pieces": pieces, "turn": self._turn}
        return arrays if self._centres is None else {**arrays, "centres": self._centres}

    @classmethod
    def from_arrays(
        cls, dim: int, pieces: npt.NDArray[np.float32], turn: Embeddings, centres: Embeddings | None = None
    ) -> Self:
        """The coder that these :meth:`arrays` are of.

        Raises:
            ValueError: They do not fit together.
        """
        count, kinds, length = pieces.shape
        if kinds != 1 << _BITS or not dim <= count * length < dim + count:
            raise ValueError(f"pieces of the shape {pieces.shape} make no vectors of length {dim}")
        if turn.shape != (count * length, dim):
            raise ValueError(f"axes of the shape {turn.shape} turn no vectors of length {dim}")
        if centres is not None and (centres.ndim != 2 or centres.shape[1] != count * length or not len(centres)):
            raise ValueError(f"centres of the shape {centres.shape} are no vectors of length {count * length}")
        quantiser = faiss.ProductQuantizer(count * length, count, _BITS)
        faiss.copy_array_to_vector(np.ascontiguousarray(pieces, dtype=np.float32).ravel(), quantiser.centroids)
        return cls(dim, quantiser, turn, centres)


class CodeScan:
    """Codes in FAISS's own order in memory; see :meth:`Coder.scan`."""

    def __init__(self, coder: Coder, index: Any) -> None:
        self._coder, self._index = coder, index

    def add(self, vectors: Embeddings) -> None:
        """Encode vectors and add them as the next rows."""
        self._index.add(self._coder.turned(vectors))

    def search(self, probes: Embeddings, k: int, probed: int) -> tuple[Distances, Ids]:
        """The k nearest by their codes.

        Args:
            probes: Float32, shape (n, dim).
            k: At most as many as there are rows.
            probed: How many lists are looked at, where there are lists.

        Returns:
            Squared distances, roughly, and rows, both of shape (n, k); -1 where fewer were found.
        """
        turned = self._coder.turned_probes(probes)
        if not self._coder.lists:
            distances, rows = self._index.search(turned, k)
        else:
            options = faiss.IVFSearchParameters(nprobe=min(probed, self._coder.lists))
            distances, rows = self._index.search(turned, k, params=options)
        return distances, rows


def sample_size(lists: int) -> int:
    """Vectors that a coder is trained on at most; more did not change what is found."""
    return max(_TRAINED_ON, _IN_A_LIST * lists)


def _turned(vectors: Embeddings, turn: Embeddings) -> Embeddings:
    return np.ascontiguousarray(vectors @ turn.T, dtype=np.float32)


def _axes(sample: Embeddings, pieces: int, length: int) -> Embeddings:
    """The axes of the sample's spread, dealt out so that the pieces' products of variances are about equal."""
    dim = sample.shape[1]
    variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(sample.astype(np.float64), rowvar=False)))
    logs, axes = np.log(np.maximum(variances[::-1], 1e-30)), axes.T[::-1]
    turn, spread = np.zeros((pieces, length, dim), dtype=np.float32), np.zeros(pieces)
    for place in range(length):
        dealt = range(place * pieces, min((place + 1) * pieces, dim))
        # The longest axis goes to the piece that has the least so far.
        to = np.argsort(spread, kind="stable")[: len(dealt)]
        turn[to, place] = axes[dealt]
        spread[to] += logs[dealt]
    return turn.reshape(pieces * length, dim)


def _typical(sample: Embeddings, lists: int) -> Embeddings:
    means = faiss.Kmeans(
        sample.shape[1], min(lists, max(1, len(sample) // _FEWEST_IN_A_LIST)), niter=10, min_points_per_centroid=1
    )
    means.train(sample)
    _, nearest = means.index.search(sample, 1)
    counts = np.bincount(nearest[:, 0], minlength=len(means.centroids))
    kept: Embeddings = np.ascontiguousarray(means.centroids[counts >= _FEWEST_IN_A_LIST])
    return kept if len(kept) else sample.mean(axis=0, keepdims=True)
