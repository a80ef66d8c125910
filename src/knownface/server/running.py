"""Opening and closing a service."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from knownface.errors import KnownFaceError
from knownface.events.actions import Actions
from knownface.law.audit import AuditLog
from knownface.live.challenges import require_landmarks
from knownface.media.stream_proxy import streams_through
from knownface.models import ModelStore
from knownface.models.session import usable_processors
from knownface.mqtt import delivering
from knownface.parts import digest_of
from knownface.pipeline import opencv_on_one_thread
from knownface.recognizer import FaceRecognizer
from knownface.server.alike import AlikeSearch
from knownface.server.audit_tally import AuditTally
from knownface.server.authentication import Authenticator
from knownface.server.checked_proxy import checked_proxy
from knownface.server.context import Service
from knownface.server.housekeeping import Housekeeping
from knownface.server.job_spool import JobSpool
from knownface.server.jobs import Jobs
from knownface.server.keys import KeyStore
from knownface.server.kiosks import KioskStore
from knownface.server.limits import RateLimiter
from knownface.server.live.streams import LiveStreams
from knownface.server.metrics import Metrics
from knownface.server.pictures import PictureStore
from knownface.server.readiness import Readiness
from knownface.server.resuming import resume_jobs
from knownface.server.sessions import SessionStore
from knownface.server.strangers import Strangers
from knownface.server.webhook_delivery import WebhookDelivery
from knownface.server.webhooks import WebhookStore
from knownface.server.work import Workers

_BURST_SECONDS = 2.0
_PIXEL_BURST_SECONDS = 10.0


@contextlib.contextmanager
def open_services(recognizers: Mapping[str, FaceRecognizer]) -> Iterator[list[tuple[Service, Housekeeping]]]:
    """A service for each of several galleries; they look at pictures on the same threads.

    Args:
        recognizers: Open, by the names of their collections; they stay the caller's to close.
    """
    with contextlib.ExitStack() as stack:
        allowed = next(iter(recognizers.values())).settings.serve.allowed_networks
        stack.enter_context(streams_through(stack.enter_context(checked_proxy(allowed))))
        opened: list[tuple[Service, Housekeeping]] = []
        for collection, recognizer in recognizers.items():
            workers = opened[0][0].workers if opened else None
            opened.append(stack.enter_context(open_service(recognizer, collection, workers)))
        yield opened


@contextlib.contextmanager
def open_service(
    recognizer: FaceRecognizer, collection: str = "", workers: Workers | None = None
) -> Iterator[tuple[Service, Housekeeping]]:
    """The parts of a service over an open recogniser, which stays the caller's to close.

    Args:
        recognizer: With the gallery.
        collection: What the gallery is called among those of one program.
        workers: Another service's, which closes them; None makes its own.

    Raises:
        SettingsError: A challenge is to be asked for, and the detector does not tell how heads are turned.
    """
    serve, gallery = recognizer.settings.serve, recognizer.gallery
    if serve.challenge != "off":
        require_landmarks(recognizer.detector)
    gallery.bind(recognizer.embedder.contract)  # Unknowns can be compared before anybody is enrolled
    database = gallery.database
    keys, sessions, audit = KeyStore(database), SessionStore(database, serve.session_hours), AuditLog(database)
    authenticator = Authenticator(keys, sessions)
    shared = workers is not None
    workers = workers or Workers(serve.workers or usable_processors() + 1, serve.queue)
    jobs = Jobs(JobSpool(recognizer.settings.cache / "jobs" / digest_of({"gallery": str(gallery.location)})[:16]))
    streams = LiveStreams(recognizer)
    tally = AuditTally(audit)
    housekeeping = Housekeeping(recognizer, authenticator, audit, tally, workers, jobs)
    service = Service(
        collection=collection,
        recognizer=recognizer,
        settings=serve,
        keys=keys,
        sessions=sessions,
        kiosks=KioskStore(database, keys),
        authenticator=authenticator,
        audit=audit,
        tally=tally,
        workers=workers,
        jobs=jobs,
        strangers=Strangers(),
        metrics=Metrics(),
        pictures=PictureStore(database, recognizer.settings.max_pixels, recognizer.detector),
        alike=AlikeSearch(recognizer),
        streams=streams,
        webhooks=WebhookStore(database, serve.allowed_networks),
        actions=Actions(),
        models=ModelStore(recognizer.settings.models, recognizer.settings.cache),
        rates_by_key=RateLimiter(serve.rate_per_key, _BURST_SECONDS * serve.rate_per_key),
        rates_by_address=RateLimiter(serve.rate_per_address, _BURST_SECONDS * serve.rate_per_address),
        pixels_by_key=RateLimiter(serve.pixels_per_key, _PIXEL_BURST_SECONDS * serve.pixels_per_key),
        pin_tries=RateLimiter(1 / 60, 5),
        healthy=housekeeping.healthy,
        readiness=Readiness(database),
    )
    delivery = WebhookDelivery(database, service.webhooks)
    delivery.start()
    try:
        with opencv_on_one_thread(), delivering(gallery, recognizer.settings.mqtt_of(collection)):
            service.streams.watched.open()
            resume_jobs(service)
            yield service, housekeeping
    finally:
        housekeeping.stopping = True
        service.streams.close()
        delivery.close()
        service.actions.close()
        if not shared:
            workers.close()
        service.jobs.close()
        with contextlib.suppress(KnownFaceError):
            authenticator.store_uses()
            tally.write()
