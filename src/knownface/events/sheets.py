"""What was seen as tables for CSV and Excel files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta, tzinfo
from typing import Any

from knownface.errors import EventsError
from knownface.events.attendance_values import SessionReport
from knownface.events.hours import WorkDay, work_weeks
from knownface.events.values import Sighting
from knownface.gallery import Person
from knownface.tables import Table

MOODLE_STATUS = {"present": "P", "late": "L", "absent": "A"}
"""The acronyms of Moodle's usual set of statuses; "E", excused, is for people to give."""


def sightings_table(found: Iterable[Sighting], zone: tzinfo | None = None) -> Table:
    """One row a sighting, with its liveness where any has one; times of the zone, this machine's where it is None."""
    found = list(found)
    checked = any(s.liveness is not None for s in found)
    columns = ["id", "person", "unknown", "source", "first_seen", "last_seen"]
    columns += ["first_time", "last_time", "best_distance", "frames", "quality", *["liveness"] * checked]
    rows = [
        [
            *(s.id, s.name, s.unknown if s.name is None else None, s.source),
            *(s.first_seen.astimezone(zone), s.last_seen.astimezone(zone)),
            *(s.first_time, s.last_time, _rounded(s.best_distance), s.frames, _rounded(s.quality)),
            *[_rounded(s.liveness)] * checked,
        ]
        for s in found
    ]
    return Table(columns, rows)


def session_table(report: SessionReport, zone: tzinfo | None = None) -> Table:
    """One row a person; times of the zone, this machine's where it is None."""
    columns = ["name", "external_id", "status", "first_seen", "last_seen", "source", "by_hand"]
    rows = [
        [
            *(a.name, a.external_id, a.status),
            *(None if t is None else t.astimezone(zone) for t in (a.first_seen, a.last_seen)),
            *(a.source, "yes" if a.by_hand else ""),
            *(a.facts.get(column, "") for column in report.session.columns),
        ]
        for a in report.attendees
    ]
    return Table([*columns, *report.session.columns], rows)


def moodle_table(report: SessionReport, user_column: str | None = None) -> tuple[Table, list[str]]:
    """What the activity Attendance of Moodle (mod_attendance) takes by "Upload attendance by CSV".

    It reads a column that identifies the user, one with the time of a scan, and one with the acronym of a status, and
    looks at the status only where the time is empty. The time is left empty here, so that the status is ours.

    Args:
        report: Of a session.
        user_column: Which column of the guest list identifies users in Moodle (username, email or idnumber); None
            takes external ids.

    Raises:
        EventsError: The guest list has no such column.

    Returns:
        The table, and the names of those who were left out, since nothing identifies them. Walk-ins and people still
        expected are left out without being named.
    """
    if user_column not in {None, *report.session.columns}:
        known = ", ".join(report.session.columns) or "no further columns"
        raise EventsError(
            f"The guest list has no column {user_column!r}.", f"It has {known}; external ids are taken by default."
        )
    rows: list[list[Any]] = []
    without: list[str] = []
    for attendee in report.attendees:
        if attendee.status not in MOODLE_STATUS:
            continue
        user = attendee.external_id if user_column is None else attendee.facts.get(user_column)
        if user:
            rows.append([user, "", MOODLE_STATUS[attendee.status]])
        else:
            without.append(attendee.name)
    return Table(["user", "scantime", "status"], rows), without


def days_table(hours: Sequence[tuple[Person, Sequence[WorkDay]]], zone: tzinfo | None = None) -> Table:
    """One row a person and day, for payroll; times of the zone, this machine's where it is None."""
    columns = ["person", "external_id", "day", "first_in", "last_out", "breaks", "away", "worked"]
    rows = [
        [
            *(person.name, person.external_id, day.day),
            *(day.first_in.astimezone(zone), day.last_out.astimezone(zone)),
            *(len(day.breaks), day.away, day.worked),
        ]
        for person, days in hours
        for day in days
    ]
    return Table(columns, rows)


def weeks_table(hours: Sequence[tuple[Person, Sequence[WorkDay]]]) -> Table:
    """One row a person and week of ISO 8601, and below each person's weeks the total."""
    rows: list[list[Any]] = []
    for person, days in hours:
        weeks = work_weeks(days)
        rows += [
            [person.name, person.external_id, f"{week.year}-W{week.week:02}", week.days, week.worked] for week in weeks
        ]
        total = sum((week.worked for week in weeks), timedelta())
        rows.append([person.name, person.external_id, "total", len(days), total])
    return Table(["person", "external_id", "week", "days", "worked"], rows)


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)
