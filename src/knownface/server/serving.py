"""Uvicorn around the app: addresses, TLS, proxies, and patience with slow clients that has an end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from knownface.errors import SettingsError
from knownface.server.app import create_app
from knownface.server.context import Service
from knownface.server.housekeeping import Housekeeping
from knownface.server.live.camera import MOST_BYTES
from knownface.server.middleware import Middleware
from knownface.settings import ServeSettings

_HEAD_SECONDS = 15.0
"""In which the head of a request must have arrived."""
_CONNECTIONS = 1024
_FILES = 4096
"""Open at a time, where the system lets us: connections, the database, pictures."""
_STOP_SECONDS = 10


class PatientProtocol(H11Protocol):
    """Uvicorn's HTTP, which closes connections that do not get to the point.

    Uvicorn itself waits for ever for the head of a request.

    Args:
        most: Connections of one address at a time, proxies aside. With one more, the one of them that has been idle
            longest is closed, or the new one where none is idle.
    """

    _timer: asyncio.TimerHandle | None = None
    _handed_over = False
    _idle_since = 0.0

    def __init__(self, *args: Any, most: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._most = most

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """A client connected, and has said nothing yet."""
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        self._wait()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        """A part of a request came; what is no whole head yet must become one in time."""
        super().data_received(data)
        if self._handed_over or self.transport.is_closing() or self._answering():
            self._stop_waiting()
        else:
            self._wait()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """The connection goes on as a WebSocket, which has limits of its own."""
        self._handed_over = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The next request may take its time to begin; uvicorn sees to that."""
        super().on_response_complete()
        self._idle_since = self.loop.time()
        self._stop_waiting()

    def _make_room(self) -> None:
        address = self.client[0] if self.client else ""
        if not address or address in self.config.forwarded_allow_ips:
            return
        # What is being closed leaves the set only a turn of the loop later; a crowd arrives in one.
        same = [one for one in self.connections if _address_of(one) == address]
        if len(same) > self._most:
            idle = [one for one in same if isinstance(one, PatientProtocol) and not one._answering()]
            min(idle, key=lambda one: one._idle_since, default=self).transport.abort()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self._answering():
            self.transport.abort()


def _address_of(protocol: Any) -> str | None:
    """The address of an open connection, HTTP or WebSocket; None once it is being closed."""
    return None if protocol.transport.is_closing() or not protocol.client else protocol.client[0]


def bound_socket(settings: ServeSettings) -> socket.socket:
    """A socket that listens where the settings say; a port of 0 takes any free one.

    Raises:
        SettingsError: The address cannot be had.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(_CONNECTIONS)
        except OSError:
            made.close()
            raise
    except (OSError, UnicodeError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"{settings.host} port {settings.port} cannot be listened on: {reason}.",
            "Another program may have the port; choose another port, or stop it.",
        ) from error
    return made


def make_server(services: Sequence[Service], tls: tuple[Path, Path] | None = None) -> uvicorn.Server:
    """Uvicorn around services, ready to run; ``should_exit`` stops it.

    Args:
        services: The open parts, of each gallery; the first one's settings count.
        tls: Certificate and key files.

    Raises:
        SettingsError: The certificate or key cannot be used.
    """
    settings = services[0].settings
    config = uvicorn.Config(
        Middleware(create_app(services), services[0]),
        http=partial(PatientProtocol, most=settings.connections_per_address),  # type: ignore[arg-type]  # is called
        ws="websockets-sansio",
        ws_max_size=MOST_BYTES,
        ws_per_message_deflate=False,  # a JPEG gets no smaller
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="error",  # its warnings are a line for each client that speaks no HTTP
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.behind_proxy),
        forwarded_allow_ips=list(settings.behind_proxy),
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_STOP_SECONDS,
        h11_max_incomplete_event_size=32_768,
        ssl_certfile=None if tls is None else tls[0],
        ssl_keyfile=None if tls is None else tls[1],
    )
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"The certificate {tls[0] if tls else ''} and its key cannot be used: {error}.",
            "Give a PEM certificate with its chain, and its own key without a password.",
        ) from error
    return uvicorn.Server(config)


def run(
    server: uvicorn.Server, housekeeping: Sequence[Housekeeping], listening: socket.socket, on_start: Callable[[], None]
) -> None:
    """Answers until it is stopped (Ctrl-C or SIGTERM); what is being answered then is finished.

    Args:
        server: From :func:`make_server`.
        housekeeping: Runs meanwhile, of each service.
        listening: From :func:`bound_socket`.
        on_start: Called once it answers.
    """
    _allow_files()
    with _outlived_signals():
        asyncio.run(_run(server, housekeeping, listening, on_start))


def _allow_files() -> None:
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextlib.contextmanager
def _outlived_signals() -> Iterator[None]:
    """Uvicorn stops at a signal and then sends it once more to whoever had it before: that must not end us unclosed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _run(
    server: uvicorn.Server, housekeeping: Sequence[Housekeeping], listening: socket.socket, on_start: Callable[[], None]
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for one in housekeeping:
            await stack.enter_async_context(one.running())
        answering = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started and not answering.done():
            await asyncio.sleep(0.02)
        if server.started:
            on_start()
        await answering
