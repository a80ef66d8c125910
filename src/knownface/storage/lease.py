"""Who does what only one of several services on the same gallery may do, such as watching its cameras."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from knownface.storage.database import Database
from knownface.storage.schema import meta

LEASE_SECONDS = 15.0
"""So long a lease holds without being renewed: after a kill, another one waits for no more than this."""


class Lease:
    """A row in the gallery's database that one program at a time holds, and renews while it lives.

    A lease that ran out, because its holder was killed or its machine is gone, may be taken by anybody. The clocks of
    the machines that share a gallery must agree within a few seconds.

    Used from one thread at a time.

    Args:
        database: The gallery's, which the services share.
        name: What is leased.
        seconds: How long it holds without being renewed.
    """

    def __init__(self, database: Database, name: str, seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._key = f"lease {name}"
        self._seconds = seconds
        self._own = secrets.token_hex(8)
        self._renew_at = float("-inf")

    def take(self) -> bool:
        """Take it, or renew it before it runs out; whether it is ours."""
        if time.monotonic() < self._renew_at:
            return True
        with self._database.reading() as connection:
            if not self._is_free(connection):
                return False
        with self._database.writing() as connection:
            if not self._is_free(connection):  # somebody was quicker
                return False
            until = datetime.now(UTC) + timedelta(seconds=self._seconds)
            connection.execute(delete(meta).where(meta.c.key == self._key))
            connection.execute(insert(meta), {"key": self._key, "value": f"{self._own} {until.isoformat()}"})
        self._renew_at = time.monotonic() + self._seconds / 3
        return True

    def give_back(self) -> None:
        """Let others have it at once; does nothing if it is not ours."""
        if self._renew_at == float("-inf"):
            return
        self._renew_at = float("-inf")
        with self._database.writing() as connection:
            ours = meta.c.value.startswith(f"{self._own} ")
            connection.execute(delete(meta).where(meta.c.key == self._key, ours))

    def _is_free(self, connection: Connection) -> bool:
        kept = connection.scalar(select(meta.c.value).where(meta.c.key == self._key))
        if kept is None:
            return True
        holder, _, until = kept.partition(" ")
        return holder == self._own or datetime.fromisoformat(until) <= datetime.now(UTC)
