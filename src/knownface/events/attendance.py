"""Attendance and check-in: who came to a session, computed from what was seen while it was open.

A session is a stretch of time with people who are expected. It holds no list of arrivals while it is open: that is
read from the sightings, so a crash loses nothing. Closing it writes the arrivals down, so that they outlive the
sightings. Check-in for an event is the same with a guest list.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update
from sqlalchemy import delete as delete_rows

from knownface.errors import EventsError, SessionOpenError, UnknownPersonError, UnknownSessionError
from knownface.events.arrivals import all_strangers, read_entries, write_arrivals
from knownface.events.attendance_values import Session, SessionReport
from knownface.events.expected import expected_entries
from knownface.events.guests import Guest
from knownface.events.recording import as_utc
from knownface.events.reporting import find_entry, read_report
from knownface.gallery import Person, clean_name, name_key
from knownface.gallery.edit_log import forget_edits
from knownface.gallery.names import clean_label, label_key
from knownface.gallery.people import get_person, list_people
from knownface.gallery.values import PersonKey
from knownface.storage import Database, insert_one
from knownface.storage.events_schema import attendance_entries, attendance_sessions
from knownface.storage.history_schema import SUBJECT_SESSION
from knownface.storage.schema import people
from knownface.storage.sealing.columns import readable

MAX_GRACE = timedelta(days=1)


def open_session(
    database: Database,
    name: str,
    *,
    people: Sequence[PersonKey] = (),
    group: str | None = None,
    guests: Sequence[Guest] = (),
    sources: Sequence[str] = (),
    grace: timedelta = timedelta(minutes=10),
    start: datetime | None = None,
    until: datetime | None = None,
) -> Session:
    """Open a session.

    Args:
        database: The gallery's.
        name: Such as "Maths 3b"; may be used again once closed.
        people: Names or ids of people who are expected.
        group: Everybody who is in this group now is expected.
        guests: A guest list (see :func:`read_guests`); guests need not be in the gallery yet.
        sources: Only what these saw counts; all where it is empty.
        grace: Who is first seen later than this after the start is late.
        start: When it begins, timezone-aware; None is now. It may lie in the past.
        until: When it ends by itself; None leaves it open until :func:`close_session`.

    Raises:
        UnknownPersonError: Nobody has a name of ``people``.
        SessionOpenError: A session of this name is open.
        EventsError: Nobody is expected at all, the times contradict each other, or two guests are one person.
        BadNameError: The name cannot be a session's.
    """
    label = clean_label(name, "session's name")
    columns = list(dict.fromkeys(column for guest in guests for column in guest.facts))
    values = {
        "name": label,
        "name_key": label_key(label),
        **_times(label, start, until, grace),
        "sources": json.dumps(list(sources)) if sources else None,
        "columns": json.dumps(columns),
        "strangers": 0,
        "written": False,
    }
    with database.writing() as connection:
        if _open_one(connection, label, as_utc(None)) is not None:
            raise SessionOpenError(f"A session {label!r} is open.")
        session_id = insert_one(connection, attendance_sessions, values)
        entries = expected_entries(connection, people, group, guests)
        if not entries:
            raise EventsError(
                f"Nobody is expected in {label!r}.", "Name people, a group that has members, or a guest list."
            )
        connection.execute(insert(attendance_entries), [{"session_id": session_id, **entry} for entry in entries])
        return _session(_row(connection, session_id))


def close_session(database: Database, session_id: int, now: datetime | None = None) -> Session:
    """Close a session and write down who came; closing it again changes nothing.

    Raises:
        UnknownSessionError: There is none.
    """
    with database.writing() as connection:
        row, time = _row(connection, session_id), as_utc(now)
        # The clock may have been set back since the session was opened.
        closed = max(row.opened, time if row.closed is None else min(row.closed, time))
        table = attendance_sessions
        connection.execute(update(table).where(table.c.id == session_id).values(closed=closed))
        row = _row(connection, session_id)
        write_arrivals(connection, row)
        written = {"strangers": all_strangers(connection, row), "written": True}
        connection.execute(update(table).where(table.c.id == session_id).values(written))
        return _session(row)


def delete_session(database: Database, session_id: int) -> None:
    """Delete a session with its list and marks, leaving no trace; the sightings stay.

    Raises:
        UnknownSessionError: There is none.
    """
    with database.erasing() as connection:
        _row(connection, session_id)
        connection.execute(delete_rows(attendance_sessions).where(attendance_sessions.c.id == session_id))
        forget_edits(connection, SUBJECT_SESSION, [session_id])


def list_sessions(
    database: Database, *, open_at: datetime | None = None, below: int | None = None, limit: int | None = None
) -> list[Session]:
    """Every session, the newest first.

    Args:
        database: The gallery's.
        open_at: Only those that go on at this time, timezone-aware.
        below: Only those with smaller ids: the last id of the page before.
        limit: How many at most; None is all.
    """
    table = attendance_sessions
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if open_at is not None:
        query = query.where(or_(table.c.closed.is_(None), table.c.closed > open_at))
    if below is not None:
        query = query.where(table.c.id < below)
    with database.reading() as connection:
        return [_session(row) for row in connection.execute(query)]


def find_names(database: Database, session_id: int, search: str, limit: int) -> list[str]:
    """Names of who is expected in a session, in their order.

    Args:
        database: The gallery's.
        session_id: Whose.
        search: A part of the name, whatever the letter case.
        limit: How many at most.
    """
    entry = attendance_entries
    key = func.coalesce(readable(entry.c.name_key), readable(people.c.name_key))
    query = (
        select(func.coalesce(entry.c.name, people.c.name))
        .select_from(entry.outerjoin(people, people.c.id == entry.c.person_id))
        .where(entry.c.session_id == session_id, key.contains(name_key(search), autoescape=True))
        .order_by(key)
        .limit(limit)
    )
    with database.reading() as connection:
        return list(connection.scalars(query))


def get_session(database: Database, session_id: int) -> Session:
    """The session of an id.

    Raises:
        UnknownSessionError: There is none.
    """
    with database.reading() as connection:
        return _session(_row(connection, session_id))


def find_session(database: Database, name: str, *, now: datetime | None = None) -> Session:
    """The session of a name, whatever its letter case: the one that is open, else the newest; or that of an id.

    Raises:
        UnknownSessionError: There is none.
    """
    with database.reading() as connection:
        row = _open_one(connection, name, as_utc(now))
        if row is None:
            table = attendance_sessions
            of_name = select(table).where(table.c.name_key == label_key(name)).order_by(table.c.id.desc()).limit(1)
            row = connection.execute(of_name).one_or_none()
        if row is None and name.isascii() and name.isdigit() and len(name) < 10:
            row = _row(connection, int(name))
    if row is None:
        raise UnknownSessionError(f"There is no session {name!r}.")
    return _session(row)


def report_session(database: Database, session_id: int, now: datetime | None = None) -> SessionReport:
    """Who came, who is late, who is absent, and how many strangers were seen.

    Args:
        database: The gallery's.
        session_id: Of the session.
        now: Timezone-aware; None is the clock's time. Until the session has ended nobody is absent.

    Raises:
        UnknownSessionError: There is none.
    """
    with database.reading() as connection:
        row = _row(connection, session_id)
        return read_report(connection, row, _session(row), as_utc(now))


def mark(
    database: Database,
    session_id: int,
    who: PersonKey,
    *,
    absent: bool = False,
    walk_in: bool = True,
    at: datetime | None = None,
    now: datetime | None = None,
) -> SessionReport:
    """Say by hand that somebody has come, or has not; it counts more than what was seen.

    Args:
        database: The gallery's.
        session_id: Of the session.
        who: Name of somebody on the list or in the gallery, the external id of a guest, or the id of a person; anybody
            else is a walk-in.
        absent: Say that they have not come, whoever was taken for them.
        walk_in: Whether a name that is neither on the list nor in the gallery may be a walk-in's.
        at: When they came, timezone-aware; None is now, and the session's start once it has ended.
        now: Timezone-aware; None is the clock's time.

    Returns:
        The session's report afterwards.

    Raises:
        UnknownSessionError: There is no such session.
        UnknownPersonError: The name is nobody's, and walk-ins are not wanted.
        EventsError: The session was not going on at that time.
        BadNameError: The name cannot be anybody's.
    """
    time, table = as_utc(now), attendance_entries
    with database.writing() as connection:
        row = _row(connection, session_id)
        name = who if isinstance(who, str) else get_person(connection, who).name
        arrival = _arrival(_session(row), time, None if at is None else as_utc(at))
        came = {"first_seen": arrival, "last_seen": arrival, "source": None}
        gone = {"first_seen": None, "last_seen": None, "source": None}
        values = {**(gone if absent else came), "by_hand": True}
        entry = find_entry(connection, read_entries(connection, session_id), name)
        if entry is not None:
            connection.execute(update(table).where(table.c.id == entry.id).values(values))
        else:
            somebody = _somebody(connection, name)
            if not walk_in and "person_id" not in somebody:
                raise _nobody(name, read_report(connection, row, _session(row), time), list_people(connection))
            unlisted = {"session_id": session_id, "listed": False, "facts": "{}", **somebody}
            connection.execute(insert(table), {**unlisted, **values})
        return read_report(connection, row, _session(row), time)


def _arrival(session: Session, now: datetime, at: datetime | None) -> datetime:
    """When somebody came who is marked now."""
    if at is None:
        return now if session.opened <= now and session.is_open(now) else session.opened
    if at < session.opened or (session.closed is not None and at > session.closed):
        raise EventsError(f"{session.name!r} was not going on then.", "Give a time from its beginning to its end.")
    return at


def _times(label: str, start: datetime | None, until: datetime | None, grace: timedelta) -> dict[str, Any]:
    opened, closed = as_utc(start), None if until is None else as_utc(until)
    if closed is not None and closed <= opened:
        raise EventsError(f"The session {label!r} would end before it begins.", "Give an end after the start.")
    if not timedelta() <= grace <= MAX_GRACE:
        raise EventsError(f"A grace of {grace} makes no sense.", "Give minutes from 0 to 1440.")
    return {"opened": opened, "closed": closed, "grace_seconds": grace.total_seconds()}


def _nobody(name: str, report: SessionReport, known: Sequence[Person]) -> UnknownPersonError:
    names = {name_key(name): name for name in (*(p.name for p in known), *(a.name for a in report.attendees))}
    near = [names[key] for key in difflib.get_close_matches(name_key(name), list(names), 3)]
    meant = f" Is {' or '.join(map(repr, near))} meant?" if near else ""
    return UnknownPersonError(
        f"{name!r} is neither on the list of {report.session.name!r} nor in the gallery.{meant}",
        "Check the name, or add somebody new with walk_in=True.",
        near=near,
    )


def _somebody(connection: Connection, name: str) -> dict[str, Any]:
    found = list_people(connection, person=name)
    if found:
        return {"person_id": found[0].id}
    label = clean_name(name)
    return {"name": label, "name_key": name_key(label)}


def _open_one(connection: Connection, name: str, now: datetime) -> Row[Any] | None:
    table = attendance_sessions
    still = or_(table.c.closed.is_(None), table.c.closed > now)
    query = select(table).where(table.c.name_key == label_key(name), still).order_by(table.c.id.desc()).limit(1)
    return connection.execute(query).one_or_none()


def _row(connection: Connection, session_id: int) -> Row[Any]:
    query = select(attendance_sessions).where(attendance_sessions.c.id == session_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownSessionError(f"There is no session {session_id}.")
    return row


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        name=row.name,
        opened=row.opened,
        closed=row.closed,
        grace=timedelta(seconds=row.grace_seconds),
        sources=() if row.sources is None else tuple(json.loads(row.sources)),
        columns=tuple(json.loads(row.columns)),
    )
