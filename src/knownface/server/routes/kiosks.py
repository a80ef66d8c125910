"""Kiosks: set up by an operator, opened with a key of the role ``device``, left with a PIN."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from knownface.errors import BadNameError, BadRequestError, NotFoundError, RateLimitedError, WrongPinError
from knownface.errors import UnknownSessionError as UnknownError
from knownface.events import report_session
from knownface.server.access import drop_cookie, guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.kiosks import Kiosk, pin_fits
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.common import Number
from knownface.server.schemas.kiosks import KioskSchema, KioskScreen, Leaving, NewKiosk
from knownface.server.schemas.service import KeySchema, KeyWithToken

router = guarded_router("attendance")


@router.post(
    "/attendance/{session_id}/kiosks",
    dependencies=needs("operator"),
    status_code=201,
    responses=errors(UnknownError, NotFoundError, BadNameError, BadRequestError),
    summary="Set up a kiosk",
)
def set_up(service: ServiceDep, caller: CallerDep, session_id: Number, wanted: NewKiosk) -> KioskSchema:
    """Sets up the screen at a door: what it sees counts in this session only, and it is left with its PIN only.

    It is opened at `/kiosk` with its key, which opens nothing else there. With `key_id` a screen that hangs at a door
    changes to this session by itself.
    """
    kiosk, made = service.kiosks.set_up(session_id, wanted.place, wanted.pin, wanted.key_id)
    service.authenticator.refresh()
    service.audit.note(caller.actor, "kiosk.set-up", session_id, kiosk=kiosk.id, key=kiosk.key_id)
    return KioskSchema(
        id=kiosk.id,
        session_id=kiosk.session_id,
        source=kiosk.source,
        key_id=kiosk.key_id,
        made=None if made is None else KeyWithToken(key=KeySchema.model_validate(made.key), token=made.token),
    )


@router.get("/kiosk", dependencies=needs("device"), responses=errors(NotFoundError), summary="Read what a kiosk shows")
def read_screen(service: ServiceDep, caller: CallerDep) -> KioskScreen:
    """Who has come to the session of the kiosk that the caller's key opens, and how they are greeted."""
    kiosk = service.kiosks.of_key(caller.actor.key_id)
    return KioskScreen.of(kiosk, report_session(service.database, _session_of(kiosk)))


@router.post(
    "/kiosk/leave",
    dependencies=needs("device"),
    status_code=204,
    responses=errors(NotFoundError, RateLimitedError),
    summary="Leave a kiosk",
)
async def leave(service: ServiceDep, caller: CallerDep, request: Request, wanted: Leaving, response: Response) -> None:
    """Ends the browser session of a kiosk, if the PIN is right. Five may be tried at once, then one a minute."""
    kiosk = await run_in_threadpool(service.kiosks.of_key, caller.actor.key_id)
    wait = service.pin_tries.take(str(kiosk.id))
    if wait:
        raise RateLimitedError("Too many wrong PINs.", "Wait a minute, then try again.", retry_after=wait)
    fits = await run_in_threadpool(pin_fits, wanted.pin, kiosk.pin)
    await run_in_threadpool(service.audit.note, caller.actor, "kiosk.leave", kiosk.session_id, left=fits)
    if not fits:
        raise WrongPinError("This is not the PIN of this kiosk.")
    if caller.session:
        await run_in_threadpool(service.sessions.end, caller.session)
        await run_in_threadpool(service.authenticator.refresh)
    drop_cookie(request, response)


def _session_of(kiosk: Kiosk) -> int:
    if kiosk.session_id is None:
        raise NotFoundError("The session of this kiosk was deleted.", "Set the kiosk up again, for another session.")
    return kiosk.session_id
