"""ASGI middleware around the whole app: host names, rates per address, bounded bodies, headers, the access log.

Plain ASGI, so that it costs little and sees every request, those too that no route takes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import secrets
import socket
import time
from collections import Counter
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from knownface.errors import BadRequestError, BusyError, KnownFaceError, RateLimitedError, TooLargeError, TooSlowError
from knownface.gallery.edit_log import edits_written
from knownface.server.context import Service
from knownface.server.error_responses import RequestAborted, error_response

_access = logging.getLogger("knownface.server.access")

_SMALL = 64_000
"""Bytes of a body whose route sets no limit."""
_SLOWEST = 50_000
"""Bytes a second at which a large body must arrive after the time that every request has."""
MOST_ANSWERED = 1024
"""Requests and WebSockets that are answered at a time."""
_LINGER_SECONDS = 1.0
_LINGER_BYTES = 4_000_000

EDIT_HEADER = "Knownface-Edit"
"""Says in an answer which edit the request made, so that it can be undone (``POST /v1/history/{id}/undo``)."""

CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""What a page may load, and from where; one that needs more says so itself."""

_HEADERS = Headers(
    {
        "Content-Security-Policy": CONTENT_SECURITY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    }
).raw


class BodyBudget:
    """The bytes of bodies that are in memory or on their way, of all requests together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0


class RequestBody:
    """The body of a request, bounded in bytes and time while it is read.

    Attributes:
        limit: Bytes; a route that takes uploads raises it once it knows who is asking.
    """

    def __init__(self, receive: Receive, headers: Headers, budget: BodyBudget, seconds: float) -> None:
        self._receive, self._headers, self._budget = receive, headers, budget
        self._deadline = time.monotonic() + seconds
        self.limit = _SMALL
        self.received = 0
        self.complete = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers

    async def receive(self) -> Message:
        """The next part; in the place of one that is too much or too late, an error."""
        if self.complete:
            return await self._receive()
        declared = self._headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self.limit:
            raise self._too_large()
        left = self._deadline + self.received / _SLOWEST - time.monotonic()
        try:
            async with asyncio.timeout(max(left, 0.001)):
                message = await self._receive()
        except TimeoutError as error:
            raise RequestAborted(TooSlowError("The request did not arrive in time.")) from error
        self._count(message)
        if self.received > self.limit:
            raise self._too_large()
        if self._budget.held > self._budget.most:
            raise RequestAborted(BusyError("Too much is being uploaded at once.", retry_after=2))
        return message

    async def drain(self) -> bool:
        """Read on for a moment, so that a client that is still sending hears the answer; whether that was all.

        A client that waits to be asked for the body (RFC 9110, section 10.1.1) is not asked.
        """
        if "expect" in self._headers:
            return self.complete
        end, most = time.monotonic() + _LINGER_SECONDS, self.received + _LINGER_BYTES
        while not self.complete and self.received < most and (left := end - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left)
            except TimeoutError:
                break
            self._count(message)
        return self.complete

    def release(self) -> None:
        """The request is answered: its bytes are not held any more."""
        self._budget.held -= self.received

    def _count(self, message: Message) -> None:
        size = len(message.get("body", b""))
        self.received += size
        self._budget.held += size
        self.complete = message["type"] == "http.disconnect" or not message.get("more_body", False)

    def _too_large(self) -> RequestAborted:
        return RequestAborted(TooLargeError(f"The request is larger than {self.limit} bytes.", "Send less at once."))


class Middleware:
    """Wraps the app.

    Args:
        app: What answers.
        service: For limits, rates and metrics.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._budget = BodyBudget(service.settings.max_waiting_bytes)
        own = socket.gethostname().lower()
        names = {"localhost", own, f"{own}.local", service.settings.host.lower()}
        self._names = names | {name.lower() for name in service.settings.names}
        self._hsts = service.settings.tls_cert is not None
        self._answering = Counter[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand on a WebSocket or the start and end of the app."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        address = client[0] if client else ""
        self._answering[address] += 1
        try:
            problem = self._rejection(scope, address)
            if scope["type"] == "http":
                await self._answer(scope, receive, send, problem)
            elif problem is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008, "reason": problem.message[:100]})
        finally:
            self._answering[address] -= 1
            if not self._answering[address]:
                del self._answering[address]

    async def _answer(self, scope: Scope, receive: Receive, send: Send, problem: KnownFaceError | None) -> None:
        start, status = time.perf_counter(), 0
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = secrets.token_hex(8)
        origin = self._allowed_origin(scope)
        body = RequestBody(receive, Headers(scope=scope), self._budget, self._service.settings.request_seconds)
        state["body"] = body
        edits: list[int] = []

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                self._add_headers(headers, scope)
                if origin:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = _EXPOSED
                    headers.add_vary_header("Origin")
                if edits and status < 400:
                    headers[EDIT_HEADER] = str(edits[-1])
                if not body.complete and not await body.drain():
                    headers["Connection"] = "close"
            await send(message)

        try:
            if problem is not None:
                scope["app"] = self._app
                await error_response(scope, problem)(scope, body.receive, send_with_headers)
            elif origin and scope["method"] == "OPTIONS":
                await Response(status_code=204, headers=_PREFLIGHT)(scope, body.receive, send_with_headers)
            else:
                # Of a HEAD request uvicorn sends the head of what GET is answered.
                asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
                with edits_written() as edits:
                    await self._app(asked, body.receive, send_with_headers)
        finally:
            body.release()
            self._log(scope, request_id, status or 500, time.perf_counter() - start)

    def _rejection(self, scope: Scope, address: str) -> KnownFaceError | None:
        host = Headers(scope=scope).get("host", "")
        if not self._knows(host):
            return BadRequestError(
                f"The service is not known by the name {host[:100]!r}.", "Name it with `knownface serve --name HOST`."
            )
        wait = self._service.rates_by_address.take(address)
        if wait:
            return RateLimitedError("This address has sent too many requests.", retry_after=wait)
        settings = self._service.settings
        own = self._answering[address]
        if own > settings.connections_per_address and address not in settings.behind_proxy:
            return RateLimitedError(f"{own - 1} requests of this address are being answered.", retry_after=1)
        if self._answering.total() > MOST_ANSWERED:
            return RateLimitedError(f"{MOST_ANSWERED} requests are being answered.", retry_after=1)
        return None

    def _knows(self, host: str) -> bool:
        # A page whose name was pointed at this machine (DNS rebinding) says that name; an address it cannot say.
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        name = name.strip("[]").lower().rstrip(".")
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True

    def _allowed_origin(self, scope: Scope) -> str | None:
        """The origin of the page that sends this, if it is allowed; never with the cookie of a session."""
        origin = Headers(scope=scope).get("origin")
        return origin if origin in self._service.settings.allowed_origins else None

    def _add_headers(self, headers: MutableHeaders, scope: Scope) -> None:
        there = {name for name, _ in headers.raw}
        headers.raw.extend(pair for pair in _HEADERS if pair[0] not in there)
        if self._hsts and scope["scheme"] == "https":
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if scope["path"].startswith(("/v1/", "/api/")):
            headers.setdefault("Cache-Control", "no-store")
        caller = scope["state"].get("caller")
        if caller is not None:
            # draft-ietf-httpapi-ratelimit-headers-10
            rates, key = self._service.rates_by_key, str(caller.actor.key_id)
            headers["RateLimit-Policy"] = f'"key";q={rates.burst:.0f};w={max(1, math.ceil(rates.burst / rates.rate))}'
            headers["RateLimit"] = f'"key";r={rates.left(key):.0f};t={math.ceil(rates.full_in(key))}'

    def _log(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        state: dict[str, Any] = scope["state"]
        route, caller, client = state.get("route", "none"), state.get("caller"), scope.get("client")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._service.metrics.answered(method, route, status, seconds)
        # The route's pattern and no query: nothing that was asked for stands in the log.
        key: Any = caller.actor.key_id if caller else "-"
        if caller and (service := state.get("service")) is not None:
            key = service.share_of(key)
        _access.info(
            "%s %s %s %d %.0f ms key %s request %s",
            client[0] if client else "-",
            method,
            route,
            status,
            1000 * seconds,
            key,
            request_id,
        )


_EXPOSED = f"{EDIT_HEADER}, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
