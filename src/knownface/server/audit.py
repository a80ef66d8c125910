"""The audit log: who enrolled, changed, deleted or exported what, and when. Numbers, no names of people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from knownface.storage import Database
from knownface.storage.service_schema import audit_log
from knownface.storage.statements import storable

Fact = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something.

    Attributes:
        key_id: The key, or None on the command line.
        name: The key's name, or the user of the command line.
        role: The key's role, or ``local``.
        address: Where the request came from; empty on the command line.
    """

    key_id: int | None
    name: str
    role: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done.

    Attributes:
        id: Later entries have greater ones.
        at: UTC.
        actor: Who did it.
        action: A stable word, such as ``person.delete``.
        subject_id: The number of what it was done to.
        details: Figures, such as how many templates went.
    """

    id: int
    at: datetime
    actor: Actor
    action: str
    subject_id: int | None
    details: Mapping[str, Any]


class AuditLog:
    """The audit log in a gallery's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, actor: Actor, action: str, subject_id: int | None = None, **details: Fact) -> None:
        """Add an entry; it is on the disk when this returns."""
        values = {
            "at": datetime.now(UTC),
            "key_id": actor.key_id,
            "actor": storable(actor.name),
            "role": actor.role,
            "address": actor.address,
            "action": action,
            "subject_id": subject_id,
            "details": json.dumps(details),
        }
        with self._database.writing() as connection:
            connection.execute(insert(audit_log), values)

    def page(
        self,
        *,
        before: int | None = None,
        limit: int = 100,
        action: str | None = None,
        key_id: int | None = None,
        since: datetime | None = None,
    ) -> list[AuditEntry]:
        """Entries, the latest first.

        Args:
            before: Only those with smaller ids: the last id of the page before.
            limit: How many at most.
            action: Only this one, or with a dot at the end all that begin like it.
            key_id: Only of this key.
            since: Only from then on.
        """
        query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit_log.c.id < before)
        if action is not None:
            begins = audit_log.c.action.startswith(action, autoescape=True)
            query = query.where(begins if action.endswith(".") else audit_log.c.action == action)
        if key_id is not None:
            query = query.where(audit_log.c.key_id == key_id)
        if since is not None:
            query = query.where(audit_log.c.at >= since)
        with self._database.reading() as connection:
            return [
                AuditEntry(
                    id=row.id,
                    at=row.at,
                    actor=Actor(row.key_id, row.actor, row.role, row.address),
                    action=row.action,
                    subject_id=row.subject_id,
                    details=json.loads(row.details),
                )
                for row in connection.execute(query)
            ]

    def forget(self, days: float) -> int:
        """Delete entries older than some days; returns how many."""
        oldest = datetime.now(UTC) - timedelta(days=days)
        with self._database.writing() as connection:
            return connection.execute(delete(audit_log).where(audit_log.c.at < oldest)).rowcount
