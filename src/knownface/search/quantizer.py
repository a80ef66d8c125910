"""Product quantisation of vectors, and FAISS's scan over the codes.

A vector is rotated to the axes along which vectors differ, and cut into 48 subvectors of about equal spread (the
parametric solution of "Optimized product quantization"; Ge, He, Ke and Sun, 2013). The sub-quantizer of each gives it
4 bits: which of 16 centroids is nearest (product quantisation; Jégou, Douze and Schmid, 2011). A table of 48 x 16
distances then fits into the registers of a processor, and one core goes through hundreds of millions of codes a second
(Quick ADC; André, Kermarrec and Le Scouarnec, 2017; FAISS's "fast scan"). So all of a million codes are compared for
one probe, and no neighbour is missed because it lay in a list that was not visited, which is where inverted lists lose
most of theirs: embeddings of faces form no clusters. The scan takes as long as reading the codes from memory, so they
are few.
"""

from __future__ import annotations

from typing import Any, Self

import faiss as _faiss
import numpy as np
import numpy.typing as npt

from knownface.search.threads import one_thread
from knownface.types import Embeddings, Ids

faiss: Any = _faiss  # its type hints lack what is used here

Codes = npt.NDArray[np.uint8]

_SUBQUANTIZERS = 48
_BITS = 4
_BLOCK = 32
"""Codes that a register holds together: FAISS's own choice for these."""

TRAINED_ON = 4096
"""Vectors that a quantizer is trained on at most; more did not change what is found."""


class Quantizer:
    """Rotation and product quantiser; it does not change once trained.

    Args:
        dim: Length of a vector.
        pq: FAISS's product quantiser, trained.
        rotation: Float32, shape (padded dim, dim): orthonormal axes, and zeros, so that the subvectors are of equal
            length.
    """

    def __init__(self, dim: int, pq: Any, rotation: Embeddings) -> None:
        self.dim, self._pq, self._rotation = dim, pq, rotation

    @property
    def size(self) -> int:
        """Bytes a vector."""
        return int(self._pq.code_size)

    @classmethod
    def train(cls, sample: Embeddings) -> Self:
        """Learn rotation and centroids from some of the vectors to be encoded.

        Args:
            sample: Float32, shape (n, dim); fewer than 16 are filled up with zeros.
        """
        missing = max(0, (1 << _BITS) - len(sample))
        sample = np.concatenate([sample, np.zeros((missing, sample.shape[1]), dtype=np.float32)])
        dim = sample.shape[1]
        subquantizers = min(_SUBQUANTIZERS, dim)
        rotation = _spread_evenly(sample, subquantizers, -(-dim // subquantizers))
        rotated = _rotated(sample, rotation)
        pq = faiss.ProductQuantizer(rotated.shape[1], subquantizers, _BITS)
        pq.cp.min_points_per_centroid = 1
        with one_thread():
            pq.train(rotated)
        return cls(dim, pq, rotation)

    def rotated(self, vectors: Embeddings) -> Embeddings:
        """Vectors along the rotation's axes, shape (n, padded dim); distances stay the same."""
        return _rotated(vectors, self._rotation)

    def rotated_probes(self, probes: Embeddings) -> Embeddings:
        """The same, one by one: a product of matrices rounds a row otherwise in another batch."""
        each = [np.einsum("ij,j->i", self._rotation, probe) for probe in probes]
        return np.array(each, dtype=np.float32).reshape(len(probes), len(self._rotation))

    def encode(self, vectors: Embeddings) -> Codes:
        """The codes of vectors, shape (n, size)."""
        codes: Codes = self._pq.compute_codes(self.rotated(vectors))
        return codes

    def scan(self, codes: Codes) -> CodeScan:
        """A scan over codes; the number of a code is its row."""
        plain = faiss.IndexPQ(self._pq.d, self._pq.M, _BITS)
        plain.pq, plain.is_trained = self._pq, True
        faiss.copy_array_to_vector(np.ascontiguousarray(codes).ravel(), plain.codes)
        plain.ntotal = len(codes)
        return CodeScan(self, faiss.IndexPQFastScan(plain, _BLOCK))

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """What is needed to make it again, by the names that it has in files."""
        codebooks = faiss.vector_to_array(self._pq.centroids).reshape(self._pq.M, 1 << _BITS, -1)
        return {"pieces": codebooks, "turn": self._rotation}

    @classmethod
    def from_arrays(cls, dim: int, codebooks: npt.NDArray[np.float32], rotation: Embeddings) -> Self:
        """The quantizer that these :meth:`arrays` are of.

        Args:
            dim: Length of a vector.
            codebooks: Float32, shape (sub-quantizers, 16, length of a subvector).
            rotation: As for the class.

        Raises:
            ValueError: They do not fit together.
        """
        count, size, length = codebooks.shape
        if size != 1 << _BITS or not dim <= count * length < dim + count:
            raise ValueError(f"codebooks of the shape {codebooks.shape} make no vectors of length {dim}")
        if rotation.shape != (count * length, dim):
            raise ValueError(f"a rotation of the shape {rotation.shape} turns no vectors of length {dim}")
        pq = faiss.ProductQuantizer(count * length, count, _BITS)
        faiss.copy_array_to_vector(np.ascontiguousarray(codebooks, dtype=np.float32).ravel(), pq.centroids)
        return cls(dim, pq, rotation)


class CodeScan:
    """Codes in FAISS's own order in memory; see :meth:`Quantizer.scan`."""

    def __init__(self, quantizer: Quantizer, index: Any) -> None:
        self._quantizer, self._index = quantizer, index

    def add(self, vectors: Embeddings) -> None:
        """Encode vectors and add them as the next rows."""
        self._index.add(self._quantizer.rotated(vectors))

    def search(self, probes: Embeddings, k: int) -> Ids:
        """The rows of the k nearest by their codes, int64, shape (n, k), in no order that counts; -1 stands for none.

        Args:
            probes: Float32, shape (n, dim).
            k: At most as many as there are rows.
        """
        rows: Ids = self._index.search(self._quantizer.rotated_probes(probes), k)[1]
        return rows


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
