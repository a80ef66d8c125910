"""The mean embeddings of the people whom searches find near, read from the database as they are wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knownface.decision import distances_between, means_of_people, people_around, with_means
from knownface.gallery.templates import read_vectors_of_people
from knownface.storage import Database
from knownface.types import Embeddings, Neighbours

_MOST_NUMBERS = 1 << 24
"""Held of means, 64 MB of them."""


class PersonMeans:
    """Those that were wanted since the gallery changed last. One thread at a time.

    Args:
        database: The gallery's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._generation: int | None = None
        self._means: dict[int, Embeddings] = {}

    def added(self, near: Neighbours, embeddings: Embeddings, generation: int) -> Neighbours:
        """The nearest templates of probes, and the means of those whose they are (:mod:`knownface.decision.scoring`).

        Args:
            near: The nearest templates.
            embeddings: The probes, float32, shape (n, dim), unit vectors.
            generation: Of the gallery; what was read of another one is forgotten.

        Raises:
            GalleryDamagedError: A template cannot be read.
        """
        places = people_around(near)
        people = sorted(set(places.people.tolist()))
        self._read(people, embeddings.shape[1], generation)
        held = np.array([person for person in people if len(self._means[person])], dtype=np.int64)
        places = places.where(np.isin(places.people, held))
        means = np.array([self._means[person] for person in held.tolist()], np.float32).reshape(-1, embeddings.shape[1])
        of_places = means[np.searchsorted(held, places.people)]
        return with_means(near, places, distances_between(embeddings[places.rows], of_places))

    def _read(self, people: Sequence[int], dim: int, generation: int) -> None:
        """Hold the means of these people, an empty array for those who have none."""
        if generation != self._generation or len(self._means) * dim > _MOST_NUMBERS:
            self._generation, self._means = generation, {}
        new = [person for person in people if person not in self._means]
        if not new:
            return
        with self._database.reading() as connection:
            vectors, templates, whose = read_vectors_of_people(connection, np.array(new, dtype=np.int64), dim)
        self._means |= dict.fromkeys(new, vectors[:0])
        ids, means = means_of_people(vectors, templates, whose)
        self._means |= zip(ids.tolist(), means, strict=True)
