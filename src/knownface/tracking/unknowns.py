"""Re-identification of Unknowns: who comes back keeps their number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from knownface.types import Embeddings

_MOST = 500
"""Unknowns remembered at a time; the one longest gone is forgotten first."""


@dataclass(frozen=True, slots=True, eq=False)
class _Gone:
    number: int
    embedding: Embeddings
    time: float


class UnknownMemory:
    """Who was Unknown a while ago.

    Args:
        seconds: How long they are remembered.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._gone: dict[int, _Gone] = {}

    def forget(self) -> None:
        """Forgets all of them."""
        self._gone.clear()

    def remember(self, number: int, embedding: Embeddings, time: float) -> None:
        """Keeps what an Unknown looked like when they left."""
        self._gone.pop(number, None)
        self._gone[number] = _Gone(number, embedding, time)
        while len(self._gone) > _MOST:
            del self._gone[next(iter(self._gone))]

    def recall(
        self, embedding: Embeddings, since: float, time: float, within: float, present: Collection[int]
    ) -> int | None:
        """The number of the Unknown whom this face is most alike, or None.

        Args:
            embedding: Unit vector.
            since: Stream seconds when this face came: whoever was still seen after that is somebody else.
            time: Stream seconds now.
            within: Largest distance at which two faces are the same.
            present: Numbers of Unknowns who are in the picture, so are somebody else.
        """
        self._gone = {n: gone for n, gone in self._gone.items() if abs(time - gone.time) <= self._seconds}
        left = [gone for gone in self._gone.values() if not since < gone.time <= time]
        absent = [gone for gone in left if gone.number not in present]
        if not absent:
            return None
        distances = np.linalg.norm(np.stack([gone.embedding for gone in absent]) - embedding, axis=1)
        nearest = int(distances.argmin())
        return absent[nearest].number if distances[nearest] <= within else None
