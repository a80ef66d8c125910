"""Attendance and check-in: sessions opened, read, marked, closed, exported."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from fastapi import File, Query, Response, UploadFile

from knownface.errors import (
    BadNameError,
    BusyError,
    EventsError,
    InputError,
    MissingExtraError,
    SessionOpenError,
    TooLargeError,
    UnknownPersonError,
)
from knownface.errors import UnknownSessionError as UnknownError
from knownface.events import (
    close_session,
    delete_session,
    list_sessions,
    mark,
    mark_photographed,
    open_session,
    read_guests,
    report_session,
)
from knownface.events.attendance import find_names
from knownface.events.sheets import moodle_table, session_table
from knownface.server import uploads
from knownface.server.access import LARGE_BODY, guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.looking import LookingDep
from knownface.server.routes.common import CallerDep, ServiceDep, ZoneDep, as_utc
from knownface.server.routes.faces import batch_items, check_count
from knownface.server.routes.seen import XLSX, file_answer
from knownface.server.schemas.attendance import (
    AttendanceSessionSchema,
    GuestSchema,
    Mark,
    NewSession,
    PhotographedSchema,
    ReportSchema,
)
from knownface.server.schemas.common import Cursor, Limit, Number, Page, SearchText, cursor_after, read_number_cursor
from knownface.tables import csv_text, plain, write_xlsx

router = guarded_router("attendance")

_GONE = errors(UnknownError)
_TOP = 1


@router.get("/attendance", dependencies=needs("viewer"), responses=errors(), summary="List sessions")
def list_all(service: ServiceDep, cursor: Cursor = None, limit: Limit = 50) -> Page[AttendanceSessionSchema]:
    """Every session, the newest first."""
    now = datetime.now(UTC)
    found = list_sessions(service.database, below=read_number_cursor(cursor), limit=limit + 1)
    rest = cursor_after(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[AttendanceSessionSchema.of(session, now) for session in found[:limit]], next=rest)


@router.post(
    "/attendance",
    dependencies=[*needs("operator"), LARGE_BODY],
    status_code=201,
    responses=errors(SessionOpenError, UnknownPersonError, EventsError, BadNameError),
    summary="Open a session",
)
def open_one(service: ServiceDep, caller: CallerDep, wanted: NewSession, response: Response) -> AttendanceSessionSchema:
    """Opens a session; who comes is read from what cameras see. `POST /v1/guests` reads a guest list's CSV."""
    session = open_session(
        service.database,
        wanted.name,
        people=list(service.gallery.names) if wanted.everybody else wanted.people,
        group=wanted.group,
        guests=[guest.guest() for guest in wanted.guests],
        sources=wanted.sources,
        grace=timedelta(minutes=wanted.grace_minutes),
        start=as_utc(wanted.start),
        until=as_utc(wanted.until),
    )
    service.audit.note(caller.actor, "attendance.open", session.id)
    response.headers["Location"] = f"/v1/attendance/{session.id}"
    return AttendanceSessionSchema.of(session, datetime.now(UTC))


@router.post("/guests", dependencies=needs("operator"), responses=errors(InputError), summary="Read a guest list")
def read_list(
    service: ServiceDep, list_file: Annotated[UploadFile, File(alias="file", description="CSV with a column `name`.")]
) -> list[GuestSchema]:
    """Reads a CSV with the columns `name`, `external_id` if there is one, and any others; nothing is stored."""
    label = uploads.label_of(list_file) or "guests.csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "guests.csv"
        path.write_bytes(uploads.content_of(list_file, service))
        try:
            guests = read_guests(path)
        except InputError as error:
            error.message = error.message.replace(str(path), label)
            raise
    return [GuestSchema(name=g.name, external_id=g.external_id, facts=dict(g.facts)) for g in guests]


@router.get("/attendance/{session_id}", dependencies=needs("viewer"), responses=_GONE, summary="Read a session")
def read_one(service: ServiceDep, session_id: Number) -> ReportSchema:
    """Who is present, late, expected or absent, and how many strangers were seen."""
    return ReportSchema.of(report_session(service.database, session_id))


@router.get(
    "/attendance/{session_id}/names", dependencies=needs("viewer"), responses=errors(), summary="Find who is expected"
)
def find_expected(service: ServiceDep, session_id: Number, search: SearchText = None, limit: Limit = 20) -> list[str]:
    """Names of the session's list that hold a text, for a field in which one is typed."""
    return find_names(service.database, session_id, search or "", limit)


