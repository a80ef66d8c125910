"""Made templates as hard to search as those of people: for benchmarks of search, never for accuracy.

Of real embeddings, one a person, mean and covariance are taken. A person is a point drawn from that distribution, a
template a mixture of that point with another: sqrt(r) times the person's, sqrt(1 - r) times the other. Whatever r, the
templates of many people are again distributed as the real ones. r is drawn for each template from a beta distribution,
which is fitted so that half of all people's new faces find their nearest template within 0.75. Templates a person are
log-normal: most have a few, some have hundreds.

For another length than the real embeddings' the eigenvalues are read off the curve of their logarithms at as many
places, and the axes are turned at random. So a space of 512 has four times the directions of one of 128, as real
networks' spaces have; copying the 128 into 512 would leave the search as easy as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

_WANTED_MEDIAN = 0.75
_SHARPNESS = 7.5
_BLOCK = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where templates are drawn: ``mean + draws @ turn``, made unit vectors."""

    mean: Floats
    turn: Floats
    spread: float

    @property
    def dim(self) -> int:
        """Length of a template."""
        return len(self.mean)

    def centres(self, rng: np.random.Generator, people: int) -> Floats:
        """A point for each person."""
        return rng.standard_normal((people, self.dim), dtype=np.float32)

    def faces(self, rng: np.random.Generator, centres: Floats) -> Floats:
        """One template of each centre's person."""
        share = rng.beta(_SHARPNESS, self.spread, size=(len(centres), 1)).astype(np.float32)
        other = rng.standard_normal(centres.shape, dtype=np.float32)
        faces = (np.sqrt(share) * centres + np.sqrt(1 - share) * other) @ self.turn + self.mean
        return np.asarray(faces / np.linalg.norm(faces, axis=1, keepdims=True), dtype=np.float32)


def fit_space(embeddings: Floats, dim: int) -> Space:
    """The space of some real embeddings, one a person, at a length."""
    real = embeddings.astype(np.float64)
    mean, (values, vectors) = real.mean(axis=0), np.linalg.eigh(np.cov(real.T))
    values, vectors = np.maximum(values[::-1], 1e-9), vectors[:, ::-1]
    if dim != len(mean):
        rng = np.random.default_rng(1)
        places = (np.arange(dim) + 0.5) / dim
        stretched = np.exp(np.interp(places, (np.arange(len(values)) + 0.5) / len(values), np.log(values)))
        values = stretched * values.sum() / stretched.sum()
        vectors = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
        direction = rng.standard_normal(dim)
        mean = direction * np.linalg.norm(mean) / np.linalg.norm(direction)
    turn = (np.sqrt(values)[:, None] * vectors.T).astype(np.float32)
    low, high = 1.0, 12.0
    for _ in range(12):
        space = Space(mean.astype(np.float32), turn, (low + high) / 2)
        if np.median(genuine_distances(space)) < _WANTED_MEDIAN:
            low = space.spread
        else:
            high = space.spread
    return space


def genuine_distances(space: Space) -> Floats:
    """How far new faces of 1,500 people, drawn evenly among people, are from their nearest own template."""
    rng = np.random.default_rng(2)
    counts = template_counts(rng, 12_000)[:1500]
    centres = space.centres(rng, len(counts))
    owners = np.repeat(np.arange(len(counts)), counts)
    templates, probes = space.faces(rng, centres[owners]), space.faces(rng, centres)
    distances = np.linalg.norm(templates - probes[owners], axis=1)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.asarray(np.minimum.reduceat(distances, starts), dtype=np.float32)


def template_counts(rng: np.random.Generator, templates: int) -> Numbers:
    """How many templates each person has, together so many; on average 8, log-normal."""
    counts = np.maximum(1, np.round(rng.lognormal(np.log(8) - 0.6, 1.1, size=templates))).astype(np.int64)
    people = int(np.searchsorted(np.cumsum(counts), templates)) + 1
    counts = counts[:people]
    counts[-1] -= counts.sum() - templates
    return counts


@dataclass(frozen=True, slots=True, eq=False)
class MadeGallery:
    """Templates that can be drawn block by block, the same each time.

    Attributes:
        space: Where they lie.
        owners: Int64, shape (n,): the person of each template.
        seed: Of the draws.
    """

    space: Space
    owners: Numbers
    seed: int = 0

    @classmethod
    def of(cls, space: Space, templates: int, seed: int = 0) -> MadeGallery:
        """So many templates of about an eighth as many people."""
        counts = template_counts(np.random.default_rng(seed), templates)
        return cls(space, np.repeat(np.arange(len(counts)), counts), seed)

    def blocks(self) -> Iterator[tuple[Numbers, Floats]]:
        """Template numbers and templates, some thousand at a time, in order; a person's stand together."""
        for start in range(0, len(self.owners), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(self.owners)))
            yield rows, self.space.faces(np.random.default_rng([self.seed, 1, start]), self._centres(self.owners[rows]))

    def others(self, rows: Numbers) -> Floats:
        """Other faces of the people of these templates: what a quantizer may learn from, drawn without all blocks."""
        return self.space.faces(np.random.default_rng([self.seed, 5]), self._centres(self.owners[rows]))

    def probes(self, count: int) -> tuple[Numbers, Floats]:
        """New faces of people drawn evenly among all: who they are, and the faces."""
        rng = np.random.default_rng([self.seed, 2])
        people = np.sort(rng.choice(int(self.owners[-1]) + 1, count, replace=False))
        return people, self.space.faces(rng, np.concatenate([self._centres(people[i : i + 1]) for i in range(count)]))

    def strangers(self, count: int) -> Floats:
        """Faces of people who have no template."""
        rng = np.random.default_rng([self.seed, 3])
        return self.space.faces(rng, self.space.centres(rng, count))

    def _centres(self, people: Numbers) -> Floats:
        some, places = np.unique(people, return_inverse=True)
        points = [
            np.random.default_rng([self.seed, 4, int(p)]).standard_normal(self.space.dim, np.float32) for p in some
        ]
        return np.stack(points)[places]
