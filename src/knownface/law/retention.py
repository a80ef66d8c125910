"""What is to go by itself, since it was kept long enough: people, templates, sightings, attendance, logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from knownface.events import RetentionPolicy, SightingLog
from knownface.events.attendance import delete_session
from knownface.gallery import Gallery
from knownface.gallery.consents import today
from knownface.settings import Settings
from knownface.storage.events_schema import (
    attendance_entries,
    attendance_sessions,
    events,
    offers,
    pending_alerts,
    sightings,
)
from knownface.storage.schema import held, people, templates
from knownface.storage.service_schema import audit_log


@dataclass(frozen=True, slots=True)
class Overdue:
    """What has been kept long enough.

    Attributes:
        people: Id and name of those who go, and why.
        templates: Ids of templates that go.
        sessions: Ids of attendance sessions that go.
        counts: By kind, how many rows of other tables go.
    """

    people: tuple[tuple[int, str, str], ...]
    templates: tuple[int, ...]
    sessions: tuple[int, ...]
    counts: Mapping[str, int]

    def __bool__(self) -> bool:
        return bool(self.people or self.templates or self.sessions or any(self.counts.values()))

    def to_dict(self) -> dict[str, int]:
        """How many of each kind; no names."""
        own = {"people": len(self.people), "templates": len(self.templates), "sessions": len(self.sessions)}
        return {**own, **self.counts}


def find_overdue(gallery: Gallery, settings: Settings, now: datetime | None = None) -> Overdue:
    """What :func:`remove_overdue` would remove.

    Args:
        gallery: Where.
        settings: Say how long what is kept.
        now: Timezone-aware; None is the clock's time.
    """
    time = now or datetime.now(UTC)
    with gallery.database.reading() as connection:
        gone = _overdue_people(connection, settings, time)
        going = [person_id for person_id, _, _ in gone]
        return Overdue(
            gone,
            _ids(connection, templates, templates.c.created, settings.template_days, time, going),
            _ids(connection, attendance_sessions, attendance_sessions.c.closed, settings.attendance_days, time),
            {
                "sightings": _count(connection, sightings.c.last_seen, settings.retention_days, time),
                "events": _count(connection, events.c.at, settings.retention_days, time),
                "pending_alerts": _count(connection, pending_alerts.c.at, settings.retention_days, time),
                "offers": _count(connection, offers.c.seen_at, settings.retention_days, time),
                "held": _count(connection, held.c.held_at, settings.retention_days, time),
                "audit_log": _count(connection, audit_log.c.at, settings.serve.audit_days, time),
            },
        )


def remove_overdue(gallery: Gallery, settings: Settings, now: datetime | None = None) -> Overdue:
    """Remove what has been kept long enough, leaving no trace; the audit log's part is whoever keeps that log's.

    Returns:
        What went.
    """
    found = find_overdue(gallery, settings, now)
    if found.people:
        gallery.remove(*(person_id for person_id, _, _ in found.people))
    gallery.remove_templates(found.templates)
    for session_id in found.sessions:
        delete_session(gallery.database, session_id)
    if any(found.counts.values()):
        SightingLog(gallery, RetentionPolicy.from_settings(settings)).purge(now)
    return found


def _overdue_people(connection: Connection, settings: Settings, now: datetime) -> tuple[tuple[int, str, str], ...]:
    ended = select(people.c.id, people.c.name, people.c.until).where(people.c.until < today()).order_by(people.c.id)
    gone = {row.id: (row.id, row.name, f"last day {row.until}") for row in connection.execute(ended)}
    days = settings.unseen_days
    if days is not None:
        seen: dict[int, datetime] = {}
        for column, person in (
            (people.c.created, people.c.id),
            (templates.c.created, templates.c.person_id),
            (sightings.c.last_seen, sightings.c.person_id),
            (attendance_entries.c.last_seen, attendance_entries.c.person_id),
        ):
            latest = select(person, func.max(column)).where(person.is_not(None)).group_by(person)
            for person_id, at in connection.execute(latest):
                if at is not None:
                    seen[person_id] = max(at, seen.get(person_id, at))
        unseen = {person_id for person_id, at in seen.items() if at < now - timedelta(days=days)} - set(gone)
        for row in connection.execute(select(people.c.id, people.c.name).order_by(people.c.id)):
            if row.id in unseen:
                gone[row.id] = (row.id, row.name, f"not seen since {seen[row.id]:%Y-%m-%d}")
    return tuple(gone.values())


def _ids(
    connection: Connection,
    table: Table,
    column: ColumnElement[Any],
    days: float | None,
    now: datetime,
    but_of: list[int] | None = None,
) -> tuple[int, ...]:
    if days is None:
        return ()
    query = select(table.c.id).where(column < now - timedelta(days=days)).order_by(table.c.id)
    if but_of is not None:
        query = query.where(table.c.person_id.not_in(but_of))
    return tuple(connection.scalars(query))


def _count(connection: Connection, column: ColumnElement[Any], days: float | None, now: datetime) -> int:
    if days is None:
        return 0
    return connection.scalar(select(func.count()).where(column < now - timedelta(days=days))) or 0
