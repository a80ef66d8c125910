"""Product quantisation of vectors, and FAISS's scan over the codes.

A vector is rotated to the axes along which vectors differ, and cut into 48 subvectors of about equal spread (the
parametric solution of "Optimized product quantization"; Ge, He, Ke and Sun, 2013). The sub-quantizer of each gives it
4 bits: which of 16 centroids is nearest (product quantisation; Jégou, Douze and Schmid, 2011). A table of 48 x 16
distances then fits into the registers of a processor, and one core goes through hundreds of millions of codes a second
(Quick ADC; André, Kermarrec and Le Scouarnec, 2017; FAISS's "fast scan"). So all of a million codes are compared for
one probe, and no neighbour is missed because it lay in a list that was not visited, which is where inverted lists lose
most of theirs: embeddings of faces form no clusters. The scan takes as long as reading the codes from memory, so they
are few.

With ``nlist`` the codes are sorted into that many inverted lists, each around a coarse centroid, and only the
``nprobe`` lists nearest to the probe are scanned. That is for many millions, where scanning all takes too long.
"""

from __future__ import annotations

from typing import Any, Self

import faiss as _faiss
import numpy as np
import numpy.typing as npt

from knownface.search.threads import one_thread
from knownface.types import Distances, Embeddings, Ids

faiss: Any = _faiss  # its type hints lack what is used here

Codes = npt.NDArray[np.uint8]

_SUBQUANTIZERS = 48
_BITS = 4
_BLOCK = 32
"""Codes that a register holds together: FAISS's own choice for these."""
_LIST_BYTES = 4

_FEWEST_IN_A_LIST = 8
"""A list of fewer vectors than this would give them away: its centroid is their mean."""

_TRAINED_ON = 4096
_IN_A_LIST = 40


