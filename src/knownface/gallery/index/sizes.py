"""Which index in this process suits how many templates."""

from __future__ import annotations

from knownface.search import CompressedIndex, FaissFlatIndex, VectorIndex

FLAT_UP_TO = 20_000
"""Templates that are all compared exactly, which takes about a millisecond."""

KINDS: tuple[type[VectorIndex], ...] = (FaissFlatIndex, CompressedIndex)


def kind_for(count: int) -> type[VectorIndex]:
    """The kind for so many templates."""
    return FaissFlatIndex if count <= FLAT_UP_TO else CompressedIndex
