"""Opening and closing a service, and what it does by itself while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator

import anyio.to_thread

from knownface.errors import KnownFaceError
from knownface.events import SightingLog
from knownface.models import ModelStore
from knownface.models.session import usable_processors
from knownface.pipeline import opencv_on_one_thread
from knownface.recognizer import FaceRecognizer
from knownface.server.audit import AuditLog
from knownface.server.authentication import Authenticator
from knownface.server.context import Service
from knownface.server.delivery import Courier
from knownface.server.jobs import Jobs
from knownface.server.keys import KeyStore
from knownface.server.limits import RateLimiter
from knownface.server.live.streams import LiveStreams
from knownface.server.metrics import Metrics
from knownface.server.pictures import PictureStore
from knownface.server.sessions import SessionStore
from knownface.server.strangers import Strangers
from knownface.server.webhooks import WebhookStore
from knownface.server.work import Workers
from knownface.storage.scrub import is_marked

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often keys, sessions and the calibration are read anew."""
_WRITE_SECONDS = 60.0
_CLEAN_SECONDS = 3600.0
_UNHEALTHY_SECONDS = 15.0
_THREADS = 12
"""For the routes that only ask the database; fewer than its connections."""
_BURST_SECONDS = 2.0
_IDLE_SECONDS = 300.0
"""Without a picture; then a large gallery from which somebody was removed may be written anew."""
_SCRUB_SECONDS = 600.0
_BUSY_SCRUB_SECONDS = 86_400.0
"""Where it is never idle, traces of what was removed are overwritten once a day all the same."""


class Pulse:
    """What the service does every second, and how long ago it last succeeded."""

    def __init__(
        self,
        recognizer: FaceRecognizer,
        authenticator: Authenticator,
        audit: AuditLog,
        sightings: SightingLog,
        workers: Workers,
        jobs: Jobs,
    ) -> None:
        self._recognizer, self._authenticator = recognizer, authenticator
        self._audit, self._sightings, self._workers, self._jobs = audit, sightings, workers, jobs
        self._days = recognizer.settings.serve.audit_days
        self._last = self._scrubbed = self._purged = time.monotonic()
        self._written = self._cleaned = 0.0
        self.stopping = False

    def healthy(self) -> bool:
        """Whether the database was readable a moment ago and nobody has asked the service to stop."""
        return not self.stopping and time.monotonic() - self._last < _UNHEALTHY_SECONDS

    async def beat(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await anyio.to_thread.run_sync(self._look)

    def _look(self) -> None:
        now = time.monotonic()
        try:
            self._authenticator.refresh()
            self._recognizer.read_rule()
            if now - self._written > _WRITE_SECONDS:
                self._written = now
                self._authenticator.store_uses()
            if self._days is not None and now - self._cleaned > _CLEAN_SECONDS:
                self._cleaned = now
                self._audit.forget(self._days)
            if self._sightings.keep.days is not None and now - self._purged > _CLEAN_SECONDS:
                self._purged = now  # also where no camera writes anything down
                self._jobs.start("retention", lambda: {"deleted": self._sightings.purge()})
            idle = self._workers.idle_seconds >= _IDLE_SECONDS
            if now - self._scrubbed > (_SCRUB_SECONDS if idle else _BUSY_SCRUB_SECONDS):
                self._scrubbed = now
                self._scrub()
        except KnownFaceError as error:
            _log.warning("%s %s", error.message, error.hint)
        else:
            self._last = time.monotonic()

    def _scrub(self) -> None:
        """Have traces overwritten that a removal left in a large file, in the background: it takes its time."""
        gallery = self._recognizer.gallery
        with gallery.database.reading() as connection:
            marked = is_marked(connection)
        if marked:
            self._jobs.start("scrub", lambda: {"done": gallery.scrub()})


@contextlib.contextmanager
def open_service(recognizer: FaceRecognizer) -> Iterator[tuple[Service, Pulse]]:
    """The parts of a service over an open recogniser, which stays the caller's to close."""
    serve, gallery = recognizer.settings.serve, recognizer.gallery
    gallery.bind(recognizer.embedder.contract)  # Unknowns can be compared before anybody is enrolled
    database = gallery.database
    keys, sessions, audit = KeyStore(database), SessionStore(database, serve.session_hours), AuditLog(database)
    authenticator = Authenticator(keys, sessions)
    workers, jobs = Workers(serve.workers or usable_processors() + 1, serve.queue), Jobs()
    streams = LiveStreams(recognizer)
    pulse = Pulse(recognizer, authenticator, audit, streams.recorder.sightings, workers, jobs)
    service = Service(
        recognizer=recognizer,
        settings=serve,
        keys=keys,
        sessions=sessions,
        authenticator=authenticator,
        audit=audit,
        workers=workers,
        jobs=jobs,
        strangers=Strangers(),
        metrics=Metrics(),
        pictures=PictureStore(database, recognizer.settings.max_pixels),
        streams=streams,
        webhooks=WebhookStore(database),
        models=ModelStore(recognizer.settings.models, recognizer.settings.cache),
        rates_by_key=RateLimiter(serve.rate_per_key, _BURST_SECONDS * serve.rate_per_key),
        rates_by_address=RateLimiter(serve.rate_per_address, _BURST_SECONDS * serve.rate_per_address),
        healthy=pulse.healthy,
    )
    courier = Courier(database, service.webhooks)
    courier.start()
    try:
        with opencv_on_one_thread():
            service.streams.watched.open()
            yield service, pulse
    finally:
        pulse.stopping = True
        service.streams.close()
        courier.close()
        service.workers.close()
        service.jobs.close()
        with contextlib.suppress(KnownFaceError):
            authenticator.store_uses()


@contextlib.asynccontextmanager
async def beating(pulse: Pulse) -> AsyncIterator[None]:
    """Have the pulse beat on this event loop."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
    task = asyncio.create_task(pulse.beat())
    try:
        yield
    finally:
        pulse.stopping = True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
