"""How long a search takes, by kind and size of the index, on made vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from knownface.bench.result import Figure
from knownface.bench.timing import seconds_of
from knownface.search import CompressedIndex, FaissFlatIndex, VectorIndex
from knownface.types import Embeddings, Ids

INDEXES: dict[str, Callable[[int], VectorIndex]] = {"exact": FaissFlatIndex, "compressed": CompressedIndex}
TOP = 10
_PROBES = 64
_TEMPLATES = 5
"""Of a person in the made gallery."""


def search_figures(sizes: Sequence[int], dim: int, seconds: float) -> Iterator[Figure]:
    """Time one query and many at once.

    Args:
        sizes: Templates in the galleries.
        dim: Length of a vector.
        seconds: For each figure.
    """
    for size in sizes:
        vectors, probes = made_gallery(size, dim)
        for kind, make in INDEXES.items():
            index = make(dim)
            index.add(np.arange(size, dtype=np.int64), vectors)
            what = f"{kind}, {size} x {dim}"
            alone = seconds_of(_in_turn(index, probes), seconds)
            yield Figure("search", f"{what}, one query", 1000 * alone, "ms")
            together = seconds_of(partial(index.search, probes, TOP), seconds)
            yield Figure("search", f"{what}, a query of {_PROBES}", 1000 * together / _PROBES, "ms")


def _in_turn(index: VectorIndex, probes: Embeddings) -> Callable[[], object]:
    """A search for another probe each time, as cameras ask."""
    count = 0

    def search() -> object:
        nonlocal count
        count = (count + 1) % len(probes)
        return index.search(probes[count : count + 1], TOP)

    return search


def made_gallery(size: int, dim: int) -> tuple[Embeddings, Embeddings]:
    """Unit vectors of made people, and probes of some of them; the same every time.

    Templates of a person lie about 0.75 apart and different people as far as chance puts them. How fast a search is
    depends on little else; how often it finds the right one cannot be measured on such data.

    Returns:
        Templates, shape (size, dim), and probes, shape (64, dim).
    """
    rng = np.random.default_rng(20211)
    people = rng.standard_normal((max(1, size // _TEMPLATES), dim), dtype=np.float32)
    people /= np.linalg.norm(people, axis=1, keepdims=True)

    def faces(whose: Ids) -> Embeddings:
        made = people[whose] + rng.standard_normal((len(whose), dim), dtype=np.float32) * np.float32(0.6 / dim**0.5)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made

    return faces(np.arange(size) % len(people)), faces(rng.integers(0, len(people), _PROBES))
