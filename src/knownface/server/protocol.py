"""Uvicorn's server and HTTP, with patience for slow and silent clients that has an end."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from knownface.server.idle_connections import Connection, IdleConnections

_HEAD_SECONDS = 15.0
"""In which the head of a request must have arrived, and before it a TLS handshake be done."""
_PAUSE_SECONDS = 0.1
_HEAD_BYTES = 32_768
"""Of the head of a request, of what follows its body, and of what a chunk says beside its size."""
_LINGER_SECONDS, _LINGER_BYTES = 1.0, 4_000_000
"""For which, and up to how much, is read on after a refusal: else a client that still sends never hears it."""
_REQUESTS_AHEAD = 8
"""That a client may send on one connection before the first of them is answered."""


_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b"
)


class PatientServer(uvicorn.Server):
    """Uvicorn's server, which knows each client's address before TLS is spoken, and closes whoever says nothing.

    Args:
        config: Uvicorn's.
        listening: Where clients come; closed with the server.
        idle: Those who ask for nothing at present.
    """

    def __init__(self, config: uvicorn.Config, listening: socket.socket, idle: IdleConnections) -> None:
        super().__init__(config)
        self._listening, self._idle = listening, idle
        self._accepting: asyncio.Task[None] | None = None
        self._connecting: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept clients."""
        await super().startup(sockets or [])
        self._listening.setblocking(False)
        self._accepting = asyncio.create_task(self._accept())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody any more, and finish what is being answered."""
        for task in (self._accepting, *self._connecting):
            if task is not None:
                task.cancel()
        self._listening.close()
        await super().shutdown(sockets or [])

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(self._listening)
            except OSError:  # they hung up, or the system has no more files for us
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._connect(client, str(address[0]))
            await asyncio.sleep(0)  # a crowd that comes at once must not keep others waiting

    def _connect(self, client: socket.socket, address: str) -> None:
        loop, tls = asyncio.get_running_loop(), self.config.ssl
        one = Connection(address, lambda: task.cancel())  # noqa: PLW0108 - there is none yet
        made = partial(
            PatientProtocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            connection=one,
            idle=self._idle,
        )
        handshake = _HEAD_SECONDS if tls else None
        task = loop.create_task(loop.connect_accepted_socket(made, client, ssl=tls, ssl_handshake_timeout=handshake))

        def connected(task: asyncio.Task[Any]) -> None:
            self._connecting.discard(task)
            if task.cancelled() or task.exception() is not None:  # no TLS, or gone again
                self._idle.remove(one)
                client.close()

        self._connecting.add(task)
        task.add_done_callback(connected)
        self._idle.add(one)


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP, which closes connections that do not get to the point.

    Uvicorn itself waits for ever for the head of a request, of any size, and takes any number of requests ahead.

    Args:
        connection: What is known of it.
        idle: Where it is while nothing is asked.
        options: Uvicorn's.
    """

    _timer: asyncio.TimerHandle | None = None
    _handed_over = False
    _refused = False
    _pointless = 0
    """Bytes since the last whole head or part of a body."""

    def __init__(self, *, connection: Connection, idle: IdleConnections, **options: Any) -> None:
        super().__init__(**options)
        self._connection, self._idle = connection, idle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """A client connected, and has said nothing yet."""
        super().connection_made(transport)
        self._connection.close = transport.abort
        self._wait()

    def data_received(self, data: bytes) -> None:
        """A part of a request came; what is no whole head yet must become one in time."""
        self._pointless += len(data)
        if self._refused:
            if self._pointless > _LINGER_BYTES:
                self.transport.abort()
            return
        super().data_received(data)
        if self._pointless > _HEAD_BYTES and not self._handed_over:
            self.send_400_response("The head of the request is too large.")
        if self._handed_over or self._refused or self.transport.is_closing() or self._answering():
            self._idle.remove(self._connection)
            self._stop_waiting()
        else:
            self._wait()

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= _REQUESTS_AHEAD:
            raise ValueError("too many requests ahead")  # the parser stops, and says that it is no good request
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head of a request is there."""
        if sum(name == b"host" for name, _ in self.headers) > 1:  # RFC 9112, section 3.2: which one counts?
            raise ValueError("more than one Host")
        self._pointless = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body came."""
        self._pointless = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, and hang up a moment later; at once where that would get into another answer."""
        if self._answering():
            self.transport.abort()
        elif not self._refused and not self.transport.is_closing():
            self._refused = True
            self.transport.write(_REFUSAL % (len(msg), msg.encode("ascii")))
            self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def handle_websocket_upgrade(self) -> None:
        """The connection goes on as a WebSocket, which has limits of its own."""
        self._handed_over = True
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._idle.remove(self._connection)
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The next request may take its time to begin; uvicorn sees to that."""
        super().on_response_complete()
        self._stop_waiting()
        self._connection.answered = True
        if not self.transport.is_closing() and not self._answering():
            self._idle.add(self._connection)

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
