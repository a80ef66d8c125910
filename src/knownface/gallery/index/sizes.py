"""Which index in this process suits how many templates."""

from __future__ import annotations

from knownface.search import CompressedIndex, FaissFlatIndex, IvfIndex, VectorIndex

FLAT_UP_TO = 20_000
"""Templates that are all compared exactly, which takes about a millisecond."""
COMPRESSED_UP_TO = 5_000_000
"""Templates whose codes are all scanned, which takes about 4 ms for each million."""

KINDS: tuple[type[VectorIndex], ...] = (FaissFlatIndex, CompressedIndex, IvfIndex)


def kind_for(count: int) -> type[VectorIndex]:
    """The kind for so many templates."""
    return KINDS[0 if count <= FLAT_UP_TO else 1 if count <= COMPRESSED_UP_TO else 2]
