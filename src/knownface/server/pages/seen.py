"""Who was seen: the Unknowns that have no name yet, and the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from knownface.errors import BadRequestError, UnknownPersonError
from knownface.events import Sighting, SightingFilter, count_pending, list_pending
from knownface.events.unknowns import group_unknowns
from knownface.server.context import service_of
from knownface.server.pages.notes import accuracy_note
from knownface.server.pages.render import address_with, language_of, page, pages_router, problem_text
from knownface.server.routes.common import sources_called
from knownface.server.schemas.common import short_source

router = pages_router()

_PAGE = 100
_GROUPS = 50


@router.get("/unknowns")
def unknowns(
    request: Request,
    dismissed: bool = False,
    search: Annotated[str, Query(max_length=200)] = "",
    below: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Unknowns, grouped by likeness, a page at a time."""
    service = service_of(request)
    where = SightingFilter(unknown=True, dismissed=dismissed)
    every = group_unknowns(service.gallery, service.recognizer.rule.threshold, where)
    meant = [group for group in every if not search or group.fits(search)]
    left = [group for group in meant if below is None or group.newest < below]
    return page(
        request,
        "unknowns.html",
        "unknowns",
        groups=left[:_GROUPS],
        total=len(meant),
        anybody=len(every) > 0,
        more=address_with(request, below=left[_GROUPS - 1].newest) if len(left) > _GROUPS else None,
        first=None if below is None else address_with(request, below=None),
        search=search,
        dismissed=dismissed,
        settings=service.recognizer.settings,
    )


@router.get("/log")
def log(
    request: Request,
    person: Annotated[str, Query(max_length=400)] = "",
    who: Annotated[str, Query(max_length=20)] = "",
    source: Annotated[str, Query(max_length=2000)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[str, Query(max_length=40)] = "",
    below: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Sightings, the newest first, as the filters say."""
    service = service_of(request)
    asked = {"person": person, "who": who, "source": source, "after": after, "before": before}
    nobody = ""
    found: list[Sighting] = []
    where = SightingFilter(
        unknown={"known": False, "unknown": True}.get(who),
        source=sources_called(service, source or None),
        after=_moment(after),
        before=_moment(before),
    )
    try:
        where = replace(where, person=service.gallery.person(person).id if person else None)
        found = service.sightings.find(where, limit=_PAGE + 1, below=below)
    except UnknownPersonError as error:
        nobody = problem_text(language_of(request), error.code, error.message)
    return page(
        request,
        "log.html",
        "log",
        sightings=found[:_PAGE],
        nobody=nobody,
        sources=sorted({short_source(one) for one in service.sightings.sources()}),
        asked=asked,
        filtered=any(asked.values()),
        more=address_with(request, below=found[_PAGE - 1].id) if len(found) > _PAGE else None,
        first=None if below is None else address_with(request, below=None),
        exported=_as_query(where, source),
        accuracy=accuracy_note(request),
        waiting=count_pending(service.database),
        retention=service.sightings.retention,
        threshold=service.recognizer.rule.threshold,
    )


@router.get("/log/alerts")
def alerts(
    request: Request, decided: bool = False, beyond: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> Response:
    """Alerts that wait for people, or those that nobody let out, a page at a time."""
    service = service_of(request)
    found = list_pending(service.database, decided=decided, beyond=beyond, limit=_PAGE + 1)
    return page(
        request,
        "pending_alerts.html",
        "log",
        alerts=found[:_PAGE],
        waiting=count_pending(service.database),
        first=None if beyond is None else address_with(request, beyond=None),
        more=address_with(request, beyond=found[_PAGE - 1].alert.id) if len(found) > _PAGE else None,
        accuracy=accuracy_note(request),
        decided=decided,
        threshold=service.recognizer.rule.threshold,
    )


def _moment(text: str) -> datetime | None:
    """A time that a script of the page wrote, with its zone; or a day or time without one, which is UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError(f"{text!r} is no time.", "Write it such as 2026-03-01T09:30.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_query(where: SightingFilter, source: str) -> str:
    """What is shown, as parameters of the route that exports it."""
    asked = {
        "person_id": where.person,
        "unknown": None if where.unknown is None else str(where.unknown).lower(),
        "source": source or None,
        "after": where.after and where.after.isoformat(),
        "before": where.before and where.before.isoformat(),
    }
    return urlencode({name: value for name, value in asked.items() if value is not None})
