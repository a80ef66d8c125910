"""Settings: what is in force, calibration, keys, the audit log."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request, Response

from knownface import __version__
from knownface.events import EVENT_KINDS, list_rules, read_alerts
from knownface.events.rules import WEEKDAYS, Kind
from knownface.models.joins import parse_join
from knownface.server.context import service_of
from knownface.server.keys import ROLES
from knownface.server.pages.notes import promise, rule_notes
from knownface.server.pages.render import AdminPageRoute, address_with, page, pages_router
from knownface.server.phone import phone_address, qr_code
from knownface.server.routes.network import network_of
from knownface.server.setting import fixed_in, set_in
from knownface.server.tls import own_addresses
from knownface.settings import settings_file

router = APIRouter()
_open, _admin = pages_router(), pages_router(AdminPageRoute)

_PAGE = 100
_EVENTS = 20


@_open.get("/settings")
def settings(request: Request) -> Response:
    """The parameters in force, calibration, the models and their licences, what is kept and for how long."""
    service = service_of(request)
    recognizer = service.recognizer
    embedders = parse_join(recognizer.embedder.contract.name).parts
    calibration = service.gallery.calibration
    phone = phone_address(str(request.url), service.settings.host, own_addresses())
    in_use = {*embedders, recognizer.detector.name}
    return page(
        request,
        "settings.html",
        "settings",
        tab="settings",
        rule=recognizer.rule,
        source=recognizer.parameters.source,
        notes=rule_notes(request),
        contract=recognizer.embedder.contract,
        network=network_of(service),
        embedders=embedders,
        detector=recognizer.detector.name,
        licences={name: entry for name, entry in service.models.catalog.items() if name in in_use},
        calibration=calibration,
        promise=calibration and promise(request, calibration),
        info=service.gallery.info(),
        settings=recognizer.settings,
        serve=service.settings,
        own=set_in(service),
        fixed=fixed_in(service),
        consent="required" if service.gallery.consents.required else "off",
        phone=phone,
        code=None if phone is None else qr_code(phone),
        file=settings_file(),
        version=__version__,
    )


@_admin.get("/settings/keys")
def keys(request: Request) -> Response:
    """The API keys."""
    found = service_of(request).keys.all()
    return page(request, "keys.html", "settings", tab="keys", keys=found, roles=ROLES)


@_admin.get("/settings/alerts")
def alerts(request: Request) -> Response:
    """Where events are sent to, the rules that raise them, and the latest."""
    service = service_of(request)
    return page(
        request,
        "alerts.html",
        "settings",
        tab="alerts",
        webhooks=service.webhooks.all(),
        rules=list_rules(service.database),
        weekdays=WEEKDAYS,
        groups=service.gallery.groups(),
        sources=service.sightings.sources(),
        events=read_alerts(service.database, limit=_EVENTS, newest=True)[::-1],
        kinds=EVENT_KINDS,
        alert_kinds=get_args(Kind),
    )


@_admin.get("/settings/audit")
def audit(
    request: Request,
    action: Annotated[str, Query(max_length=50)] = "",
    below: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Who enrolled, changed, deleted and exported."""
    found = service_of(request).audit.page(before=below, limit=_PAGE + 1, action=action or None)
    more = address_with(request, below=found[_PAGE - 1].id) if len(found) > _PAGE else None
    first = None if below is None else address_with(request, below=None)
    return page(
        request, "audit.html", "settings", tab="audit", entries=found[:_PAGE], action=action, more=more, first=first
    )


router.include_router(_open)
router.include_router(_admin)
