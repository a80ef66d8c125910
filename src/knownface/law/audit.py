"""The audit log: who enrolled, changed, deleted or exported what, and when. Numbers, no names of people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from knownface.errors import ReceiptError
from knownface.law.receipts import this_user
from knownface.storage import Database, insert_new
from knownface.storage.schema import meta
from knownface.storage.service_schema import META_AUDIT_BEGINS, audit_log
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
        digest: SHA-256 over this entry and the digest before; None of entries of earlier versions.
    """

    id: int
    at: datetime
    actor: Actor
    action: str
    subject_id: int | None
    details: Mapping[str, Any]
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """What a check of the log's chain found.

    Attributes:
        checked: Entries that are as they were written, in a chain without a gap.
        unchained: Entries of earlier versions, which had no chain.
        broken: Id of the first entry that was altered, or before which one is missing; None where all is well.
        head: The latest entry's digest. Whoever notes it elsewhere can later tell that nothing was cut off.
    """

    checked: int
    unchained: int
    broken: int | None
    head: str


class AuditLog:
    """The audit log in a gallery's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, actor: Actor, action: str, subject_id: int | None = None, **details: Fact) -> None:
        """Add an entry; it is on the disk when this returns."""
        with self._database.writing() as connection:
            write_entry(connection, actor, action, subject_id, **details)

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
                    digest=row.digest,
                )
                for row in connection.execute(query)
            ]

    def forget(self, days: float) -> int:
        """Delete entries older than some days; returns how many. The chain then begins after them."""
        oldest = datetime.now(UTC) - timedelta(days=days)
        with self._database.writing() as connection:
            kept = select(func.min(audit_log.c.id)).where(audit_log.c.at >= oldest)
            first = connection.scalar(kept)
            # By id and not by time: a clock that was set back must leave no gap in the chain.
            old = audit_log.c.at < oldest if first is None else audit_log.c.id < first
            query = select(audit_log.c.digest).where(old, audit_log.c.digest.is_not(None))
            last = connection.scalar(query.order_by(audit_log.c.id.desc()).limit(1))
            if last is not None:
                connection.execute(delete(meta).where(meta.c.key == META_AUDIT_BEGINS))
                insert_new(connection, meta, [{"key": META_AUDIT_BEGINS, "value": last}])
            return connection.execute(delete(audit_log).where(old)).rowcount

    def check(self, expected: str | None = None) -> AuditCheck:
        """Follow the chain from its beginning.

        Args:
            expected: A digest that was noted earlier; where it is not in the chain, the log was cut off or rewritten.

        Raises:
            ReceiptError: The expected digest is not in the chain.
        """
        with self._database.reading() as connection:
            before = _begins(connection)
            checked = unchained = 0
            broken, digests = None, {before}
            for row in connection.execute(select(audit_log).order_by(audit_log.c.id)).mappings():
                if row["digest"] is None and not checked:
                    unchained += 1
                    continue
                if row["digest"] != _digest(before, dict(row)):
                    broken = row["id"]
                    break
                before = row["digest"]
                digests.add(before)
                checked += 1
        if expected is not None and expected not in digests:
            hint = "It was cut off or rewritten, or that entry was old enough to be purged."
            raise ReceiptError(f"The audit log does not hold {expected}.", hint)
        return AuditCheck(checked, unchained, broken, before)


def write_entry(
    connection: Connection, actor: Actor, action: str, subject_id: int | None = None, **details: Fact
) -> None:
    """Add an entry in the caller's transaction: what is done in it is not done without the entry."""
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
    values["digest"] = _digest(_last_digest(connection), values)
    connection.execute(insert(audit_log), values)


def local_actor() -> Actor:
    """Whoever uses the command line."""
    return Actor(None, this_user(), "local")


def note_local(database: Database, action: str, subject_id: int | None = None, **details: Fact) -> None:
    """Add an entry for whoever uses the command line."""
    AuditLog(database).note(local_actor(), action, subject_id, **details)


def _begins(connection: Connection) -> str:
    return connection.scalar(select(meta.c.value).where(meta.c.key == META_AUDIT_BEGINS)) or ""


def _last_digest(connection: Connection) -> str:
    query = select(audit_log.c.digest).where(audit_log.c.digest.is_not(None))
    last: str | None = connection.scalar(query.order_by(audit_log.c.id.desc()).limit(1))
    return _begins(connection) if last is None else last


def _digest(before: str, entry: Mapping[str, Any]) -> str:
    names = ("key_id", "actor", "role", "address", "action", "subject_id", "details")
    at = entry["at"].astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps([before, at, *(entry[name] for name in names)])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
