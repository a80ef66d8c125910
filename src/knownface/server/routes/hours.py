"""Working hours: first in, last out and breaks, from what was seen."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from fastapi import Depends, Query, Request, Response

from knownface.errors import BadRequestError, EventsError, MissingExtraError, UnknownPersonError
from knownface.events import SightingFilter, read_hours
from knownface.events.hours import WorkDay
from knownface.events.rules import time_of_day
from knownface.events.sheets import days_table, weeks_table
from knownface.gallery import Person
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.common import CallerDep, ServiceDep, asked_source, read_zone
from knownface.server.routes.seen import XLSX, file_answer
from knownface.server.schemas.attendance import HoursSchema
from knownface.storage import Database
from knownface.tables import csv_text, plain, write_xlsx

router = guarded_router("attendance")

_ERRORS = errors(EventsError, UnknownPersonError)


@dataclass(frozen=True, slots=True)
class HoursQuery:
    """Whose hours are asked for, and how they are counted."""

    first_day: date
    last_day: date
    zone: tzinfo
    where: SightingFilter
    breaks_after: timedelta | None
    day_starts: str

    def read(self, database: Database) -> list[tuple[Person, list[WorkDay]]]:
        """The hours.

        Raises:
            EventsError: The days make no sense.
            UnknownPersonError: There is nobody of this id.
        """
        return read_hours(
            database,
            self.first_day,
            self.last_day,
            where=self.where,
            zone=self.zone,
            breaks_after=self.breaks_after,
            day_starts=time_of_day(self.day_starts),
        )


async def _hours_query(
    request: Request,
    first_day: Annotated[date, Query(description="The first day counted.")],
    last_day: Annotated[date | None, Query(description="The last one; without it, today.")] = None,
    time_zone: Annotated[
        str, Query(max_length=100, description="In which days begin and end, such as `Europe/Berlin`.")
    ] = "UTC",
    breaks_after: Annotated[
        int | None,
        Query(
            ge=1,
            le=1440,
            description="Minutes: who is not seen for longer was away. Without it all from first in to last out "
            "counts, which is right for a camera at the door.",
        ),
    ] = None,
    day_starts: Annotated[
        str, Query(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="When a day begins, as for night shifts.")
    ] = "00:00",
    person_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    group: Annotated[str | None, Query(max_length=400)] = None,
    source: Annotated[str | None, Query(max_length=1000, description="Only what was seen there.")] = None,
) -> HoursQuery:
    for text in (group, source):
        if text is not None and "\0" in text:
            raise BadRequestError("A text with a zero byte finds nothing.")
    zone = read_zone(time_zone)
    return HoursQuery(
        first_day=first_day,
        last_day=last_day or datetime.now(zone).date(),
        zone=zone,
        where=SightingFilter(person=person_id, group=group, source=await asked_source(request, source)),
        breaks_after=None if breaks_after is None else timedelta(minutes=breaks_after),
        day_starts=day_starts,
    )


HoursQueryDep: TypeAlias = Annotated[HoursQuery, Depends(_hours_query)]


@router.get("/hours", dependencies=needs("viewer"), responses=_ERRORS, summary="Add up working hours")
def read_all(service: ServiceDep, asked: HoursQueryDep) -> list[HoursSchema]:
    """When everybody who was seen came and left, day by day, and how long they were there."""
    return [HoursSchema.of(person, days) for person, days in asked.read(service.database)]


@router.get(
    "/hours/export",
    dependencies=needs("operator"),
    responses={
        **errors(EventsError, UnknownPersonError, MissingExtraError),
        200: {"content": {"text/csv": {}, XLSX: {}}},
    },
    response_class=Response,
    summary="Export working hours",
)
def export_all(
    service: ServiceDep,
    caller: CallerDep,
    asked: HoursQueryDep,
    form: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "csv",
    by: Annotated[Literal["day", "week"], Query(description="CSV holds one of the two; Excel both.")] = "day",
) -> Response:
    """The same as CSV, or as an Excel file with a sheet of days and one of weeks."""
    found = asked.read(service.database)
    days, weeks = days_table(found, asked.zone), weeks_table(found)
    service.audit.note(caller.actor, "hours.export", rows=len(days.rows))
    if form == "csv":
        return file_answer(csv_text(*plain(days if by == "day" else weeks)), "hours.csv", "text/csv; charset=utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hours.xlsx"
        write_xlsx(path, {"Days": days, "Weeks": weeks})
        return file_answer(path.read_bytes(), "hours.xlsx", XLSX)
