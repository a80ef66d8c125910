"""Attendance and check-in: sessions, and who came."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from knownface.events import SightingFilter, list_sessions, report_session
from knownface.server.context import service_of
from knownface.server.pages.notes import accuracy_note
from knownface.server.pages.render import address_with, page, pages_router
from knownface.server.routes.common import read_zone
from knownface.server.routes.hours import HoursQuery
from knownface.server.schemas.common import Number

router = pages_router()

_SHOWN = 100
_ATTENDEES = 100


@router.get("/attendance")
def sessions(request: Request, below: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None) -> Response:
    """Those that are open, then those that are over, a page at a time."""
    service, now = service_of(request), datetime.now(UTC)
    open_ones = list_sessions(service.database, open_at=now) if below is None else []
    found = list_sessions(service.database, below=below, limit=_SHOWN + 1)
    return page(
        request,
        "attendance.html",
        "attendance",
        open_ones=[(session, report_session(service.database, session.id)) for session in open_ones],
        closed_ones=[session for session in found[:_SHOWN] if not session.is_open(now)],
        more=address_with(request, below=found[_SHOWN - 1].id) if len(found) > _SHOWN else None,
        first=None if below is None else address_with(request, below=None),
        groups=service.gallery.groups(),
        anybody=len(service.gallery.names) > 0,
        sources=service.sightings.sources(),
    )


@router.get("/attendance/hours")
def hours(
    request: Request,
    first_day: Annotated[date | None, Query()] = None,
    last_day: Annotated[date | None, Query()] = None,
    group: Annotated[str, Query(max_length=400)] = "",
    breaks_after: Annotated[str, Query(pattern="^[0-9]{0,4}$")] = "",
    time_zone: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Working hours: first in, last out, day by day; of the last week, where nothing is asked for."""
    service, zone = service_of(request), read_zone(time_zone or "UTC")
    today = datetime.now(zone).date()
    asked = HoursQuery(
        first_day=first_day or today - timedelta(days=6),
        last_day=last_day or today,
        zone=zone,
        where=SightingFilter(group=group or None),
        breaks_after=timedelta(minutes=int(breaks_after)) if breaks_after.strip("0") else None,
        day_starts="00:00",
    )
    parameters = {
        "first_day": asked.first_day.isoformat(),
        "last_day": asked.last_day.isoformat(),
        **({"group": group} if group else {}),
        **({"breaks_after": breaks_after} if asked.breaks_after else {}),
    }
    return page(
        request,
        "hours.html",
        "attendance",
        hours=asked.read(service.database),
        asked=asked,
        breaks=breaks_after,
        zone=time_zone,
        groups=service.gallery.groups(),
        exported=urlencode(parameters),
    )


@router.get("/attendance/{session_id}")
def session(
    request: Request,
    session_id: Number,
    search: Annotated[str, Query(max_length=200)] = "",
    start: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Response:
    """One session: who is present, late, absent; a page at a time."""
    service = service_of(request)
    report = report_session(service.database, session_id)
    sought = search.strip().casefold()
    meant = [one for one in report.attendees if sought in one.name.casefold() or sought == one.external_id]
    return page(
        request,
        "session.html",
        "attendance",
        report=report,
        session=report.session,
        is_open=report.session.is_open(datetime.now(UTC)),
        devices=[key for key in service.keys.all() if key.role == "device" and key.valid(datetime.now(UTC))],
        attendees=meant[start : start + _ATTENDEES],
        search=search,
        accuracy=accuracy_note(request),
        searchable=len(report.attendees) > _ATTENDEES // 2,
        first=address_with(request, start=None) if start else None,
        more=address_with(request, start=start + _ATTENDEES) if len(meant) > start + _ATTENDEES else None,
    )
