"""The screen at the door: a camera, and a greeting for whoever arrives."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from knownface.errors import NotFoundError
from knownface.server.access import keep_cookie
from knownface.server.context import service_of
from knownface.server.pages.render import PageRoute, page, pages_router


class KioskRoute(PageRoute):
    """A page for keys of the role ``device``, whose only one it is."""

    role = "device"


router = pages_router(KioskRoute)


@router.get("/kiosk")
def kiosk(request: Request) -> Response:
    """The kiosk that the caller's key opens; the browser stays signed in for as long again."""
    service, caller = service_of(request), request.state.caller
    if caller.role != "device":
        return RedirectResponse("/attendance", 303)
    try:
        found = service.kiosks.of_key(caller.actor.key_id)
    except NotFoundError:
        return page(request, "kiosk_none.html")
    drawn = page(request, "kiosk.html", kiosk=found)
    if caller.session:
        service.sessions.renew(caller.session, caller.role)
        keep_cookie(request, drawn, caller.session, service.sessions.hours(caller.role))
    return drawn
