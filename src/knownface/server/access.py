"""Authorisation: the role that each route needs, and protection of browser sessions against other sites.

Access is checked before a byte of the body is read. A route without a role cannot be made.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response, Security, UploadFile, params
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from knownface.errors import ForbiddenError, NoKeyError, RateLimitedError
from knownface.law.audit import Actor
from knownface.server.context import Service, service_of
from knownface.server.json_forms import JsonForm, encoded_size, is_json
from knownface.server.keys import Role, allows
from knownface.server.sessions import PLAIN_COOKIE, SECURE_COOKIE, csrf_token

CSRF_HEADER: Final = "X-CSRF-Token"
_READING = {"GET", "HEAD", "OPTIONS"}
_BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="An API key: `Authorization: Bearer kf_...`.")
_COOKIE = APIKeyCookie(
    name="knownface",
    auto_error=False,
    scheme_name="session",
    description="A browser session, begun by `POST /v1/session`; `__Host-knownface` under TLS. Changes need the header "
    f"`{CSRF_HEADER}` as well.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request.

    Attributes:
        actor: Key, name, role and address, as the audit log takes it.
        role: Of the key.
        session: The token of the browser session, or None where the request brought a key.
    """

    actor: Actor
    role: Role
    session: str | None = None


def needs(role: Role | Literal["anyone"]) -> list[params.Depends]:
    """What a route says of who may use it: ``dependencies=needs("viewer")``."""
    if role == "anyone":
        return [Depends(_anyone)]
    return [Security(_BEARER, scopes=[role]), Security(_COOKIE, scopes=[role])]


async def _anyone() -> None:
    return None


class GuardedRoute(APIRoute):
    """A route that lets nobody in before the body is read, unless its role allows it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the check."""
        handler, role = super().get_route_handler(), _role_of(self)
        pictures, files = _pictures_of(self), _file_names_of(self)

        async def guarded(request: Request) -> Response:
            service = service_of(request)
            request.state.route = self.path
            if role != "anyone":
                caller = caller_of(request, role)
                wait = service.rates_by_key.take(str(caller.actor.key_id))
                if wait:
                    raise RateLimitedError("This key has sent too many requests.", retry_after=wait)
            as_json = bool(files) and is_json(request)
            request.state.body.limit = _body_limit(service, pictures, as_json)
            return await handler(JsonForm(request, files) if as_json else request)

        return guarded


async def _large_body() -> None:
    return None


LARGE_BODY: Final = Depends(_large_body)
"""Among a route's dependencies: its JSON may be as large as any request."""


def guarded_router(tag: str, prefix: str = "/v1") -> APIRouter:
    """A router whose routes must say by :func:`needs` who may use them."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=GuardedRoute)


def _role_of(route: APIRoute) -> Role | Literal["anyone"]:
    for dependency in route.dependencies:
        if isinstance(dependency, params.Security) and dependency.scopes:
            return dependency.scopes[0]  # type: ignore[return-value]  # needs() put it there
        if dependency.dependency is _anyone:
            return "anyone"
    raise TypeError(f"the route {route.path} does not say by needs() who may use it")


def _pictures_of(route: APIRoute) -> int | None:
    """How many files a route takes; None: as many as a request may hold, or a large body without files."""
    if LARGE_BODY in route.dependencies:
        return None
    annotations = [field.field_info.annotation for field in route.dependant.body_params]
    if any(annotation is not UploadFile and _takes_files(annotation) for annotation in annotations):
        return None
    return sum(annotation is UploadFile for annotation in annotations)


def _file_names_of(route: APIRoute) -> frozenset[str]:
    body = route.dependant.body_params
    return frozenset(field.alias for field in body if _takes_files(field.field_info.annotation))


def _takes_files(annotation: object) -> bool:
    return annotation is UploadFile or UploadFile in getattr(annotation, "__args__", ())


_JSON_BYTES = 256_000
_FORM_BYTES = 64_000
"""What a form may hold beside its files."""


def _body_limit(service: Service, pictures: int | None, as_json: bool) -> int:
    if pictures is None:
        return service.settings.max_request_bytes
    files = pictures * service.settings.max_upload_bytes
    return _JSON_BYTES if pictures == 0 else (encoded_size(files) if as_json else files) + _FORM_BYTES


def caller_of(request: HTTPConnection, role: Role) -> Caller:
    """Who sends a request, kept in ``request.state.caller``.

    Raises:
        NoKeyError: No valid key or session.
        ForbiddenError: The role does not allow it, or a page of another site may have made the browser send it.
    """
    authenticator = service_of(request).authenticator
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    session = request.cookies.get(cookie_name(request))
    if token:
        session = None
        key = authenticator.by_token(token.strip()) if scheme.lower() == "bearer" else None
    else:
        key = authenticator.by_session(session) if session else None
    address = request.client.host if request.client else ""
    if key is None:
        if token:
            service_of(request).tally.add(Actor(None, "", "none", address), "key.refused")
        raise NoKeyError("This needs a valid key.")
    if session is not None:
        _check_same_site(request, session)
    if not allows(key.role, role):
        raise ForbiddenError(f"This needs a key of the role {role}; this one is a {key.role}'s.")
    caller = Caller(Actor(key.id, key.name, key.role, address), key.role, session)
    request.state.caller = caller
    return caller


def access_of(websocket: WebSocket, role: Role) -> Caller:
    """As :func:`caller_of`, for a WebSocket, which carries no header of a page but says where the page came from."""
    check_origin(websocket)
    return caller_of(websocket, role)


def csrf_of(request: Request) -> str | None:
    """The token that a page sends in the header ``X-CSRF-Token``; None without a session."""
    session = request.cookies.get(cookie_name(request))
    return csrf_token(session) if session else None


def _check_same_site(request: HTTPConnection, session: str) -> None:
    if request.scope["type"] != "http" or request.scope["method"] in _READING:
        return
    check_origin(request)
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode("latin-1", "replace"), csrf_token(session).encode()):
        raise ForbiddenError(f"The header {CSRF_HEADER} is missing or wrong.", "GET /v1/session returns it.")


def check_origin(request: HTTPConnection) -> None:
    """Raise if a browser says that a page of another site sent this.

    Raises:
        ForbiddenError: It does.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    foreign = urlsplit(origin).netloc != request.headers.get("host") if origin else False
    if foreign or site in {"cross-site", "same-site"}:
        raise ForbiddenError("A page of another site sent this.", "Use the service's own page.")


def keep_cookie(request: Request, response: Response, token: str, hours: float) -> None:
    """Have the browser send the token of its session from now on."""
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(hours * 3600),
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )


def drop_cookie(request: Request, response: Response) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="strict")


def cookie_name(request: HTTPConnection) -> str:
    """Under TLS browsers hold such a name to this host, this path and TLS."""
    return SECURE_COOKIE if is_secure(request) else PLAIN_COOKIE


def is_secure(request: HTTPConnection) -> bool:
    """Whether the browser speaks TLS, to this program or to a proxy that is believed."""
    return request.url.scheme in {"https", "wss"}
