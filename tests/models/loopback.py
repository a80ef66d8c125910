"""A server on this machine that hands out one file, as a hub or a release page does, and can misbehave."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Loopback:
    """What the server hands out, how it misbehaves, and what it was asked.

    ``/REPO/resolve/REVISION/PATH`` redirects to ``/blob``, on another host name, as the hub does for large files.
    """

    content: bytes
    cuts: list[int] = field(default_factory=list)
    """After how many bytes the next connections break off."""
    statuses: list[int] = field(default_factory=list)
    """What the next requests answer instead."""
    statuses_of_head: list[int] = field(default_factory=list)
    """The same for HEAD."""
    ignores_range: bool = False
    asked: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    """Method, path, Range and Authorization of each request."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serve(content: bytes) -> Iterator[Loopback]:
    state = Loopback(content)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            state.asked.append((self.command, self.path, self.headers["Range"], self.headers["Authorization"]))
            self.close_connection = True
            statuses = state.statuses if self.command == "GET" else state.statuses_of_head
            if statuses:
                self._head(statuses.pop(0), 0)
            elif "/resolve/" in self.path:
                self._head(302, 0, Location=f"http://localhost:{state.port}/blob")
            else:
                self._send()

        def _send(self) -> None:
            start = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
            first = int(start.group(1)) if start and not state.ignores_range else 0
            if first >= len(state.content) > 0:
                self._head(416, 0)
                return
            body = state.content[first:]
            last = len(state.content) - 1
            if first:
                self._head(206, len(body), **{"Content-Range": f"bytes {first}-{last}/{last + 1}"})
            else:
                self._head(200, len(body))
            if self.command == "GET":
                with suppress(ConnectionError):  # a client that only asked whether the file is there
                    self.wfile.write(body[: state.cuts.pop(0)] if state.cuts else body)

        def _head(self, status: int, length: int, **headers: str) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(length), "Connection": "close", **headers}.items():
                self.send_header(key, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def file_size_limit(byte_count: int) -> Iterator[None]:
    """No file of this process may grow beyond this, as on a full disk."""
    resource = pytest.importorskip("resource", reason="this system has no limits of file size")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (byte_count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, kept)
