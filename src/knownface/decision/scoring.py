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
from knownface.types import Distances, Embeddings, Ids, Neighbours

AROUND = 20
"""Nearest templates among which people are looked for whose means are compared."""

_SHORTEST = 1e-6
"""A sum of vectors shorter than this has no direction: they cancel each other out."""


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
    ids, starts, counts = np.unique(people[order], return_index=True, return_counts=True)
    if not len(ids):
        return ids, vectors[:0]
    means, counting = unit_means(np.add.reduceat(vectors[order], starts, axis=0, dtype=np.float64), counts)
    return ids[counting], means[counting]


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
    ordered = np.take_along_axis(people, order, axis=1)
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
    order = np.argsort(np.hstack([near.distances, of_means]), axis=1, kind="stable")
    both = ((near.distances, of_means), (near.templates, templates), (near.people, people))
    return Neighbours(*(np.take_along_axis(np.hstack(pair), order, axis=1) for pair in both))
