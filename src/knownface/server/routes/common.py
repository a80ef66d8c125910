"""What several groups of routes take and answer."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, tzinfo
from typing import Annotated, TypeAlias, cast

from fastapi import Depends, Query, Request, Response

from knownface.errors import BadRequestError
from knownface.events.rules import find_zone
from knownface.server.access import Caller
from knownface.server.context import Service, service_of
from knownface.server.schemas.common import short_source

# These are coroutines since FastAPI calls plain functions on a thread, which costs a request a millisecond.


async def _service(request: Request) -> Service:
    return service_of(request)


async def _caller(request: Request) -> Caller:
    return cast("Caller", request.state.caller)  # the route's guard put it there


ServiceDep: TypeAlias = Annotated[Service, Depends(_service)]
CallerDep: TypeAlias = Annotated[Caller, Depends(_caller)]


async def _zone(
    time_zone: Annotated[str, Query(max_length=100, description="Of the times told, such as `Europe/Berlin`.")] = "UTC",
) -> tzinfo:
    return read_zone(time_zone)


ZoneDep: TypeAlias = Annotated[tzinfo, Depends(_zone)]


def read_zone(name: str) -> tzinfo:
    """The time zone of a name.

    Raises:
        BadRequestError: There is none.
    """
    try:
        return find_zone(name)
    except ValueError as error:
        raise BadRequestError(f"There is no time zone {name[:100]!r}.", "Say it as Europe/Berlin.") from error


def sources_called(service: Service, name: str | None) -> str | tuple[str, ...] | None:
    """Sources by the name that they are told by, which of a file has no path of the server's: all that have it."""
    if name is None:
        return None
    return tuple(source for source in service.sightings.sources() if name in {source, short_source(source)}) or name


async def asked_source(request: Request, name: str | None) -> str | tuple[str, ...] | None:
    """The same on a thread, for dependencies."""
    return None if name is None else await asyncio.to_thread(sources_called, service_of(request), name)


def as_utc(moment: datetime | None) -> datetime | None:
    """A moment without a time zone is one of UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def picture_answer(request: Request, jpeg: bytes) -> Response:
    """A JPEG, or 304 where the browser has it already; browsers ask every time, so that what is deleted is gone."""
    tag = f'"{hashlib.sha256(jpeg).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type="image/jpeg", headers=headers)
