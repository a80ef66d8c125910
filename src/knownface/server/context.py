"""What the routes work with: one value that holds the open parts of a running service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from knownface.events import SightingLog
from knownface.events.actions import Actions
from knownface.gallery import Gallery
from knownface.law.audit import AuditLog
from knownface.models import ModelStore
from knownface.recognizer import FaceRecognizer
from knownface.server.alike import AlikeSearch
from knownface.server.audit_tally import AuditTally
from knownface.server.authentication import Authenticator
from knownface.server.jobs import Jobs
from knownface.server.keys import KeyStore
from knownface.server.kiosks import KioskStore
from knownface.server.limits import RateLimiter
from knownface.server.live.streams import LiveStreams
from knownface.server.metrics import Metrics
from knownface.server.pictures import PictureStore
from knownface.server.readiness import Readiness
from knownface.server.sessions import PLAIN_COOKIE, SECURE_COOKIE, SessionStore
from knownface.server.strangers import Strangers
from knownface.server.webhooks import WebhookStore
from knownface.server.work import Workers
from knownface.settings import ServeSettings
from knownface.storage import Database


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """The parts of a running service on one gallery.

    Attributes:
        collection: What the gallery is called among those of one program; empty for the first.
        recognizer: Detector, embedder, gallery and decision.
        settings: Of the service.
        keys: The API keys.
        sessions: The browser sessions.
        kiosks: The screens at doors.
        authenticator: Looks up keys and sessions.
        audit: The audit log.
        tally: Sign-ins and refused keys on their way into it.
        workers: Where pictures are looked at.
        jobs: Longer things that run in the background.
        strangers: Uploaded for a calibration.
        metrics: Counted for Prometheus.
        pictures: The small pictures of templates.
        alike: Finds people who may be one.
        streams: Cameras of browsers, watched sources, and what happens in front of them.
        webhooks: Where events are sent to.
        actions: Runs what rules do once their alerts are confirmed.
        models: The catalogue of networks.
        rates_by_key: Requests of each key.
        rates_by_address: Requests of each address.
        pixels_by_key: Pixels that each key has looked at.
        pin_tries: PINs that were tried at each kiosk.
        healthy: Whether the work of every second succeeded lately, and nobody has asked the service to stop.
        readiness: Whether the database can be read now.
    """

    collection: str
    recognizer: FaceRecognizer
    settings: ServeSettings
    keys: KeyStore
    sessions: SessionStore
    kiosks: KioskStore
    authenticator: Authenticator
    audit: AuditLog
    tally: AuditTally
    workers: Workers
    jobs: Jobs
    strangers: Strangers
    metrics: Metrics
    pictures: PictureStore
    alike: AlikeSearch
    streams: LiveStreams
    webhooks: WebhookStore
    actions: Actions
    models: ModelStore
    rates_by_key: RateLimiter
    rates_by_address: RateLimiter
    pixels_by_key: RateLimiter
    pin_tries: RateLimiter
    healthy: Callable[[], bool]
    readiness: Readiness

    @property
    def gallery(self) -> Gallery:
        """The people known."""
        return self.recognizer.gallery

    @property
    def database(self) -> Database:
        """The gallery's database, which also holds what is the service's own."""
        return self.gallery.database

    @property
    def sightings(self) -> SightingLog:
        """Who was seen."""
        return self.streams.recorder.sightings

    def share_of(self, key_id: int | None) -> str:
        """Whose share of the workers a key's pictures are; keys of two collections may have one number."""
        return f"{self.collection}/{key_id}"


def service_of(request: HTTPConnection) -> Service:
    """The service that a request or WebSocket came to: that whose gallery has its key or browser session."""
    services = cast("Sequence[Service]", request.app.state.services)
    if len(services) == 1:
        return services[0]
    state = request.scope.setdefault("state", {})
    if "service" not in state:
        state["service"] = _with_token(services, _token_of(request))
    return cast("Service", state["service"])


def signed_in_service(request: HTTPConnection, token: str) -> Service:
    """The service that a request came to which brings its key otherwise than requests do."""
    service = _with_token(request.app.state.services, token)
    request.scope.setdefault("state", {})["service"] = service
    return service


def _token_of(request: HTTPConnection) -> str:
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    return token or request.cookies.get(SECURE_COOKIE) or request.cookies.get(PLAIN_COOKIE) or ""


def _with_token(services: Sequence[Service], token: str) -> Service:
    return next((service for service in services if service.authenticator.knows(token)), services[0])
