"""What is counted for Prometheus. No label holds anything that a client chooses."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from knownface import __version__
from knownface.types import Decision

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The service's counters, in a registry of their own, so that one process may hold several services."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self._registry, "namespace": "knownface"}
        self._requests = Counter("requests", "Requests answered.", ["method", "route", "status"], **made)
        self._seconds = Histogram("request_seconds", "Time to answer.", ["route"], buckets=_SECONDS, **made)
        self._faces = Counter("faces", "Faces looked at, by what was decided.", ["reason"], **made)
        self._templates = Counter("templates_added", "Templates added through the service.", **made)
        self._waiting = Gauge("pictures_waiting", "Pictures waiting or being looked at.", **made)
        self._enrolled = Gauge("gallery_templates", "Templates in the gallery.", **made)
        Gauge("info", "Of this build.", ["version"], **made).labels(__version__).set(1)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; ``route`` is the route's pattern, not the path."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def decided(self, decision: Decision) -> None:
        """Count a face."""
        self._faces.labels(decision.reason).inc()

    def enrolled(self, templates: int) -> None:
        """Count templates added."""
        self._templates.inc(templates)

    def text(self, *, waiting: int, templates: int) -> bytes:
        """Everything in Prometheus' text format."""
        self._waiting.set(waiting)
        self._enrolled.set(templates)
        return generate_latest(self._registry)
