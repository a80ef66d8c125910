"""Alert rules: who is reported when they are seen or missing."""

from __future__ import annotations

from fastapi import Response

from knownface.errors import AlertRuleError, BadNameError, ForbiddenError, UnknownAlertRuleError
from knownface.events import add_rule, change_rule, get_rule, list_rules, remove_rule
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.alert_rules import AlertRuleRequest, AlertRuleSchema
from knownface.server.schemas.common import Number

router = guarded_router("alerts")

_GONE = errors(UnknownAlertRuleError)


@router.get("/alerts/rules", dependencies=needs("viewer"), responses=errors(), summary="List alert rules")
def list_alert_rules(service: ServiceDep) -> list[AlertRuleSchema]:
    """Every rule, in the order of their names; those of the command line too. `GET /v1/events` has their alerts."""
    return [AlertRuleSchema.of(rule) for rule in list_rules(service.database)]


@router.post(
    "/alerts/rules",
    dependencies=needs("admin"),
    status_code=201,
    responses=errors(AlertRuleError, BadNameError),
    summary="Add an alert rule",
)
def add_alert_rule(
    service: ServiceDep, caller: CallerDep, wanted: AlertRuleRequest, response: Response
) -> AlertRuleSchema:
    """Has alerts raised from the next look on, by every program that watches; webhooks and MQTT are told.

    Rules that run a command or a sound are made on the command line only: a key must not be a way to run programs.
    """
    rule = add_rule(service.database, wanted.rule())
    service.audit.note(caller.actor, "alert-rule.create", rule.id, kind=rule.kind)
    response.headers["Location"] = f"/v1/alerts/rules/{rule.id}"
    return AlertRuleSchema.of(rule)


@router.get("/alerts/rules/{rule_id}", dependencies=needs("viewer"), responses=_GONE, summary="Read an alert rule")
def read_alert_rule(service: ServiceDep, rule_id: Number) -> AlertRuleSchema:
    """One rule."""
    return AlertRuleSchema.of(get_rule(service.database, rule_id))


@router.put(
    "/alerts/rules/{rule_id}",
    dependencies=needs("admin"),
    responses=errors(UnknownAlertRuleError, AlertRuleError, BadNameError),
    summary="Change an alert rule",
)
def change_alert_rule(
    service: ServiceDep, caller: CallerDep, rule_id: Number, wanted: AlertRuleRequest
) -> AlertRuleSchema:
    """Puts a rule in the place of another; what is left out is as in a new one. One that acts cannot be changed so."""
    if get_rule(service.database, rule_id).acts:
        raise ForbiddenError(
            "This rule runs a command or a sound; only the command line changes it.",
            "`knownface alerts remove` and `knownface alerts add` on the service's machine.",
        )
    rule = change_rule(service.database, wanted.rule(rule_id))
    service.audit.note(caller.actor, "alert-rule.change", rule_id, kind=rule.kind)
    return AlertRuleSchema.of(rule)


@router.delete(
    "/alerts/rules/{rule_id}",
    dependencies=needs("admin"),
    status_code=204,
    responses=_GONE,
    summary="Remove an alert rule",
)
def remove_alert_rule(service: ServiceDep, caller: CallerDep, rule_id: Number) -> None:
    """Raises no more alerts by a rule, whatever it does; those raised stay in the log."""
    remove_rule(service.database, rule_id)
    service.audit.note(caller.actor, "alert-rule.delete", rule_id)