@router.post(
    "/attendance/{session_id}/close", dependencies=needs("operator"), responses=_GONE, summary="Close a session"
)
def close_one(service: ServiceDep, caller: CallerDep, session_id: Number) -> ReportSchema:
    """Closes a session and writes down who came."""
    close_session(service.database, session_id)
    service.audit.note(caller.actor, "attendance.close", session_id)
    return ReportSchema.of(report_session(service.database, session_id))


@router.post(
    "/attendance/{session_id}/mark",
    dependencies=needs("operator"),
    responses=errors(UnknownError, UnknownPersonError, BadNameError),
    summary="Mark somebody by hand",
)
def mark_one(service: ServiceDep, caller: CallerDep, session_id: Number, wanted: Mark) -> ReportSchema:
    """Says that somebody has come, or has not; it counts more than what was seen."""
    report = mark(service.database, session_id, wanted.name, absent=wanted.absent, walk_in=wanted.walk_in)
    service.audit.note(caller.actor, "attendance.mark", session_id, absent=wanted.absent)
    return ReportSchema.of(report)


@router.post(
    "/attendance/{session_id}/photos",
    dependencies=needs("operator"),
    responses=errors(UnknownError, BusyError, TooLargeError),
    summary="Mark everybody on photos",
)
async def mark_photos(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    session_id: Number,
    pictures: Annotated[list[UploadFile], File(description="Of those who are there, such as one of a class.")],
) -> PhotographedSchema:
    """Says that everybody who is recognised on the photos has come. Faces that nobody could decide have no name."""
    check_count(service, pictures)
    report_session(service.database, session_id)
    found = await looking.at_each(partial(uploads.identify_or_error, service, _TOP, False), pictures)
    people = [face.decision.person_id for upload in found for face in upload.found]
    named = [person for person in people if person is not None]
    done = await asyncio.to_thread(mark_photographed, service.database, session_id, named)
    service.audit.note(caller.actor, "attendance.photos", session_id, pictures=len(pictures), came=len(done.came))
    return PhotographedSchema(
        came=list(done.came),
        there=list(done.there),
        denied=list(done.denied),
        pictures=batch_items(pictures, found, _TOP),
        report=ReportSchema.of(done.report),
    )


@router.delete(
    "/attendance/{session_id}",
    dependencies=needs("operator"),
    status_code=204,
    responses=_GONE,
    summary="Delete a session",
)
def delete_one(service: ServiceDep, caller: CallerDep, session_id: Number) -> None:
    """Deletes a session with its list and marks; the sightings stay."""
    delete_session(service.database, session_id)
    service.audit.note(caller.actor, "attendance.delete", session_id)


@router.get(
    "/attendance/{session_id}/export",
    dependencies=needs("operator"),
    responses={**errors(UnknownError, EventsError, MissingExtraError), 200: {"content": {"text/csv": {}, XLSX: {}}}},
    response_class=Response,
    summary="Export a session",
)
def export_one(
    service: ServiceDep,
    caller: CallerDep,
    session_id: Number,
    zone: ZoneDep,
    form: Annotated[Literal["csv", "xlsx", "moodle"], Query(alias="format")] = "csv",
    user_column: Annotated[
        str | None, Query(max_length=100, description="Of the guest list, by which Moodle knows its users.")
    ] = None,
) -> Response:
    """The report as CSV, as an Excel file, or as the CSV that Moodle's attendance import takes.

    Moodle knows its users by `user_column`; without it, by external ids. Who has none is left out.
    """
    report = report_session(service.database, session_id)
    table = moodle_table(report, user_column or None)[0] if form == "moodle" else session_table(report, zone)
    name = f"attendance-{session_id}"
    content: str | bytes = csv_text(*plain(table))
    if form == "xlsx":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "attendance.xlsx"
            write_xlsx(path, {"Attendance": table})
            content = path.read_bytes()
    service.audit.note(caller.actor, "attendance.export", session_id, rows=len(table.rows))
    kind = XLSX if form == "xlsx" else "text/csv; charset=utf-8"
    return file_answer(content, f"{name}.{'xlsx' if form == 'xlsx' else 'csv'}", kind)
