"""Alerts that wait for people: listed, confirmed, rejected."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Query

from knownface.errors import AlertDecidedError, UnknownAlertError
from knownface.events import list_pending
from knownface.events.alert_log import note_outcome
from knownface.law import oversight
from knownface.live.sinks.sightings import alert_event
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.live.event_bus import EventPublisher
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.common import Cursor, Limit, Number, Page, cursor_after, read_number_cursor
from knownface.server.schemas.oversight import DecisionSchema, PendingAlertSchema

router = guarded_router("alerts")


@router.get("/alerts/pending", dependencies=needs("viewer"), responses=errors(), summary="List alerts that wait")
def pending(
    service: ServiceDep,
    decided: Annotated[
        bool, Query(description="Those that were rejected or not confirmed in time instead, the newest first.")
    ] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PendingAlertSchema]:
    """Alerts that must be confirmed before anything is sent or run, the oldest first."""
    beyond = read_number_cursor(cursor)
    found = list_pending(service.database, decided=decided, beyond=beyond, limit=limit + 1)
    rest = cursor_after(found[limit - 1].alert.id) if len(found) > limit else None
    return Page(items=[PendingAlertSchema.of(one) for one in found[:limit]], next=rest)


@router.post(
    "/alerts/pending/{alert_id}/confirm",
    dependencies=needs("operator"),
    responses=errors(UnknownAlertError, AlertDecidedError),
    summary="Confirm an alert",
)
def confirm(service: ServiceDep, caller: CallerDep, alert_id: Number) -> DecisionSchema:
    """Says that an alert is what its rule is meant for; a key counts once.

    With the last confirmation that the rule demands, webhooks and MQTT are sent the alert, and the rule's command and
    sound are run by the service.
    """
    done = oversight.confirm(service.database, alert_id, caller.actor)
    if done.passed_on is not None:
        EventPublisher(service.streams.events, "").publish(alert_event(done.passed_on, ""))
        if done.rule is not None:
            noting = partial(note_outcome, service.database)
            service.actions.start(done.rule, done.passed_on.id, done.passed_on.facts(), noting)
    return DecisionSchema.of(done)


@router.post(
    "/alerts/pending/{alert_id}/reject",
    dependencies=needs("operator"),
    responses=errors(UnknownAlertError, AlertDecidedError),
    summary="Reject an alert",
)
def reject(service: ServiceDep, caller: CallerDep, alert_id: Number) -> DecisionSchema:
    """Has nothing sent or run."""
    return DecisionSchema.of(oversight.reject(service.database, alert_id, caller.actor))
