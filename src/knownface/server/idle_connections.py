"""Connections on which nothing is asked at present: how many are kept, and which one gives way."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

JUST_ANSWERED: Final = 5.0
"""Seconds after an answer in which a connection is never closed: the next request may be on its way already."""


@dataclass(slots=True, eq=False)
class Connection:
    """A client's connection.

    Attributes:
        address: Of the client.
        close: Ends it at once.
        answered: Whether anything was ever answered on it.
        since: When it became idle.
    """

    address: str
    close: Callable[[], object]
    answered: bool = False
    since: float = 0.0


@dataclass(slots=True, eq=False)
class _Idle:
    silent: dict[Connection, None] = field(default_factory=dict)
    answered: dict[Connection, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.silent) + len(self.answered)

    def kind_of(self, one: Connection) -> dict[Connection, None]:
        return self.answered if one.answered else self.silent


class IdleConnections:
    """Keeps so many idle connections; of what is more, the address that has most of them loses one at a time.

    Of these it is the one that has been idle longest, first among those on which nothing was ever asked. One that was
    just answered is never closed. What a step costs does not grow with the number of connections of an address.

    Used from the event loop's thread only.

    Args:
        most: Of all addresses together.
        exempt: Addresses, of proxies, whose connections are neither counted nor closed.
        clock: Returns seconds.
    """

    def __init__(self, most: int, exempt: Collection[str] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._exempt, self._clock = most, exempt, clock
        self._idle: dict[str, _Idle] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, one: Connection) -> None:
        """A connection is idle from now on; where that makes too many, others are closed, or it is."""
        if one.address in self._exempt:
            return
        self.remove(one)
        one.since = self._clock()
        self._idle.setdefault(one.address, _Idle()).kind_of(one)[one] = None
        self._count += 1
        while self._count > self._most and (least := self._least()) is not None:
            self.remove(least)
            least.close()

    def remove(self, one: Connection) -> None:
        """A connection is not idle any more, or gone."""
        own = self._idle.get(one.address)
        if own is None or one not in own.kind_of(one):
            return
        del own.kind_of(one)[one]
        self._count -= 1
        if not own:
            del self._idle[one.address]

    def _least(self) -> Connection | None:
        for own in sorted(self._idle.values(), key=len, reverse=True):
            if own.silent:
                return next(iter(own.silent))
            oldest = next(iter(own.answered))
            if self._clock() - oldest.since > JUST_ANSWERED:
                return oldest
        return None
