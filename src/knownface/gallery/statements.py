"""Two small things that every statement needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")

_CHUNK = 500
"""SQLite before 3.32 allows 999 values in a statement."""


def chunks(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Pieces small enough for one ``IN (...)``."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def storable(text: str) -> str:
    """A text that any database takes: a path that is no valid text in the system's encoding carries surrogates."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
