"""Sign-ins, sign-outs and refused keys for the audit log: anybody causes them, so entries are few and count."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from knownface.law.audit import Actor, AuditLog
from knownface.server.limits import RateLimiter

_QUIET_SECONDS: Final = 300.0
"""Between two entries on the same thing done by the same caller."""
_ENTRIES: Final = 60
"""At once; after that one in ten seconds. What must wait is counted, and written when its turn comes."""
_CALLERS: Final = 500
"""Whose doings are counted apart; those of any more of one kind are one entry without an address."""


class AuditTally:
    """Counts what callers do; :meth:`write` makes entries of it. Any thread may call.

    Args:
        audit: Where entries go.
        clock: Returns seconds.
    """

    def __init__(self, audit: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit
        self._counts: Counter[tuple[Actor, str]] = Counter()
        self._lock = threading.Lock()
        self._each = RateLimiter(1 / _QUIET_SECONDS, 1, clock)
        self._all = RateLimiter(0.1, _ENTRIES, clock)

    def add(self, actor: Actor, action: str) -> None:
        """Something was done; this waits for nothing."""
        with self._lock:
            known = (actor, action) in self._counts or len(self._counts) < _CALLERS
            self._counts[actor if known else Actor(None, "others", actor.role), action] += 1

    def write(self) -> None:
        """Write what is due; called every second."""
        with self._lock:
            due = [
                (what, self._counts.pop(what))
                for what in list(self._counts)
                if self._each.take(f"{what[1]} {what[0]}") == 0 and self._all.take("") == 0
            ]
        for (actor, action), times in due:
            self._audit.note(actor, action, times=times)
