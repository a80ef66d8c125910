"""Scalar quantisation to bytes, by which an exact search leaves most of the vectors themselves unread.

An exact search takes as long as reading its vectors from memory. So each number is also kept as one byte, codes are
compared first, by FAISS in whole numbers, and only the vectors are read that could be among the nearest: filter and
refine, as in the VA-file (Weber, Schek and Blott, "A quantitative analysis and performance study for similarity-search
methods in high-dimensional spaces", 1998). That nobody is missed follows from the triangle inequality: where q' and x'
are what the codes of q and x stand for, d(q, x) >= d(q', x') - d(q, q') - d(x, x').
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from knownface.types import Distances, Embeddings, Ids

_MIDDLE = 128
_HEADROOM = 1.25
"""How much larger than those that were there numbers may become before codes do not reach so far."""
_BLOCK = 256
_UNIT_ROUNDOFF = 2.0**-24


class ScalarFilter:
    """Codes of vectors in the order in which these were added.

    Args:
        vectors: Float32, shape (n, dim), finite: the first of them.
    """

    def __init__(self, vectors: Embeddings) -> None:
        largest = float(np.abs(vectors).max(initial=0.0))
        self._step = (_HEADROOM * largest or 1.0) / (_MIDDLE - 1)
        self._error = 0.0
        kind = faiss.ScalarQuantizer.QT_8bit_direct
        self._codes: Any = faiss.IndexScalarQuantizer(vectors.shape[1], kind, faiss.METRIC_L2)
        self.add(vectors)

    def fits(self, vectors: Embeddings) -> bool:
        """Whether codes reach as far as these vectors; if not, the filter would let too many through."""
        return bool(np.abs(vectors).max(initial=0.0) <= self._step * (_MIDDLE - 1))

    def add(self, vectors: Embeddings) -> None:
        """Add vectors."""
        for start in range(0, len(vectors), _BLOCK):
            codes, errors = self._encode(vectors[start : start + _BLOCK])
            self._error = max(self._error, float(errors.max()))
            self._codes.add(codes)

    def remove(self, positions: Ids) -> None:
        """Remove vectors; those after them move up."""
        self._codes.remove_ids(positions)

    def search(self, probes: Embeddings, k: int) -> tuple[npt.NDArray[np.float64], Ids]:
        """The k nearest by their codes.

        Args:
            probes: Float32, shape (n, dim).
            k: At most as many as there are vectors.

        Returns:
            What the distance of each is at least, ascending, and positions, both of shape (n, k). Those that are not
            among them are no nearer than the last one's bound.
        """
        codes, errors = self._encode(probes)
        squares, positions = self._codes.search(codes, k)
        # Whole numbers beyond 2^24 are rounded as float32; see FaissFlatIndex for the bound.
        rounding = 1 - 2 * (self._codes.d + 8) * _UNIT_ROUNDOFF
        distances = self._step * np.sqrt(rounding * squares.astype(np.float64))
        return distances - (errors + self._error)[:, None], positions

    def _encode(self, vectors: Embeddings) -> tuple[Distances, npt.NDArray[np.float64]]:
        """Codes, as numbers of 0 to 255, and how far each vector lies from what its code stands for."""
        numbers = vectors.astype(np.float64) / self._step
        codes = np.clip(np.rint(numbers), -_MIDDLE, _MIDDLE - 1)
        numbers -= codes
        errors = self._step * np.sqrt(np.einsum("ij,ij->i", numbers, numbers))
        return (codes + _MIDDLE).astype(np.float32), errors
