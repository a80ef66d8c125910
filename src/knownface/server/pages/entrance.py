"""Coming in: the way to the first page, and signing in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from knownface.server.access import cookie_name
from knownface.server.context import service_of
from knownface.server.pages.render import page

router = APIRouter()


@router.get("/")
def home() -> Response:
    """The first page is the live one: a newcomer can name a face there at once."""
    return RedirectResponse("/live", 303)


@router.get("/sign-in")
def sign_in(request: Request, next_page: Annotated[str, Query(alias="next", max_length=500)] = "/") -> Response:
    """The form that begins a browser session; a kiosk is left with its PIN first."""
    service, session = service_of(request), request.cookies.get(cookie_name(request))
    key = service.authenticator.by_session(session) if session else None
    if key is not None and key.role == "device":
        return RedirectResponse("/kiosk", 303)
    return page(request, "sign_in.html", next=next_page)
