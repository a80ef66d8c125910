"""Attendance by a photo, such as one of a class: whoever is on it has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from knownface.events.attendance import mark, report_session
from knownface.events.attendance_values import Attendee, SessionReport
from knownface.gallery.consents import permitted
from knownface.storage import Database
from knownface.storage.schema import people as table


@dataclass(frozen=True, slots=True)
class Photographed:
    """What came of the photos of a session.

    Attributes:
        came: Who is marked by them now.
        there: Who had come already.
        denied: Who is on them, but was marked by hand as absent; a person's word counts more than a photo.
            Whoever may not be counted, where the gallery demands consent, is in none of these.
        report: The session afterwards.
    """

    came: tuple[str, ...]
    there: tuple[str, ...]
    denied: tuple[str, ...]
    report: SessionReport


def mark_photographed(
    database: Database, session_id: int, people: Iterable[int], *, at: datetime | None = None
) -> Photographed:
    """Mark everybody who is on photos as having come; who is on no list becomes a walk-in.

    Args:
        database: The gallery's.
        session_id: Of the session.
        people: Ids of the people recognised.
        at: When the photos were taken, timezone-aware; as for :func:`mark`.

    Raises:
        UnknownSessionError: There is no such session.
        UnknownPersonError: Somebody is no longer in the gallery.
        EventsError: The session was not going on at that time.
    """
    report = report_session(database, session_id)
    came: list[str] = []
    there: list[str] = []
    denied: list[str] = []
    with database.reading() as connection:
        withheld = set(connection.scalars(select(table.c.id).where(~permitted(connection, table.c.id, "attendance"))))
    for person_id in dict.fromkeys(one for one in people if one not in withheld):
        entry = _of_person(report, person_id)
        if entry is not None and entry.first_seen is not None:
            there.append(entry.name)
        elif entry is not None and entry.by_hand:
            denied.append(entry.name)
        else:
            report = mark(database, session_id, person_id, at=at)
            entry = _of_person(report, person_id)
            came += [entry.name] if entry else []
    return Photographed(tuple(came), tuple(there), tuple(denied), report)


def _of_person(report: SessionReport, person_id: int) -> Attendee | None:
    return next((attendee for attendee in report.attendees if attendee.person_id == person_id), None)
