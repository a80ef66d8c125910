"""Working hours: first in, last out and breaks, day by day and week by week.

Times are kept in UTC and durations counted in it; only which day an instant belongs to is a matter of the time zone.
So a night when the clocks change counts as long as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import Connection, select

from knownface.errors import EventsError
from knownface.events.sighting_queries import conditions
from knownface.events.values import SightingFilter
from knownface.gallery import Person
from knownface.gallery.consents import permitted
from knownface.gallery.people import list_people
from knownface.storage import Database
from knownface.storage.events_schema import sightings

MIDNIGHT = time()
LAST_YEAR = 9000

Interval = tuple[datetime, datetime]
"""From when to when, timezone-aware."""


@dataclass(frozen=True, slots=True)
class WorkDay:
    """A person's day.

    Attributes:
        day: The date on which it began, in the time zone asked for.
        present: When the person was there: UTC, ascending, with the breaks between them.
    """

    day: date
    present: tuple[Interval, ...]

    @property
    def first_in(self) -> datetime:
        """When the person came, UTC."""
        return self.present[0][0]

    @property
    def last_out(self) -> datetime:
        """When the person was last seen, UTC."""
        return self.present[-1][1]

    @property
    def breaks(self) -> tuple[Interval, ...]:
        """When the person was away in between, UTC."""
        return tuple((one[1], other[0]) for one, other in zip(self.present, self.present[1:], strict=False))

    @property
    def away(self) -> timedelta:
        """How long the breaks were."""
        return sum((back - left for left, back in self.breaks), timedelta())

    @property
    def worked(self) -> timedelta:
        """From first in to last out, less the breaks."""
        return sum((left - came for came, left in self.present), timedelta())


@dataclass(frozen=True, slots=True)
class WorkWeek:
    """A person's week.

    Attributes:
        year: Of ISO 8601, which may differ from the calendar's in the first and last days of a year.
        week: Of ISO 8601, 1 to 53; it begins on Monday.
        days: How many days the person was there.
        worked: In all.
    """

    year: int
    week: int
    days: int
    worked: timedelta


def work_days(
    stays: Iterable[Interval],
    zone: tzinfo | None = None,
    *,
    breaks_after: timedelta | None = None,
    day_starts: time = MIDNIGHT,
) -> list[WorkDay]:
    """The days of one person.

    Args:
        stays: When the person was seen, in any order; they may overlap.
        zone: In which days begin; None is this machine's own.
        breaks_after: Who is not seen for longer than this was away. None counts no breaks, but from first in to last
            out: right for a camera at the door, that sees people come and go only.
        day_starts: When a day begins, such as 12:00 where people work at night. What lasts beyond it is split.

    Returns:
        The days on which the person was seen, ascending.
    """
    parts: dict[date, list[Interval]] = {}
    for came, left in _merged(stays, breaks_after or timedelta()):
        for day, interval in _split_by_day(came, left, zone, day_starts):
            parts.setdefault(day, []).append(interval)
    days = [WorkDay(day, tuple(present)) for day, present in sorted(parts.items())]
    if breaks_after is not None:
        return days
    return [WorkDay(day.day, ((day.first_in, day.last_out),)) for day in days]


def work_weeks(days: Iterable[WorkDay]) -> list[WorkWeek]:
    """The weeks of one person's days, ascending."""
    of_week: dict[tuple[int, int], list[WorkDay]] = {}
    for day in days:
        year, week, _ = day.day.isocalendar()
        of_week.setdefault((year, week), []).append(day)
    return [
        WorkWeek(year, week, len(own), sum((day.worked for day in own), timedelta()))
        for (year, week), own in sorted(of_week.items())
    ]


