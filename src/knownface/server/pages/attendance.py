"""Attendance and check-in: sessions, and who came."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Request, Response

from knownface.events import list_sessions, report_session
from knownface.server.context import service_of
from knownface.server.pages.render import page, pages_router
from knownface.server.schemas.common import Number

router = pages_router()

_SHOWN = 200


@router.get("/attendance")
def sessions(request: Request) -> Response:
    """Every session, those that are open first."""
    service, now = service_of(request), datetime.now(UTC)
    found = list_sessions(service.database)[:_SHOWN]
    return page(
        request,
        "attendance.html",
        "attendance",
        open_ones=[
            (session, report_session(service.database, session.id)) for session in found if session.is_open(now)
        ],
        closed_ones=[session for session in found if not session.is_open(now)],
        groups=service.gallery.groups(),
        anybody=len(service.gallery.names) > 0,
        sources=service.sightings.sources(),
    )


@router.get("/attendance/{session_id}")
def session(request: Request, session_id: Number) -> Response:
    """One session: who is present, late, absent."""
    service = service_of(request)
    report = report_session(service.database, session_id)
    return page(
        request,
        "session.html",
        "attendance",
        report=report,
        session=report.session,
        is_open=report.session.is_open(datetime.now(UTC)),
        devices=[key for key in service.keys.all() if key.role == "device" and key.valid(datetime.now(UTC))],
    )
