"""Whether a gallery's database can be read now, for whoever asks, at the price of one query a second."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from sqlalchemy import select

from knownface.errors import KnownFaceError
from knownface.storage import Database
from knownface.storage.schema import meta

_STAYS: Final = 0.5
"""Seconds for which an answer counts."""
_PATIENCE: Final = 2.0
"""Seconds after which a database that says nothing counts as gone."""


class Readiness:
    """Asks a database, once for all who want to know at the same time; used from the event loop's thread only.

    A query that hangs stays the only one, so that no threads pile up behind a server that is silent.

    Args:
        database: Open.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: asyncio.Future[bool] | None = None
        self._at = 0.0

    async def now(self) -> bool:
        """Whether it can be read, as of half a second ago at most."""
        if self._asked is None or (self._asked.done() and time.monotonic() - self._at > _STAYS):
            self._asked, self._at = asyncio.ensure_future(asyncio.to_thread(self._read)), time.monotonic()
        await asyncio.wait({self._asked}, timeout=_PATIENCE)
        return self._asked.done() and self._asked.result()

    def _read(self) -> bool:
        file = self._database.location.file
        if file is not None and not file.is_file():  # what is open can still be read, and nobody finds it again
            return False
        try:
            with self._database.reading() as connection:
                connection.execute(select(meta.c.key).limit(1))
                return True
        except KnownFaceError:
            return False
