"""Who came to an attendance session, read from sightings and written into the session, over an open transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from knownface.gallery.consents import permitted
from knownface.storage.events_schema import attendance_entries, attendance_sessions, sightings
from knownface.storage.schema import people
from knownface.storage.service_schema import attendance_kiosks
from knownface.storage.statements import chunks


@dataclass(frozen=True, slots=True)
class Stay:
    """When somebody was first and last seen, and where first; times UTC."""

    first_seen: datetime
    last_seen: datetime
    source: str | None

    def with_other(self, other: Stay) -> Stay:
        """Both in one."""
        source = self.source if self.first_seen <= other.first_seen else other.source
        return Stay(min(self.first_seen, other.first_seen), max(self.last_seen, other.last_seen), source)


def read_stays(connection: Connection, session: Row[Any]) -> dict[int, Stay]:
    """By person id, everybody who was seen while the session was open, clipped to that time."""
    columns = (sightings.c.person_id, sightings.c.first_seen, sightings.c.last_seen, sightings.c.source)
    query = (
        select(*columns)
        .where(sightings.c.person_id.is_not(None), _within(session))
        .where(permitted(connection, sightings.c.person_id, "attendance"))
    )
    stays: dict[int, Stay] = {}
    for person_id, first, last, source in connection.execute(query):
        closed = last if session.closed is None else session.closed
        stay = Stay(max(first, session.opened), min(last, closed), source)
        stays[person_id] = stay.with_other(stays[person_id]) if person_id in stays else stay
    return stays


def count_strangers(connection: Connection, session: Row[Any], before: datetime | None = None) -> int:
    """How many Unknowns were seen while the session was open; those only that left before a time, where given."""
    query = select(func.count(sightings.c.unknown.distinct())).where(
        sightings.c.person_id.is_(None), sightings.c.dismissed.is_(False), _within(session)
    )
    if before is not None:
        query = query.where(sightings.c.last_seen < before)
    return connection.scalar(query) or 0


def linked_people(connection: Connection, entries: Sequence[Row[Any]]) -> dict[int, int]:
    """The people of the gallery whom a session's guests turned out to be; they were not in it when the list was read.

    Args:
        connection: The caller's transaction.
        entries: A session's.

    Returns:
        Person id by entry id: the person of the guest's external id, else of the guest's name.
    """
    taken = {entry.person_id for entry in entries if entry.person_id is not None}
    waiting = [entry for entry in entries if entry.person_id is None]
    by_id = _people(connection, people.c.external_id, [e.external_id for e in waiting if e.external_id is not None])
    by_name = _people(connection, people.c.name_key, [e.name_key for e in waiting if e.name_key is not None])
    found: dict[int, int] = {}
    for entry in waiting:
        person_id = by_id.get(entry.external_id) or by_name.get(entry.name_key)
        if person_id is not None and person_id not in taken:
            found[entry.id] = person_id
            taken.add(person_id)
    return found


def read_entries(connection: Connection, session_id: int) -> list[Row[Any]]:
    """A session's entries, in the order in which they were made."""
    query = select(attendance_entries).where(attendance_entries.c.session_id == session_id)
    return list(connection.execute(query.order_by(attendance_entries.c.id)).all())


def write_arrivals(connection: Connection, session: Row[Any]) -> None:
    """Write into the session who came so far, so that its report no longer needs the sightings."""
    table = attendance_entries
    for entry_id, person_id in linked_people(connection, read_entries(connection, session.id)).items():
        connection.execute(update(table).where(table.c.id == entry_id).values(person_id=person_id))
    entries = {entry.person_id: entry for entry in read_entries(connection, session.id)}
    for person_id, stay in read_stays(connection, session).items():
        entry = entries.get(person_id)
        if entry is not None and entry.by_hand and entry.first_seen is None:
            continue  # somebody said that this was not them
        if entry is not None and entry.first_seen is not None:
            stay = stay.with_other(Stay(entry.first_seen, entry.last_seen, entry.source))  # noqa: PLW2901
        values = {"first_seen": stay.first_seen, "last_seen": stay.last_seen, "source": stay.source}
        if entry is None:
            row = {"session_id": session.id, "person_id": person_id, "listed": False, "facts": "{}", "by_hand": False}
            connection.execute(insert(table), {**row, **values})
        else:
            connection.execute(update(table).where(table.c.id == entry.id).values(values))


def write_arrivals_before_purge(connection: Connection, oldest: datetime, cutoff: datetime) -> None:
    """Write who came into every session that sightings from ``oldest`` to ``cutoff`` belong to."""
    table = attendance_sessions
    query = select(table).where(table.c.opened < cutoff, or_(table.c.closed.is_(None), table.c.closed > oldest))
    for session in connection.execute(query).all():
        write_arrivals(connection, session)
        if not session.written:
            strangers = session.strangers + count_strangers(connection, session, before=cutoff)
            connection.execute(update(table).where(table.c.id == session.id).values(strangers=strangers))


def all_strangers(connection: Connection, session: Row[Any]) -> int:
    """How many Unknowns were seen, also those whose sightings are gone."""
    seen: int = session.strangers
    return seen if session.written else seen + count_strangers(connection, session)


def _within(session: Row[Any]) -> ColumnElement[bool]:
    parts = [sightings.c.last_seen >= session.opened]
    if session.closed is not None:
        parts.append(sightings.c.first_seen < session.closed)
    kiosks = select(attendance_kiosks.c.source)
    own = sightings.c.source.in_(kiosks.where(attendance_kiosks.c.session_id == session.id))
    if session.sources is None:
        parts.append(or_(own, sightings.c.source.not_in(kiosks)))
    else:
        parts.append(or_(own, sightings.c.source.in_(json.loads(session.sources))))
    return and_(*parts)


def _people(connection: Connection, column: ColumnElement[str], values: Sequence[str]) -> dict[str, int]:
    query = select(column, people.c.id)
    if len(values) > (connection.scalar(select(func.count()).select_from(people)) or 0):
        return {value: person_id for value, person_id in connection.execute(query) if value is not None}
    return {
        value: person_id
        for chunk in chunks(values)
        for value, person_id in connection.execute(query.where(column.in_(chunk)))
    }
