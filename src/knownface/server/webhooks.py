"""Webhooks: where events are sent to. What is not delivered yet stays in the table of events, in order."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, func, select, update

from knownface.errors import BadRequestError, NotFoundError
from knownface.events import begin_happenings
from knownface.events.happenings import HappeningKind
from knownface.server.addresses import checked_addresses
from knownface.storage import Database, insert_one
from knownface.storage.events_schema import events
from knownface.storage.service_schema import webhooks
from knownface.storage.statements import storable

_LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that events are sent to.

    Attributes:
        id: Its number.
        url: Where to.
        secret: What deliveries are signed with.
        kinds: Only events of these kinds; None: all of :data:`~knownface.events.EVENT_KINDS`.
        active: Whether anything is sent.
        created: UTC.
        last_event: Id of the last event delivered, or passed over.
        failures: Attempts that failed since the last delivery.
        next_attempt: Not before this time.
        delivered: When the last delivery succeeded.
        error: Why the last attempt failed.
    """

    id: int
    url: str
    secret: str
    kinds: tuple[str, ...] | None
    active: bool
    created: datetime
    last_event: int
    failures: int
    next_attempt: datetime | None
    delivered: datetime | None
    error: str | None

    def wants(self, kind: str) -> bool:
        """Whether events of a kind are sent."""
        return self.kinds is None or kind in self.kinds


def receiver_addresses(url: str, allowed: Sequence[str]) -> list[str]:
    """The IP addresses of a webhook's host, if events may be sent there; none where it has none at present.

    Webhooks are an administrator's, and may well name machines of the house. Refused is what no receiver has and a
    careless administrator might be talked into.

    Args:
        url: Of the receiver.
        allowed: See :func:`checked_addresses`.

    Raises:
        BadRequestError: It is no http(s) address, carries a password, or leads to an address that is refused.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise BadRequestError(f"The address cannot be read: {error}.") from error
    if parts.scheme not in {"http", "https"} or not host or len(url) > _LONGEST_URL or not url.isprintable():
        raise BadRequestError("A webhook's address begins with https:// or http:// and names a host.")
    if parts.username or parts.password:
        raise BadRequestError("A webhook's address may not carry a password.", "The signature proves who sends.")
    return checked_addresses(host, port, allowed)


class WebhookStore:
    """The webhooks in a gallery's database.

    Args:
        database: The gallery's.
        allowed_networks: See :func:`receiver_addresses`.
    """

    def __init__(self, database: Database, allowed_networks: Sequence[str] = ()) -> None:
        self._database = database
        self.allowed_networks = allowed_networks

    def create(self, url: str, kinds: Sequence[str] | None = None) -> Webhook:
        """Send what happens from now on to an address.

        Raises:
            BadRequestError: As :func:`receiver_addresses`.
        """
        receiver_addresses(url, self.allowed_networks)
        with self._database.writing() as connection:
            if not _wants_happenings(connection):
                begin_happenings(connection)
            values = {
                "url": url,
                "secret": f"whsec_{secrets.token_urlsafe(32)}",
                "kinds": None if kinds is None else json.dumps(list(kinds)),
                "active": True,
                "created": datetime.now(UTC),
                "last_event": connection.scalar(select(func.max(events.c.id))) or 0,
                "failures": 0,
            }
            hook_id = insert_one(connection, webhooks, values)
        return self.get(hook_id)

    def get(self, hook_id: int) -> Webhook:
        """One webhook.

        Raises:
            NotFoundError: There is none of this id.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(webhooks).where(webhooks.c.id == hook_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no webhook {hook_id}.")
        return _webhook(row)

    def all(self) -> list[Webhook]:
        """Every webhook, oldest first."""
        with self._database.reading() as connection:
            return [_webhook(row) for row in connection.execute(select(webhooks).order_by(webhooks.c.id))]

    def set_active(self, hook_id: int, active: bool) -> Webhook:
        """Stop or go on sending; what happened meanwhile is sent then.

        Raises:
            NotFoundError: There is none of this id.
        """
        self.get(hook_id)
        self._change(hook_id, active=active, failures=0, next_attempt=None, error=None)
        return self.get(hook_id)

    def delete(self, hook_id: int) -> None:
        """Send nothing any more, and forget the address.

        Raises:
            NotFoundError: There is none of this id.
        """
        self.get(hook_id)
        with self._database.writing() as connection:
            connection.execute(delete(webhooks).where(webhooks.c.id == hook_id))

    def pass_over(self, hook_id: int, event_id: int) -> None:
        """Events up to this one do not concern the webhook."""
        self._change(hook_id, last_event=event_id)

    def note_delivery(self, hook_id: int, event_id: int) -> None:
        """An event was delivered."""
        self._change(
            hook_id, last_event=event_id, failures=0, next_attempt=None, error=None, delivered=datetime.now(UTC)
        )

    def note_failure(self, hook_id: int, failures: int, next_attempt: datetime, error: str) -> None:
        """An attempt failed."""
        self._change(hook_id, failures=failures, next_attempt=next_attempt, error=storable(error[:500]))

    def _change(self, hook_id: int, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(update(webhooks).where(webhooks.c.id == hook_id).values(**values))


def _wants_happenings(connection: Connection) -> bool:
    hooks = [_webhook(row) for row in connection.execute(select(webhooks))]
    return any(hook.wants(kind) for hook in hooks for kind in get_args(HappeningKind))


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        id=row.id,
        url=row.url,
        secret=row.secret,
        kinds=None if row.kinds is None else tuple(json.loads(row.kinds)),
        active=row.active,
        created=row.created,
        last_event=row.last_event,
        failures=row.failures,
        next_attempt=row.next_attempt,
        delivered=row.delivered,
        error=row.error,
    )
