"""The mean embedding of each person, as one more template of theirs.

A single photo has its own light, turn and blur; the mean of a person's photos has less of that (the nearest class
mean classifier: Mensink et al., "Distance-based image classification", IEEE TPAMI 35, 2013). What it is worth for
tracks is shown in ``docs/tracking.md``.
"""

from __future__ import annotations

import numpy as np

from knownface.gallery.templates import read_vectors_of_people
from knownface.storage import Database
from knownface.types import Embeddings, Ids, Neighbours


class PersonMeans:
    """Those that were wanted since the gallery changed last. One thread at a time.

    Args:
        database: The gallery's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._generation: int | None = None
        self._means: dict[int, Embeddings] = {}

    def of(self, people: Ids, dim: int, generation: int) -> tuple[Ids, Embeddings]:
        """The means of those of some people who have several templates.

        Args:
            people: Their ids.
            dim: Length of an embedding.
            generation: Of the gallery; what was read of another one is forgotten.

        Returns:
            Ids, in their order, and unit vectors, float32, shape (ids, dim).

        Raises:
            GalleryDamagedError: A template cannot be read.
        """
        if generation != self._generation:
            self._generation, self._means = generation, {}
        new = np.array([person for person in people.tolist() if person not in self._means], dtype=np.int64)
        if len(new):
            with self._database.reading() as connection:
                vectors, _, whose = read_vectors_of_people(connection, new, dim)
            self._means |= {person: _mean(vectors[whose == person]) for person in new.tolist()}
        held = [person for person in people.tolist() if len(self._means[person])]
        means = [self._means[person] for person in held]
        return np.array(held, dtype=np.int64), np.concatenate([np.empty((0, dim), dtype=np.float32), *means])


def _mean(vectors: Embeddings) -> Embeddings:
    """Shape (1, dim); (0, dim) where there are fewer than two vectors, or they cancel each other out."""
    total = vectors.sum(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(total))
    if len(vectors) < 2 or length == 0:
        return vectors[:0]
    return np.asarray((total / length)[None], dtype=np.float32)


def with_means(near: Neighbours, embeddings: Embeddings, people: Ids, means: Embeddings, k: int) -> Neighbours:
    """The k nearest of the templates found and of the means of those whose they are.

    Args:
        near: The nearest templates of n probes.
        embeddings: The probes, float32, shape (n, dim), unit vectors.
        people: Ids of those whose means are given.
        means: Unit vectors, float32, shape (people, dim).
        k: How many.

    Returns:
        In the order of the distances; a mean goes by the id of its person's nearest template.
    """
    same = near.people[:, :, None] == people
    found = same.any(axis=1)
    apart = np.linalg.norm(embeddings[:, None, :] - means[None, :, :], axis=2)
    distances = np.concatenate([near.distances, np.where(found, apart, np.inf)], axis=1)
    nearest = np.take_along_axis(near.templates, same.argmax(axis=1), axis=1)
    templates = np.concatenate([near.templates, np.where(found, nearest, -1)], axis=1)
    whose = np.concatenate([near.people, np.where(found, people, -1)], axis=1)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return Neighbours(*(np.take_along_axis(rows, order, axis=1) for rows in (distances, templates, whose)))
