"""Uvicorn around the app: addresses, TLS, proxies, and patience with slow clients that has an end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import uvicorn

from knownface.errors import SettingsError
from knownface.server.app import create_app
from knownface.server.context import Service
from knownface.server.housekeeping import Housekeeping
from knownface.server.idle_connections import IdleConnections
from knownface.server.live.camera import MOST_BYTES
from knownface.server.middleware import MOST_ANSWERED, Middleware
from knownface.server.protocol import PatientServer
from knownface.settings import ServeSettings

_WAITING_CONNECTIONS = 1024
"""Of clients whom the system has connected and we have not accepted."""
_FILES = 4096
"""Open at a time, where the system lets us."""
_OTHER_FILES = 256
"""Of them that are no connections of clients: the database, pictures, cameras."""
_STOP_SECONDS = 10


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
            made.listen(_WAITING_CONNECTIONS)
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


def make_server(
    services: Sequence[Service], listening: socket.socket, tls: tuple[Path, Path] | None = None
) -> uvicorn.Server:
    """Uvicorn around services, ready to run; ``should_exit`` stops it.

    Args:
        services: The open parts, of each gallery; the first one's settings count.
        listening: From :func:`bound_socket`; closed with the server.
        tls: Certificate and key files.

    Raises:
        SettingsError: The certificate or key cannot be used.
    """
    settings = services[0].settings
    config = uvicorn.Config(
        Middleware(create_app(services), services[0]),
        ws="websockets-sansio",
        ws_max_size=MOST_BYTES,
        ws_per_message_deflate=False,  # a JPEG gets no smaller
        lifespan="off",
        log_config=None,
        log_level="error",  # its warnings are a line for each client that speaks no HTTP
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.behind_proxy),
        forwarded_allow_ips=list(settings.behind_proxy),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_STOP_SECONDS,
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
    most = _usable_files() - _OTHER_FILES - MOST_ANSWERED
    return PatientServer(config, listening, IdleConnections(max(most, _OTHER_FILES), settings.behind_proxy))


def run(server: uvicorn.Server, housekeeping: Sequence[Housekeeping], on_start: Callable[[], None]) -> None:
    """Answers until it is stopped (Ctrl-C or SIGTERM); what is being answered then is finished.

    Args:
        server: From :func:`make_server`.
        housekeeping: Runs meanwhile, of each service.
        on_start: Called once it answers.
    """
    with _outlived_signals(), asyncio.Runner(loop_factory=_new_loop()) as runner:
        runner.run(_run(server, housekeeping, on_start))


def _new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows, for which there is none
        return None
    return uvloop.new_event_loop


def _usable_files() -> int:
    """How many files may be open at a time, after asking the system for as many as are wanted."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return _FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


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


async def _run(server: uvicorn.Server, housekeeping: Sequence[Housekeeping], on_start: Callable[[], None]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for one in housekeeping:
            await stack.enter_async_context(one.running())
        answering = asyncio.create_task(server.serve())
        while not server.started and not answering.done():
            await asyncio.sleep(0.02)
        if server.started:
            gc.freeze()  # what lives as long as the service is not looked through again and again
            on_start()
        await answering
