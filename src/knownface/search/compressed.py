"""An index that scans short codes of all vectors, and ranks what they propose by the vectors.

Codes only propose: the vectors of what they propose are read, from memory or from a mapped file, and distances are
computed in float64, as by every other index. Measured on a million templates as hard as people are, the true nearest
is among the proposed 998 times in 1,000 (docs/scaling.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from knownface.files import replacing
from knownface.search.base import (
    VectorIndex,
    VectorSource,
    checked_ids,
    checked_k,
    checked_vectors,
    empty_answer,
    nearest,
    spread,
)
from knownface.search.quantizer import TRAINED_ON, CodeScan, Quantizer
from knownface.search.row_file import read_rows, read_token, write_rows
from knownface.search.rows import Growing, VectorRows
from knownface.search.threads import set_threads
from knownface.types import Distances, Embeddings, Ids

_CANDIDATES = 256
"""Rows whose vectors are read for one probe; with more than a quarter as many neighbours asked for, four times k."""
_EXTRA = 16
"""Of these, by how many more than twice k the distances are computed exactly."""

TRAINED_FROM = 1000
"""Vectors from which codes are used; fewer are all compared."""

_OUTGROWN = 4
_MOST_REMOVED = 0.25


class CompressedIndex(VectorIndex):
    """See :class:`knownface.search.base.VectorIndex`; not exact: a neighbour may be missed.

    What is found is ordered as by the exact indexes, with the same distances, and independent of the batch. Asked for
    more than an eighth of the vectors, it compares them all.

    Args:
        dim: Length of a vector.

    Example:
        >>> index = CompressedIndex(2)
        >>> index.add(np.array([7, 3]), np.array([[1, 0], [0, 1]], dtype=np.float32))
        >>> index.search(np.array([[1, 0]], dtype=np.float32), 1)[1]
        array([[7]])
    """

    name = "compressed"
    description = "compressed: every template's code is looked at, the best are compared exactly"
    maps_file = True

    def __init__(self, dim: int) -> None:
        self._rows = VectorRows(np.empty((0, dim), dtype=np.float32))
        self._ids: Growing[np.int64] = Growing(np.empty(0, dtype=np.int64))
        self._alive: Growing[np.bool_] = Growing(np.empty(0, dtype=np.bool_))
        self._removed = 0
        self._trained_with = 0
        self._quantizer: Quantizer | None = None
        self._scan: CodeScan | None = None
        self._ordered: tuple[Ids, Ids] | None = None
        self._ascending = True

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._rows.dim

    def __len__(self) -> int:
        return len(self._ids) - self._removed

    @property
    def outgrown(self) -> bool:
        """Whether it would be better built anew: it has four times as many as it was trained with, or many removed."""
        grown = self._quantizer is not None and len(self) > _OUTGROWN * self._trained_with
        return grown or self._removed > _MOST_REMOVED * max(len(self._ids), TRAINED_FROM)

    def ids(self) -> Ids:
        """The ids held, ascending; a copy."""
        return self._by_id()[0].copy()

    def _by_id(self) -> tuple[Ids, Ids]:
        """The ids held, ascending, and their rows."""
        if self._ordered is None:
            rows = np.flatnonzero(self._alive.array)
            ids = self._ids.array[rows]
            if (ids[1:] < ids[:-1]).any():
                order = np.argsort(ids)
                rows, ids = rows[order], ids[order]
            self._ordered = ids, rows
        return self._ordered

    def add(self, ids: Ids, vectors: Embeddings) -> None:
        """Add or replace vectors."""
        vectors = checked_vectors(vectors, self.dim)
        ids = checked_ids(ids, len(vectors))
        if not len(ids):
            return
        self.remove(ids)
        last = self._ids.array[-1] if len(self._ids) else -1
        self._ascending = self._ascending and bool(ids[0] > last and (ids[1:] > ids[:-1]).all())
        self._rows.append(vectors)
        self._ids.append(ids)
        self._alive.append(np.ones(len(ids), dtype=np.bool_))
        self._ordered = None
        if self._scan is not None:
            self._scan.add(vectors)
        elif len(self) >= TRAINED_FROM:
            self._train()

    @classmethod
    def build(cls, source: VectorSource, path: Path | None = None, effort: int | None = None) -> Self:  # noqa: ARG003
        """An index of many vectors at once; with a path they lie in that file and are mapped."""
        quantizer = Quantizer.train(source.read(spread(source.ids, TRAINED_ON)))
        if path is None:
            return cls._encoded(quantizer, source)
        try:
            write_rows(path, len(source.ids), quantizer, source.blocks())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return cls.load(path)

    @classmethod
    def _encoded(cls, quantizer: Quantizer, source: VectorSource) -> Self:
        """The vectors and their codes in memory."""
        index = cls(quantizer.dim)
        index._rows.reserve(len(source.ids))
        index._quantizer, index._scan = quantizer, quantizer.scan(np.empty((0, quantizer.size), dtype=np.uint8))
        for ids, vectors in source.blocks():
            index.add(ids, vectors)
        index._trained_with = len(index)
        return index

    def _train(self) -> None:
        _, rows = self._by_id()
        self._quantizer = Quantizer.train(self._rows.take(spread(rows, TRAINED_ON)))
        self._trained_with = len(self)
        blocks = [self._quantizer.encode(vectors) for _, vectors in self._rows.blocks(np.arange(len(self._rows)))]
        self._scan = self._quantizer.scan(np.concatenate(blocks))

    def remove(self, ids: Ids) -> None:
        """Remove the vectors of these ids."""
        gone = self._rows_of(ids)
        if len(gone):
            self._alive.array[gone] = False
            self._removed += len(gone)
            self._ordered = None

    def _rows_of(self, ids: Ids) -> Ids:
        """The rows of those of the ids that are held, none twice; in a file of a million no more than a search."""
        held, rows = (self._ids.array, None) if self._ascending else self._by_id()
        if not len(held):
            return np.empty(0, dtype=np.int64)
        places = np.minimum(np.searchsorted(held, ids), len(held) - 1)
        places = places[held[places] == ids]
        found: Ids = np.unique(places if rows is None else rows[places])
        alive: Ids = found[self._alive.array[found]]
        return alive

    def search(self, vectors: Embeddings, k: int) -> tuple[Distances, Ids]:
        """Find the k nearest of each probe, as far as the codes propose them."""
        probes = checked_vectors(vectors, self.dim)
        distances, found = empty_answer(len(probes), checked_k(k))
        width = min(k, len(self))
        if not width or not len(probes):
            return distances, found
        set_threads(len(probes), len(self._ids) * (self.dim if self._quantizer is None else self._quantizer.size))
        for row, proposed in enumerate(self._propose(probes, width)):
            probe = probes[row]
            near, ids = self._nearest_of_all(probe, width) if proposed is None else self._rank(probe, proposed, width)
            distances[row, : len(ids)], found[row, : len(ids)] = near, ids
        return distances, found

    def _rank(self, probe: Embeddings, rows: Ids, k: int) -> tuple[Distances, Ids]:
        vectors, ids = self._rows.take(rows), self._ids.array[rows]
        difference = vectors - probe
        squares = np.einsum("ij,ij->i", difference, difference)
        best = np.lexsort((ids, squares))[: 2 * k + _EXTRA]
        return nearest(probe.astype(np.float64), vectors[best], ids[best], k)

    def _nearest_of_all(self, probe: Embeddings, k: int) -> tuple[Distances, Ids]:
        distances, ids = empty_answer(1, 0)
        near, found = distances[0], ids[0]
        for rows, vectors in self._rows.blocks(self._by_id()[1]):
            part_near, part_found = nearest(probe.astype(np.float64), vectors, self._ids.array[rows], k)
            near, found = np.concatenate([near, part_near]), np.concatenate([found, part_found])
            order = np.lexsort((found, near))[:k]
            near, found = near[order], found[order]
        return near, found

    def _propose(self, probes: Embeddings, k: int) -> list[Ids | None]:
        """Rows for each probe, at least k; None where all must be compared."""
        answers: list[Ids | None] = [None] * len(probes)
        if self._scan is None:
            return answers
        fetched = max(_CANDIDATES, 4 * k)
        waiting = np.arange(len(probes))
        while len(waiting) and fetched * 8 <= len(self._ids):
            short = []
            for index, rows in zip(waiting.tolist(), self._scan.search(probes[waiting], fetched), strict=True):
                here = rows[rows >= 0]
                here = here[self._alive.array[here]]
                if len(here) < min(fetched // 2, len(self)):  # removed rows take places
                    short.append(index)
                else:
                    answers[index] = here
            waiting, fetched = np.array(short, dtype=np.int64), 4 * fetched
        return answers

    def save(self, path: Path) -> None:
        """Write everything that is held to a file, whole or not at all."""
        ids, rows = self._by_id()
        quantizer = self._quantizer or Quantizer.train(self._rows.take(rows))
        blocks = ((self._ids.array[part], vectors) for part, vectors in self._rows.blocks(rows))
        with replacing(path, private=True) as part:
            write_rows(part, len(ids), quantizer, blocks)

    @classmethod
    def load(cls, path: Path, effort: int | None = None) -> Self:  # noqa: ARG003
        """Read a file that :meth:`save` wrote; the vectors stay there and are mapped.

        A removed row that was erased in the file is not held. A row that is damaged is noticed when it is read: then
        :meth:`search` raises :class:`knownface.errors.IndexDamagedError`.
        """
        read = read_rows(path)
        index = cls(read.quantizer.dim)
        index._rows = VectorRows(read.vectors, read.checks, str(path), read.mapping)
        index._ids, index._alive = Growing(read.ids), Growing(read.alive)
        index._removed = int(np.count_nonzero(~read.alive))
        if len(read.ids) >= TRAINED_FROM:
            index._quantizer, index._trained_with = read.quantizer, len(index)
            index._scan = read.quantizer.scan(read.codes)
        return index

    @classmethod
    def identity(cls, path: Path) -> str:
        """The file's token: rows have checksums of their own, and are erased where they stand."""
        return read_token(path)
