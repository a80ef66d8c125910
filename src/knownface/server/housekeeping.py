"""What a running service does every second: keys read anew, retention, scrubbing, the gallery's network followed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

import anyio.to_thread

from knownface.errors import KnownFaceError
from knownface.law.audit import Actor, AuditLog
from knownface.law.oversight import expire
from knownface.law.retention import remove_overdue
from knownface.recognizer import FaceRecognizer
from knownface.server.audit_tally import AuditTally
from knownface.server.authentication import Authenticator
from knownface.server.jobs import Jobs
from knownface.server.work import Workers
from knownface.storage.scrub import is_marked

_log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
_WRITE_SECONDS = 60.0
_CLEAN_SECONDS = 3600.0
_UNHEALTHY_SECONDS = 15.0
_SERVICE = Actor(None, "service", "local")
_THREADS = 12
"""For the routes that only ask the database; fewer than its connections."""
_IDLE_SECONDS = 300.0
"""Without a picture; then a large gallery from which somebody was removed may be written anew."""
_SCRUB_SECONDS = 600.0
_BUSY_SCRUB_SECONDS = 86_400.0
"""Where it is never idle, traces of what was removed are overwritten once a day all the same."""


class Housekeeping:
    """Runs every second; :meth:`healthy` says whether that succeeded lately."""

    def __init__(
        self,
        recognizer: FaceRecognizer,
        authenticator: Authenticator,
        audit: AuditLog,
        tally: AuditTally,
        workers: Workers,
        jobs: Jobs,
    ) -> None:
        self._recognizer, self._authenticator = recognizer, authenticator
        self._audit, self._tally, self._workers, self._jobs = audit, tally, workers, jobs
        self._days = recognizer.settings.serve.audit_days
        self._last = self._scrubbed = self._purged = time.monotonic()
        self._written = self._cleaned = 0.0
        self.stopping = False

    def healthy(self) -> bool:
        """Whether what is done every second succeeded lately, and nobody has asked the service to stop."""
        return not self.stopping and time.monotonic() - self._last < _UNHEALTHY_SECONDS

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps house on this event loop while the block runs."""
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        self._last = time.monotonic()  # making it all may have taken its time
        task = asyncio.create_task(self._repeat())
        try:
            yield
        finally:
            self.stopping = True
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await anyio.to_thread.run_sync(self._keep_house)

    def _keep_house(self) -> None:
        now = time.monotonic()
        try:
            self._authenticator.refresh()
            self._tally.write()
            expire(self._recognizer.gallery.database)
            if now - self._written > _WRITE_SECONDS:
                self._written = now
                self._authenticator.store_uses()
            if self._days is not None and now - self._cleaned > _CLEAN_SECONDS:
                self._cleaned = now
                self._audit.forget(self._days)
            if now - self._purged > _CLEAN_SECONDS:
                self._purged = now  # also where no camera writes anything down
                self._jobs.start("retention", self._retain)
            idle = self._workers.idle_seconds >= _IDLE_SECONDS
            if now - self._scrubbed > (_SCRUB_SECONDS if idle else _BUSY_SCRUB_SECONDS):
                self._scrubbed = now
                self._scrub()
            self._recognizer.follow()  # another program may have brought the gallery over to another network
        except KnownFaceError as error:
            _log.warning("%s %s", error.message, error.hint)
        else:
            self._last = time.monotonic()

    def _retain(self) -> dict[str, int]:
        """Remove what has been kept long enough; the log says how many of each kind, and the numbers of the people."""
        gone = remove_overdue(self._recognizer.gallery, self._recognizer.settings)
        for person_id, _, _ in gone.people:
            self._audit.note(_SERVICE, "person.retention", person_id)
        if gone:
            self._audit.note(_SERVICE, "retention", **gone.to_dict())
        return gone.to_dict()

    def _scrub(self) -> None:
        """Have traces overwritten that a removal left in a large file, in the background: it takes its time."""
        gallery = self._recognizer.gallery
        with gallery.database.reading() as connection:
            marked = is_marked(connection)
        if marked:
            self._jobs.start("scrub", lambda: {"done": gallery.scrub()})
