"""The service itself: is it well, what does it count, what is it set to, which networks does it use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import Request, Response

from knownface.errors import BadSettingError
from knownface.models import ModelEntry
from knownface.models.joins import parse_join
from knownface.models.kinds import WeightlessPart, weightless_parts
from knownface.server.access import guarded_router, needs
from knownface.server.context import Service
from knownface.server.error_responses import errors
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.faces import AccuracySchema
from knownface.server.schemas.service import (
    Health,
    ModelSchema,
    OwnSettingSchema,
    RuleSchema,
    SettingsChange,
    SettingsSchema,
)
from knownface.server.setting import fixed_in, set_here, set_in

router = guarded_router("service")


@router.get("/health", dependencies=needs("anyone"), responses=errors(role=False), summary="Tell whether it runs")
async def health() -> Health:
    """Whether the program answers at all."""
    return Health(status="ok")


@router.get(
    "/ready",
    dependencies=needs("anyone"),
    responses={**errors(role=False), 503: {"model": Health, "description": "Not ready."}},
    summary="Tell whether it can work",
)
async def ready(request: Request, response: Response) -> Health:
    """Whether the database can be read now, or could half a second ago, and the service is not stopping."""
    services: Sequence[Service] = request.app.state.services
    readable = await asyncio.gather(*(service.readiness.now() for service in services))
    if all(readable) and all(service.healthy() for service in services):
        return Health(status="ok")
    response.status_code = 503
    return Health(status="not ready")


@router.get(
    "/metrics",
    dependencies=needs("viewer"),
    responses={**errors(), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
    summary="Figures for Prometheus",
)
def metrics(service: ServiceDep) -> Response:
    """Counters in Prometheus' text format."""
    text = service.metrics.text(waiting=service.workers.pending, templates=len(service.gallery))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/models", dependencies=needs("viewer"), responses=errors(), summary="List detectors and embedders")
def list_models(service: ServiceDep) -> list[ModelSchema]:
    """Every network that is known, what its publisher states about its licence, and which are in use here."""
    recognizer = service.recognizer
    in_use = {("embedder", name) for name in parse_join(recognizer.embedder.contract.name).parts}
    in_use.add(("detector", recognizer.detector.name))
    if recognizer.liveness is not None:
        in_use.add(("liveness", recognizer.liveness.name))
    parts: list[ModelEntry | WeightlessPart] = [*service.models.catalog.values(), *weightless_parts()]
    return [
        ModelSchema(
            name=part.name,
            task=part.task,
            title=part.title,
            licence=part.licence,
            licence_note=part.licence_note,
            commercial_use=part.commercial_use,
            in_use=(part.task, part.name) in in_use,
        )
        for part in parts
    ]


@router.get("/settings", dependencies=needs("device"), responses=errors(), summary="Tell what is set")
def read_settings(service: ServiceDep) -> SettingsSchema:
    """The limits, parameters and retention in force."""
    return settings_of(service)


@router.patch("/settings", dependencies=needs("admin"), responses=errors(BadSettingError), summary="Change what is set")
def change_settings(service: ServiceDep, caller: CallerDep, wanted: SettingsChange) -> SettingsSchema:
    """Sets what may change while the service runs. It stands in the gallery, with who set it and when."""
    set_here(service, caller, wanted.model_dump(exclude_unset=True))
    return settings_of(service)


def settings_of(service: Service) -> SettingsSchema:
    """What is set, as far as users of the service are concerned."""
    recognizer, serve, info = service.recognizer, service.settings, service.gallery.info()
    return SettingsSchema(
        gallery_people=info.people,
        gallery_templates=info.templates,
        embedder=recognizer.embedder.contract.name,
        detector=recognizer.detector.name,
        rule=RuleSchema.model_validate(recognizer.rule),
        threshold_source=recognizer.parameters.source,
        fpir=recognizer.settings.fpir,
        show_accuracy=recognizer.settings.show_accuracy,
        accuracy=AccuracySchema(**recognizer.accuracy.overall.to_dict()) if recognizer.settings.show_accuracy else None,
        keep_pictures=recognizer.settings.keep_pictures,
        keep_unknown_faces=recognizer.settings.keep_unknown_faces,
        retention_days=recognizer.settings.retention_days,
        store_pictures=recognizer.settings.keeps_crops,
        audit_days=serve.audit_days,
        session_hours=serve.session_hours,
        max_upload_bytes=serve.max_upload_bytes,
        max_upload_pixels=recognizer.settings.max_pixels,
        max_pictures=serve.max_pictures,
        max_request_bytes=serve.max_request_bytes,
        own=[OwnSettingSchema(name=name, by=own.by, at=own.at) for name, own in set_in(service).items()],
        fixed=fixed_in(service),
    )
