"""The mean embedding of a person's templates, as one more template of theirs.

A single photo has its own light, turn and blur; the mean of a person's photos has less of that (the nearest class
mean classifier: Mensink et al., "Distance-based image classification", IEEE TPAMI 35, 2013). What it is worth is shown
in ``docs/architecture.md``.

The means compared are those of the people who have a template among the nearest :data:`AROUND` that a search finds,
whatever k it was asked for. So the k nearest of templates and means are the first k of the k + 1 nearest, alone and in
a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knownface.decision.voting import NOBODY
from knownface.scorings import Scoring
from knownface.types import Distances, Embeddings, Ids, Neighbours

AROUND = 20
"""Nearest templates among which people are looked for whose means are compared."""

_SHORTEST = 1e-6
"""A sum of vectors shorter than this has no direction: they cancel each other out."""

_BLOCK_COSINES = 16_000_000
"""Computed at a time, 64 MB of them, however many templates there are."""


def unit_means(sums: npt.NDArray[np.float64], counts: Ids) -> tuple[Embeddings, npt.NDArray[np.bool_]]:
    """The mean directions of groups of vectors.

    Args:
        sums: Float64, shape (n, dim): the sum of each group.
        counts: Int64, shape (n,): how many vectors it is of.

    Returns:
        Unit vectors, float32, shape (n, dim); and which of them count: of two vectors or more that do not cancel each
        other out. The others are zero.
    """
    lengths = np.sqrt(np.square(sums).sum(axis=1))
    counting = (counts >= 2) & (lengths > _SHORTEST)
    means = np.where(counting[:, None], sums / np.where(counting, lengths, 1.0)[:, None], 0.0)
    return means.astype(np.float32), counting


def means_of_people(vectors: Embeddings, templates: Ids, people: Ids) -> tuple[Ids, Embeddings]:
    """The means of those people who have one.

    Args:
        vectors: Float32, shape (n, dim), unit vectors, in any order.
        templates: Int64, shape (n,): their ids.
        people: Int64, shape (n,): whose they are.

    Returns:
        Person ids, ascending, and their means, float32, shape (people, dim).
    """
    order = np.lexsort((templates, people))
    ordered = people[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    ids, counts = ordered[starts], np.diff(starts, append=len(ordered))
    if not len(ids):
        return ids, vectors[:0]
    means, counting = unit_means(np.add.reduceat(vectors[order], starts, axis=0, dtype=np.float64), counts)
    return ids[counting], means[counting]


def unit_vectors(vectors: Embeddings) -> Embeddings:
    """Rows scaled to the length 1, float32; what has no direction stays without one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, _SHORTEST), np.float32)


def cosines_to_people(probes: Embeddings, templates: Embeddings, starts: Ids) -> dict[Scoring, npt.NDArray[np.float32]]:
    """How alike probes are to people.

    Args:
        probes: Float32, shape (n, dim), unit vectors.
        templates: Float32, shape (m, dim), unit vectors, those of a person together.
        starts: Int64, shape (people,): the first of each person, ascending.

    Returns:
        By the way of scoring, the cosine of each probe to the nearest of each person, shape (n, people).
    """
    nearest = np.empty((len(probes), len(starts)), np.float32)
    block = max(1, _BLOCK_COSINES // len(templates))
    for first in range(0, len(probes), block):
        rows = slice(first, first + block)
        nearest[rows] = np.maximum.reduceat(probes[rows] @ templates.T, starts, axis=1)
    means = unit_vectors(np.add.reduceat(templates, starts, axis=0))
    return {"nearest": nearest, "nearest+mean": np.maximum(nearest, probes @ means.T)}


def distances_between(first: Embeddings, second: Embeddings) -> Distances:
    """The distance of each vector to the one in the same row; shapes (n, dim) and (n,)."""
    squares = np.square(first.astype(np.float64) - second).sum(axis=1)
    distances: Distances = np.sqrt(squares).astype(np.float32)
    return distances


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where, among the neighbours of probes, the people stand whose means are to be compared.

    Attributes:
        rows: Int64, shape (m,): the probe.
        columns: Int64, shape (m,): where the person's nearest template is.
        people: Int64, shape (m,): who.
    """

    rows: Ids
    columns: Ids
    people: Ids

    def where(self, mask: npt.NDArray[np.bool_]) -> Places:
        """Those for which the mask is true."""
        return Places(self.rows[mask], self.columns[mask], self.people[mask])


def people_around(near: Neighbours) -> Places:
    """Everybody who has a template among the first :data:`AROUND` neighbours of a probe."""
    people = near.people[:, :AROUND]
    order = np.argsort(people, axis=1, kind="stable")
    ordered = people[np.arange(len(order))[:, None], order]
    first = np.ones(ordered.shape, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    rows, places = np.nonzero(first & (ordered != NOBODY))
    return Places(rows, order[rows, places], ordered[rows, places])


def with_means(near: Neighbours, places: Places, distances: Distances) -> Neighbours:
    """The neighbours and the means of some of the people among them.

    Args:
        near: The nearest templates of n probes, shape (n, k).
        places: Whose means.
        distances: Of the probe to each mean, float32, shape (places,).

    Returns:
        Shape (n, k + the smaller of k and :data:`AROUND`), ordered by distance; a mean goes by the id of its person's
        nearest template, after templates that are as near.
    """
    shape = near.people[:, :AROUND].shape
    of_means = np.full(shape, np.inf, dtype=np.float32)
    templates, people = np.full(shape, NOBODY), np.full(shape, NOBODY)
    at = places.rows, places.columns
    of_means[at], templates[at], people[at] = distances, near.templates[at], places.people
    both = ((near.distances, of_means), (near.templates, templates), (near.people, people))
    joined = [np.concatenate(pair, axis=1) for pair in both]
    order = np.argsort(joined[0], axis=1, kind="stable")
    rows = np.arange(len(order))[:, None]
    return Neighbours(*(values[rows, order] for values in joined))