class Quantizer:
    """Rotation, product quantiser and, with inverted lists, coarse quantiser; it does not change once trained.

    Args:
        dim: Length of a vector.
        pq: FAISS's product quantiser, trained.
        rotation: Float32, shape (padded dim, dim): orthonormal axes, and zeros, so that the subvectors are of equal
            length.
        centroids: Of the inverted lists, float32, shape (nlist, padded dim); None where there are none.
    """

    def __init__(self, dim: int, pq: Any, rotation: Embeddings, centroids: Embeddings | None = None) -> None:
        self.dim, self._pq, self._rotation, self._centroids = dim, pq, rotation, centroids
        self._coarse: Any = None
        if centroids is not None:
            self._coarse = faiss.IndexFlatL2(pq.d)
            self._coarse.add(centroids)

    @property
    def nlist(self) -> int:
        """How many inverted lists there are; 0 where all codes are scanned."""
        return 0 if self._centroids is None else len(self._centroids)

    @property
    def size(self) -> int:
        """Bytes a vector, its list's number included."""
        return int(self._pq.code_size) + (_LIST_BYTES if self.nlist else 0)

    @classmethod
    def train(cls, sample: Embeddings, nlist: int = 0) -> Self:
        """Learn rotation and centroids from some of the vectors to be encoded.

        Args:
            sample: Float32, shape (n, dim); fewer than 16 are filled up with zeros.
            nlist: How many inverted lists to make at most; those with few vectors of the sample are given up.
        """
        missing = max(0, (1 << _BITS) - len(sample))
        sample = np.concatenate([sample, np.zeros((missing, sample.shape[1]), dtype=np.float32)])
        dim = sample.shape[1]
        subquantizers = min(_SUBQUANTIZERS, dim)
        rotation = _spread_evenly(sample, subquantizers, -(-dim // subquantizers))
        rotated = _rotated(sample, rotation)
        centroids = _coarse_centroids(rotated, nlist) if nlist else None
        if centroids is not None:
            coarse = faiss.IndexFlatL2(rotated.shape[1])
            coarse.add(centroids)
            rotated = rotated - centroids[coarse.assign(rotated, 1)[:, 0]]
        pq = faiss.ProductQuantizer(rotated.shape[1], subquantizers, _BITS)
        pq.cp.min_points_per_centroid = 1
        with one_thread():
            pq.train(rotated)
        return cls(dim, pq, rotation, centroids)

    def rotated(self, vectors: Embeddings) -> Embeddings:
        """Vectors along the rotation's axes, shape (n, padded dim); distances stay the same."""
        return _rotated(vectors, self._rotation)

    def rotated_probes(self, probes: Embeddings) -> Embeddings:
        """The same, one by one: a product of matrices rounds a row otherwise in another batch."""
        each = [np.einsum("ij,j->i", self._rotation, probe) for probe in probes]
        return np.array(each, dtype=np.float32).reshape(len(probes), len(self._rotation))

    def encode(self, vectors: Embeddings) -> Codes:
        """The codes of vectors, shape (n, size)."""
        rotated = self.rotated(vectors)
        if self._centroids is None:
            codes: Codes = self._pq.compute_codes(rotated)
            return codes
        number = self._coarse.assign(rotated, 1)[:, 0] if len(rotated) else np.empty(0, dtype=np.int64)
        residuals = self._pq.compute_codes(rotated - self._centroids[number])
        return np.concatenate([number.astype("<i4").view(np.uint8).reshape(-1, _LIST_BYTES), residuals], axis=1)

    def scan(self, codes: Codes) -> CodeScan:
        """A scan over codes; the number of a code is its row."""
        return CodeScan(self, self._exhaustive(codes) if self._centroids is None else self._inverted(codes))

    def _exhaustive(self, codes: Codes) -> Any:
        plain = faiss.IndexPQ(self._pq.d, self._pq.M, _BITS)
        plain.pq, plain.is_trained = self._pq, True
        faiss.copy_array_to_vector(np.ascontiguousarray(codes).ravel(), plain.codes)
        plain.ntotal = len(codes)
        return faiss.IndexPQFastScan(plain, _BLOCK)

    def _inverted(self, codes: Codes) -> Any:
        plain = faiss.IndexIVFPQ(self._coarse, self._pq.d, self.nlist, self._pq.M, _BITS)
        plain.pq, plain.is_trained = self._pq, True
        numbers = np.ascontiguousarray(codes[:, :_LIST_BYTES]).view("<i4")[:, 0]
        order = np.argsort(numbers, kind="stable")
        starts = np.searchsorted(numbers[order], np.arange(self.nlist + 1))
        for number in range(self.nlist):
            rows = order[starts[number] : starts[number + 1]].astype(np.int64)
            if len(rows):
                residuals = np.ascontiguousarray(codes[rows, _LIST_BYTES:])
                plain.invlists.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(residuals))
        plain.ntotal = len(codes)
        plain.precompute_table()
        return faiss.IndexIVFPQFastScan(plain, _BLOCK)

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """What is needed to make it again, by the names that it has in files."""
        codebooks = faiss.vector_to_array(self._pq.centroids).reshape(self._pq.M, 1 << _BITS, -1)
        arrays = {"pieces": codebooks, "turn": self._rotation}
        return arrays if self._centroids is None else {**arrays, "centres": self._centroids}

    @classmethod
    def from_arrays(
        cls, dim: int, codebooks: npt.NDArray[np.float32], rotation: Embeddings, centroids: Embeddings | None = None
    ) -> Self:
        """The quantizer that these :meth:`arrays` are of.

        Args:
            dim: Length of a vector.
            codebooks: Float32, shape (sub-quantizers, 16, length of a subvector).
            rotation: As for the class.
            centroids: As for the class.

        Raises:
            ValueError: They do not fit together.
        """
        count, size, length = codebooks.shape
        if size != 1 << _BITS or not dim <= count * length < dim + count:
            raise ValueError(f"codebooks of the shape {codebooks.shape} make no vectors of length {dim}")
        if rotation.shape != (count * length, dim):
            raise ValueError(f"a rotation of the shape {rotation.shape} turns no vectors of length {dim}")
        if centroids is not None and (
            centroids.ndim != 2 or centroids.shape[1] != count * length or not len(centroids)
        ):
            raise ValueError(f"centroids of the shape {centroids.shape} are no vectors of length {count * length}")
        pq = faiss.ProductQuantizer(count * length, count, _BITS)
        faiss.copy_array_to_vector(np.ascontiguousarray(codebooks, dtype=np.float32).ravel(), pq.centroids)
        return cls(dim, pq, rotation, centroids)


class CodeScan:
    """Codes in FAISS's own order in memory; see :meth:`Quantizer.scan`."""

    def __init__(self, quantizer: Quantizer, index: Any) -> None:
        self._quantizer, self._index = quantizer, index

    def add(self, vectors: Embeddings) -> None:
        """Encode vectors and add them as the next rows."""
        self._index.add(self._quantizer.rotated(vectors))

    def search(self, probes: Embeddings, k: int, nprobe: int) -> tuple[Distances, Ids]:
        """The k nearest by their codes.

        Args:
            probes: Float32, shape (n, dim).
            k: At most as many as there are rows.
            nprobe: How many inverted lists are scanned, where there are any.

        Returns:
            Squared distances, roughly, and rows, both of shape (n, k); -1 where fewer were found.
        """
        rotated = self._quantizer.rotated_probes(probes)
        if not self._quantizer.nlist:
            distances, rows = self._index.search(rotated, k)
        else:
            options = faiss.IVFSearchParameters(nprobe=min(nprobe, self._quantizer.nlist))
            distances, rows = self._index.search(rotated, k, params=options)
        return distances, rows


def sample_size(nlist: int) -> int:
    """Vectors that a quantizer is trained on at most; more did not change what is found."""
    return max(_TRAINED_ON, _IN_A_LIST * nlist)


def _rotated(vectors: Embeddings, rotation: Embeddings) -> Embeddings:
    return np.ascontiguousarray(vectors @ rotation.T, dtype=np.float32)


def _spread_evenly(sample: Embeddings, subquantizers: int, length: int) -> Embeddings:
    """The sample's principal axes, dealt out so that the subvectors' products of variances are about equal."""
    dim = sample.shape[1]
    variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(sample.astype(np.float64), rowvar=False)))
    logs, axes = np.log(np.maximum(variances[::-1], 1e-30)), axes.T[::-1]
    rotation, spread = np.zeros((subquantizers, length, dim), dtype=np.float32), np.zeros(subquantizers)
    for place in range(length):
        dealt = range(place * subquantizers, min((place + 1) * subquantizers, dim))
        # The longest axis goes to the subvector that has the least so far.
        to = np.argsort(spread, kind="stable")[: len(dealt)]
        rotation[to, place] = axes[dealt]
        spread[to] += logs[dealt]
    return rotation.reshape(subquantizers * length, dim)


def _coarse_centroids(sample: Embeddings, nlist: int) -> Embeddings:
    means = faiss.Kmeans(
        sample.shape[1], min(nlist, max(1, len(sample) // _FEWEST_IN_A_LIST)), niter=10, min_points_per_centroid=1
    )
    means.train(sample)
    _, nearest = means.index.search(sample, 1)
    counts = np.bincount(nearest[:, 0], minlength=len(means.centroids))
    kept: Embeddings = np.ascontiguousarray(means.centroids[counts >= _FEWEST_IN_A_LIST])
    return kept if len(kept) else sample.mean(axis=0, keepdims=True)
