"""Which index in this process suits how many templates."""

from __future__ import annotations

from knownface import search
from knownface.search import VectorIndex

FLAT_UP_TO = 20_000
"""Templates that are all compared exactly, which takes about a millisecond."""


def kinds() -> tuple[type[VectorIndex], ...]:
    """All kinds, that for the fewest templates first."""
    return search.FaissFlatIndex, search.CompressedIndex


def kind_for(count: int) -> type[VectorIndex]:
    """The kind for so many templates."""
    return search.FaissFlatIndex if count <= FLAT_UP_TO else search.CompressedIndex
