"""Webhooks: where events are sent to."""

from __future__ import annotations

from fastapi import Response

from knownface.errors import BadRequestError, NotFoundError
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.common import Number
from knownface.server.schemas.service import WebhookChange, WebhookRequest, WebhookSchema, WebhookWithSecret
from knownface.server.webhooks import Webhook

router = guarded_router("webhooks")

_GONE = errors(NotFoundError)


@router.get("/webhooks", dependencies=needs("admin"), responses=errors(), summary="List webhooks")
def list_webhooks(service: ServiceDep) -> list[WebhookSchema]:
    """Every webhook and how its deliveries go; never a secret."""
    return [_schema(hook) for hook in service.webhooks.all()]


@router.post(
    "/webhooks",
    dependencies=needs("admin"),
    status_code=201,
    responses=errors(BadRequestError),
    summary="Have events sent",
)
def create_webhook(
    service: ServiceDep, caller: CallerDep, wanted: WebhookRequest, response: Response
) -> WebhookWithSecret:
    """Sends every event from now on as a POST of JSON, signed, in order, again and again until it is answered 2xx.

    `X-Knownface-Signature` is `v1=` and the hex HMAC-SHA256 by the secret over `X-Knownface-Timestamp`, a full stop
    and the body. Refuse what is older than five minutes, and event ids that you have seen (`X-Knownface-Event`).
    """
    hook = service.webhooks.create(wanted.url, wanted.kinds)
    service.audit.note(caller.actor, "webhook.create", hook.id)
    response.headers["Location"] = f"/v1/webhooks/{hook.id}"
    return WebhookWithSecret(webhook=_schema(hook), secret=hook.secret)


@router.get("/webhooks/{hook_id}", dependencies=needs("admin"), responses=_GONE, summary="Read a webhook")
def read_webhook(service: ServiceDep, hook_id: Number) -> WebhookSchema:
    """One webhook and how its deliveries go."""
    return _schema(service.webhooks.get(hook_id))


@router.patch("/webhooks/{hook_id}", dependencies=needs("admin"), responses=_GONE, summary="Pause a webhook")
def change_webhook(service: ServiceDep, caller: CallerDep, hook_id: Number, change: WebhookChange) -> WebhookSchema:
    """Stops sending, or goes on; what happened meanwhile is sent then, at once."""
    hook = service.webhooks.set_active(hook_id, change.active)
    service.audit.note(caller.actor, "webhook.change", hook_id, active=change.active)
    return _schema(hook)


@router.delete(
    "/webhooks/{hook_id}", dependencies=needs("admin"), status_code=204, responses=_GONE, summary="Delete a webhook"
)
def delete_webhook(service: ServiceDep, caller: CallerDep, hook_id: Number) -> None:
    """Sends nothing any more."""
    service.webhooks.delete(hook_id)
    service.audit.note(caller.actor, "webhook.delete", hook_id)


def _schema(hook: Webhook) -> WebhookSchema:
    return WebhookSchema(
        id=hook.id,
        url=hook.url,
        kinds=None if hook.kinds is None else list(hook.kinds),
        active=hook.active,
        created=hook.created,
        last_event=hook.last_event,
        failures=hook.failures,
        next_attempt=hook.next_attempt,
        delivered=hook.delivered,
        error=hook.error,
    )
