"""The labelled picture in a browser: a small HTTP server on the loopback interface.

Faces are nobody else's business: it listens on 127.0.0.1 only, under a path that cannot be guessed (other users of the
machine have a browser too), and answers only to that host's name, so that no page of the web can read it by a name that
leads here (DNS rebinding). The picture is a ``multipart/x-mixed-replace`` stream of JPEG files, which every browser
draws by itself.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from types import TracebackType
from typing import ClassVar, Self

from knownface.errors import OutputError
from knownface.live.values import WatchStatus
from knownface.live.watcher import Watcher

HOST = "127.0.0.1"
_MOST_FPS = 30.0
_BOUNDARY = "knownface-frame"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILES = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}


class ShowServer:
    """Shows a watcher's picture and status while it is entered.

    Args:
        watcher: Whose.
        port: 0 takes any that is free.

    Raises:
        OutputError: The port is taken.
    """

    def __init__(self, watcher: Watcher, port: int = 0) -> None:
        self._token = secrets.token_urlsafe(12)
        handler = type("Handler", (_Handler,), {"watcher": watcher, "token": self._token})
        try:
            self._server = _Server((HOST, port), handler)
        except OSError as error:
            raise OutputError(
                f"The picture cannot be shown on port {port}: {error.strerror}.",
                "Choose another port, or port=0 for any that is free.",
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="knownface-show", daemon=True)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self._server.server_port}/{self._token}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser that keeps its connection open must not hold up the end


class _Handler(BaseHTTPRequestHandler):
    watcher: ClassVar[Watcher]
    token: ClassVar[str]
    timeout = 10  # seconds that a silent connection may stay open

    def do_GET(self) -> None:
        here = f"/{self.token}/"
        port = self.connection.getsockname()[1]
        if self.headers.get("Host") not in {f"{HOST}:{port}", f"localhost:{port}"}:
            self.send_error(403)
        elif not self.path.startswith(here):
            self.send_error(404)
        else:
            self._answer(self.path.removeprefix(here).partition("?")[0])

    def _answer(self, name: str) -> None:
        if name in _FILES:
            file, kind = _FILES[name]
            text = (resources.files("knownface.live") / "page" / file).read_bytes()
            self._send(text, f"{kind}; charset=utf-8")
        elif name == "status.json":
            self._send(json.dumps(_status_json(self.watcher.status())).encode(), "application/json")
        elif name == "picture.jpg":
            picture = self.watcher.preview.jpeg()
            self._send(picture, "image/jpeg") if picture else self.send_error(503)
        elif name == "stream":
            self._stream()
        else:
            self.send_error(404)

    def _send(self, body: bytes, kind: str) -> None:
        self._begin(kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for key, value in _HEADERS.items():
            self.send_header(key, value)

    def _stream(self) -> None:
        self._begin(f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.end_headers()
        shown, preview = 0, self.watcher.preview
        try:
            while not preview.closed:
                begun = time.monotonic()
                number = preview.wait(shown, 1.0)
                picture = preview.jpeg() if number > shown else None
                if picture is not None:
                    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                    self.wfile.write(head.encode() + picture + b"\r\n")
                    shown = number
                time.sleep(max(0.0, begun + 1 / _MOST_FPS - time.monotonic()))
        except OSError:
            return  # nobody looks any more

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Nothing: the path is a secret, and standard error has the status line."""


def _status_json(status: WatchStatus) -> dict[str, object]:
    def milliseconds(seconds: float | None) -> float | None:
        return None if seconds is None else round(1000 * seconds, 1)

    return {
        "state": status.state,
        "source": status.source,
        "frames": status.frames,
        "fps_in": round(status.fps_in, 1),
        "fps_out": round(status.fps_out, 1),
        "latency_p50_ms": milliseconds(status.latency_p50),
        "latency_p95_ms": milliseconds(status.latency_p95),
        "faces": status.faces,
        "names": list(status.names),
        "queue": status.queue,
        "dropped": status.dropped,
        "reconnects": status.reconnects,
        "last_error": status.last_error,
        "doubt": status.doubt,
    }
