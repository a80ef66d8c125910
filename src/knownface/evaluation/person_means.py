"""The means of people's templates for many probes, each without the templates that are hidden from the probe.

As :mod:`knownface.decision.scoring` has them: a person's mean counts where it is of two templates or more that the
probe sees.
"""

from __future__ import annotations

import numpy as np

from knownface.decision import Places, distances_between, people_around, unit_means, with_means
from knownface.types import Embeddings, Ids, Neighbours

_BLOCK = 1 << 22
"""Numbers held at a time, so that memory stays bounded."""


class PersonMeans:
    """The sums of each person's templates, and of each person's templates of one source.

    Takes a float64 for each number of the people who have several templates.

    Args:
        templates: Float32, shape (m, dim).
        people: Int64, shape (m,): codes from 0.
        sources: Int64, shape (m,): codes from 0.
    """

    def __init__(self, templates: Embeddings, people: Ids, sources: Ids) -> None:
        self._width = int(sources.max(initial=-1)) + 1
        keys = people * self._width + sources
        order = np.argsort(keys, kind="stable")
        self._templates, self._order, self._keys = templates, order, keys[order]
        self._counts = np.bincount(people, minlength=1)
        starts = np.concatenate([[0], np.cumsum(self._counts)])
        several = np.flatnonzero(self._counts >= 2)
        self._place = np.full(len(self._counts), -1)
        self._place[several] = np.arange(len(several))
        self._sums = self._sums_of(starts[several], starts[several + 1])

    def _sums_of(self, starts: Ids, stops: Ids) -> np.typing.NDArray[np.float64]:
        """The sums of ranges of templates in the order of the keys; none is empty."""
        dim = self._templates.shape[1]
        sums = np.empty((len(starts), dim))
        sizes = stops - starts
        ends = np.cumsum(sizes)
        first = 0
        while first < len(starts):
            done = ends[first] - sizes[first]
            last = max(first + 1, int(np.searchsorted(ends, done + _BLOCK // dim, side="right")))
            part = slice(first, last)
            offsets = ends[part] - sizes[part] - done
            rows = np.repeat(starts[part] - offsets, sizes[part]) + np.arange(sizes[part].sum())
            sums[part] = np.add.reduceat(self._templates[self._order[rows]], offsets, axis=0, dtype=np.float64)
            first = last
        return sums

    def added(self, near: Neighbours, probes: Embeddings, sources: Ids | None = None) -> Neighbours:
        """The nearest templates of probes, and the means of those whose they are.

        Args:
            near: With at least :data:`knownface.decision.AROUND` columns, or all templates that a probe sees.
            probes: Float32, shape (n, dim).
            sources: Int64, shape (n,): the source whose templates each probe does not see; None hides nothing.
        """
        step = max(1, _BLOCK // max(1, near.people.shape[1] * probes.shape[1]))
        parts = []
        for start in range(0, max(1, len(probes)), step):
            part = slice(start, start + step)
            some = Neighbours(near.distances[part], near.templates[part], near.people[part])
            parts.append(self._block(some, probes[part], None if sources is None else sources[part]))
        return Neighbours(*(np.concatenate([getattr(p, name) for p in parts]) for name in Neighbours.__slots__))

    def _block(self, near: Neighbours, probes: Embeddings, sources: Ids | None) -> Neighbours:
        places = people_around(near)
        places = places.where(self._counts[places.people] >= 2)
        sums, counts = self._sums[self._place[places.people]], self._counts[places.people]
        if sources is not None:
            self._hide(places, sources, sums, counts)
        means, counting = unit_means(sums, counts)
        places, means = places.where(counting), means[counting]
        return with_means(near, places, distances_between(probes[places.rows], means))

    def _hide(self, places: Places, sources: Ids, sums: np.typing.NDArray[np.float64], counts: Ids) -> None:
        """Take the templates of each probe's own source out of the sums."""
        keys, inverse = np.unique(places.people * self._width + sources[places.rows], return_inverse=True)
        starts, stops = (np.asarray(np.searchsorted(self._keys, keys, side)) for side in ("left", "right"))
        there = stops > starts
        rows = np.flatnonzero(there[inverse])
        hidden = np.cumsum(there)[inverse[rows]] - 1
        sums[rows] -= self._sums_of(starts[there], stops[there])[hidden]
        counts[rows] -= (stops - starts)[inverse[rows]]
