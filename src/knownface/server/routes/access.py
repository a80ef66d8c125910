"""Keys, browser sessions and the audit log."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query, Request, Response

from knownface.errors import BadNameError, ForbiddenError, NoKeyError, UnknownKeyError
from knownface.law.audit import Actor
from knownface.server.access import check_origin, drop_cookie, guarded_router, keep_cookie, needs
from knownface.server.context import signed_in_service
from knownface.server.error_responses import errors
from knownface.server.keys import Key, NewKey
from knownface.server.routes.common import CallerDep, ServiceDep, as_utc
from knownface.server.schemas.common import Cursor, Limit, Number, Page, cursor_after, read_number_cursor
from knownface.server.schemas.service import (
    AuditSchema,
    BrowserSessionSchema,
    KeyRequest,
    KeySchema,
    KeyWithToken,
    Login,
)
from knownface.server.sessions import csrf_token

router = guarded_router("access")

_GONE = errors(UnknownKeyError)


@router.post(
    "/session",
    dependencies=needs("anyone"),
    status_code=201,
    responses=errors(NoKeyError, role=False),
    summary="Begin a browser session",
)
def begin_session(request: Request, login: Login, response: Response) -> BrowserSessionSchema:
    """Sets a cookie that stands for the key; the answer's `csrf` must come with every change."""
    check_origin(request)
    service = signed_in_service(request, login.key.strip())
    key = service.authenticator.by_token(login.key.strip())
    address = request.client.host if request.client else ""
    if key is None:
        service.tally.add(Actor(None, "", "none", address), "key.refused")
        raise NoKeyError("This is no valid key.")
    service.tally.add(Actor(key.id, key.name, key.role, address), "session.begin")
    token = service.sessions.begin(key)
    service.authenticator.refresh()
    keep_cookie(request, response, token, service.sessions.hours(key.role))
    return BrowserSessionSchema(name=key.name, role=key.role, csrf=csrf_token(token))


@router.get("/session", dependencies=needs("device"), responses=errors(), summary="Tell who is asking")
async def read_session(caller: CallerDep) -> BrowserSessionSchema:
    """The key's name and role, and for a browser session the token that changes need."""
    csrf = csrf_token(caller.session) if caller.session else None
    return BrowserSessionSchema(name=caller.actor.name, role=caller.role, csrf=csrf)


@router.delete(
    "/session", dependencies=needs("device"), status_code=204, responses=errors(), summary="End a browser session"
)
def end_session(service: ServiceDep, request: Request, caller: CallerDep, response: Response) -> None:
    """Ends the session and takes the cookie away; does nothing for a key. A kiosk is left with its PIN instead."""
    if caller.session:
        if caller.role == "device" and service.kiosks.has_key(caller.actor.key_id):
            raise ForbiddenError("This screen is a kiosk.", "Leave it with its PIN.")
        service.sessions.end(caller.session)
        service.tally.add(caller.actor, "session.end")
        service.authenticator.refresh()
    drop_cookie(request, response)


@router.get("/keys", dependencies=needs("admin"), responses=errors(), summary="List keys")
def list_keys(service: ServiceDep) -> list[KeySchema]:
    """Every key, revoked ones too; never a secret."""
    return [KeySchema.model_validate(key) for key in service.keys.all()]


@router.post(
    "/keys",
    dependencies=needs("admin"),
    status_code=201,
    responses=errors(BadNameError),
    summary="Make a key",
)
def create_key(service: ServiceDep, caller: CallerDep, wanted: KeyRequest, response: Response) -> KeyWithToken:
    """Makes a key and shows its secret, once."""
    expires = None if wanted.days is None else datetime.now(UTC) + timedelta(days=wanted.days)
    made = service.keys.create(wanted.name, wanted.role, expires)
    service.audit.note(caller.actor, "key.create", made.key.id, role=wanted.role)
    response.headers["Location"] = f"/v1/keys/{made.key.id}"
    return _with_token(service, made)


@router.get("/keys/{key_id}", dependencies=needs("admin"), responses=_GONE, summary="Read a key")
def read_key(service: ServiceDep, key_id: Number) -> KeySchema:
    """One key, without its secret."""
    return KeySchema.model_validate(service.keys.get(key_id))


@router.post("/keys/{key_id}/rotate", dependencies=needs("admin"), responses=_GONE, summary="Change a key's secret")
def rotate_key(service: ServiceDep, caller: CallerDep, key_id: Number) -> KeyWithToken:
    """Gives the key a new secret; the old one and its browser sessions are void at once."""
    made = service.keys.rotate(key_id)
    service.audit.note(caller.actor, "key.rotate", key_id)
    return _with_token(service, made)


@router.delete("/keys/{key_id}", dependencies=needs("admin"), responses=_GONE, summary="Revoke a key")
def revoke_key(service: ServiceDep, caller: CallerDep, key_id: Number) -> KeySchema:
    """Makes a key void for good, with its browser sessions. It stays in the list, for the audit log's sake."""
    key: Key = service.keys.revoke(key_id)
    service.authenticator.refresh()
    service.audit.note(caller.actor, "key.revoke", key_id)
    return KeySchema.model_validate(key)


@router.get("/audit", dependencies=needs("admin"), responses=errors(), summary="Read the audit log")
def read_audit(
    service: ServiceDep,
    cursor: Cursor = None,
    limit: Limit = 50,
    action: Annotated[str | None, Query(max_length=50, description="Such as `person.delete`; `person.`: all.")] = None,
    key_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    since: Annotated[datetime | None, Query(description="With its time zone; without one, UTC is meant.")] = None,
) -> Page[AuditSchema]:
    """Who enrolled, changed, deleted and exported what, the latest first. Numbers, no names of people."""
    page = service.audit.page(
        before=read_number_cursor(cursor), limit=limit + 1, action=action, key_id=key_id, since=as_utc(since)
    )
    rest = cursor_after(page[limit - 1].id) if len(page) > limit else None
    return Page(items=[AuditSchema.model_validate(asdict(entry)) for entry in page[:limit]], next=rest)


def _with_token(service: ServiceDep, made: NewKey) -> KeyWithToken:
    service.authenticator.refresh()
    return KeyWithToken(key=KeySchema.model_validate(made.key), token=made.token)
