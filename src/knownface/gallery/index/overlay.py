"""A mapping that is never changed, and of which the next, with a few changes, is made by no more than these."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

_V = TypeVar("_V")

_MOST_LAID_OVER = 1000


class _Gone(enum.Enum):
    """Stands for what is not there any more."""

    GONE = enum.auto()


_GONE = _Gone.GONE


class OverlayMap(Mapping[int, _V]):
    """Values by whole numbers, such as the names of a hundred thousand people.

    Args:
        below: What there is; must not be changed by anybody afterwards.
    """

    def __init__(self, below: dict[int, _V]) -> None:
        self._below: dict[int, _V] = below
        self._above: dict[int, _V | _Gone] = {}
        self._length = len(below)

    def changed(self, gone: Iterable[int], new: Mapping[int, _V]) -> OverlayMap[_V]:
        """The same without some keys, and then with some values new or replaced."""
        above: dict[int, _V | _Gone] = {**self._above, **dict.fromkeys(gone, _GONE), **new}
        if not above:
            return self
        made = OverlayMap(self._below)
        made._above = above
        kept = sum(value is not _GONE for value in above.values())
        made._length = len(self._below) + kept - sum(key in self._below for key in above)
        return OverlayMap(dict(made.items())) if len(above) > _MOST_LAID_OVER else made

    def __getitem__(self, key: int) -> _V:
        value = self._above.get(key, self._below.get(key, _GONE)) if self._above else self._below.get(key, _GONE)
        if isinstance(value, _Gone):
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[int]:
        if not self._above:
            yield from self._below
            return
        yield from (key for key in self._below if key not in self._above)
        yield from (key for key, value in self._above.items() if value is not _GONE)

    def __len__(self) -> int:
        return self._length