def read_hours(
    database: Database,
    first_day: date,
    last_day: date,
    *,
    where: SightingFilter | None = None,
    zone: tzinfo | None = None,
    breaks_after: timedelta | None = None,
    day_starts: time = MIDNIGHT,
) -> list[tuple[Person, list[WorkDay]]]:
    """The working hours of everybody who was seen, in the order of their names.

    Args:
        database: The gallery's.
        first_day: The first day counted.
        last_day: The last one.
        where: Whose sightings, and of which source; everybody's where it is None.
        zone: As for :func:`work_days`.
        breaks_after: The same, at most a day.
        day_starts: The same.

    Raises:
        EventsError: The last day is before the first, or a number makes no sense.
        UnknownPersonError: Nobody has the name given.
    """
    if last_day < first_day:
        raise EventsError(f"The last day, {last_day}, is before the first, {first_day}.", "Exchange them.")
    if first_day.year < 1970 or last_day.year > LAST_YEAR:
        raise EventsError(f"{first_day} to {last_day} lies outside 1970 to {LAST_YEAR}.", "Give other days.")
    if breaks_after is not None and not timedelta() < breaks_after <= timedelta(days=1):
        raise EventsError("A break is longer than 0 minutes and at most a day.", "Give minutes from 1 to 1440.")
    begin = _begin(first_day, zone, day_starts)
    end = _begin(last_day + timedelta(days=1), zone, day_starts)
    # A little more on either side: a stay that is bridged over the edge is split there.
    with database.reading() as connection:
        stays = _read_stays(connection, where or SightingFilter(), begin - timedelta(days=1), end + timedelta(days=1))
        by_id = {person.id: person for person in list_people(connection)}
    hours = [
        (by_id[person_id], [day for day in days if first_day <= day.day <= last_day])
        for person_id, own in stays.items()
        if person_id in by_id
        for days in [work_days(own, zone, breaks_after=breaks_after, day_starts=day_starts)]
    ]
    return sorted(((person, days) for person, days in hours if days), key=lambda pair: pair[0].name.casefold())


def _read_stays(
    connection: Connection, where: SightingFilter, begin: datetime, end: datetime
) -> dict[int, list[Interval]]:
    """By person id, when everybody was seen who was."""
    columns = (sightings.c.person_id, sightings.c.first_seen, sightings.c.last_seen)
    stays: dict[int, list[Interval]] = {}
    query = select(*columns).where(
        conditions(connection, where),
        sightings.c.person_id.is_not(None),
        sightings.c.last_seen >= begin,
        sightings.c.first_seen < end,
        permitted(connection, sightings.c.person_id, "attendance"),
    )
    for person_id, came, left in connection.execute(query):
        stays.setdefault(person_id, []).append((came, left))
    return stays


def _merged(stays: Iterable[Interval], gap: timedelta) -> list[Interval]:
    """Stays that overlap, or follow each other within ``gap``, made one; ascending, UTC."""
    merged: list[Interval] = []
    for came, left in sorted((came.astimezone(UTC), left.astimezone(UTC)) for came, left in stays):
        if merged and came - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], left))
        else:
            merged.append((came, left))
    return merged


def _split_by_day(
    came: datetime, left: datetime, zone: tzinfo | None, day_starts: time
) -> Sequence[tuple[date, Interval]]:
    day = _day_of(came, zone, day_starts)
    parts: list[tuple[date, Interval]] = []
    while (end := _begin(day + timedelta(days=1), zone, day_starts)) < left:
        if end > came:
            parts.append((day, (came, end)))
        came, day = max(came, end), day + timedelta(days=1)
    return [*parts, (day, (came, left))]


def _day_of(instant: datetime, zone: tzinfo | None, day_starts: time) -> date:
    day = instant.astimezone(zone).date()
    # Where the clocks change at the border of the day, the calendar's date can be one off.
    while _begin(day, zone, day_starts) > instant:
        day -= timedelta(days=1)
    while _begin(day + timedelta(days=1), zone, day_starts) <= instant:
        day += timedelta(days=1)
    return day


def _begin(day: date, zone: tzinfo | None, day_starts: time) -> datetime:
    """When a day begins, UTC. Where the clocks leap over that moment, it is the moment after the leap."""
    return datetime.combine(day, day_starts, tzinfo=zone).astimezone(UTC)
