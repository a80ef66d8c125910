"""Streams by http(s) are read through a proxy of the service's own: real servers and FFmpeg, names of our own."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from knownface.errors import SourceUnavailableError
from knownface.media import parse_source
from knownface.media.capture import Capture
from knownface.media.stream_proxy import environment, streams_through
from knownface.server.checked_proxy import checked_proxy

METADATA = "http://169.254.169.254/latest"


class Camera(http.server.BaseHTTPRequestHandler):
    """Pictures, or a way elsewhere; keeps what it was asked."""

    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("Location", METADATA)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for value in (60, 60, 200, 200):
            _, data = cv2.imencode(".jpg", np.full((48, 64, 3), value, np.uint8))
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
            self.wfile.write(head + data.tobytes() + b"\r\n")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def camera() -> Iterator[http.server.HTTPServer]:
    handler = type("Own", (Camera,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names lead to, one address after the other, the last one ever after; FFmpeg knows none of them."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def resolver(host: Any, port: Any, *rest: Any, **options: Any) -> list[Any]:
        if host not in known:
            return real(host, port, *rest, **options)
        addresses = known[host]
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return known


def test_what_was_checked_is_connected_to_and_hears_its_name(
    camera: http.server.HTTPServer, names: dict[str, list[str]]
) -> None:
    names["camera.test"] = ["127.0.0.1", "169.254.169.254"]  # a second look would lead elsewhere
    host = f"camera.test:{camera.server_port}"
    with checked_proxy(()) as proxy, streams_through(proxy), Capture(parse_source(f"http://{host}/live?x=1")) as seen:
        assert seen.grab()
        picture = seen.picture()
    assert picture is not None
    assert abs(float(picture.mean()) - 60) < 4
    [(path, headers)] = camera.RequestHandlerClass.asked  # type: ignore[attr-defined]
    assert (path, headers["host"]) == ("/live?x=1", host)
    assert not any(name.startswith("proxy") for name in headers)


@pytest.mark.parametrize(("path", "leads_to"), [("/elsewhere", "127.0.0.1"), ("/live", "169.254.169.254")])
def test_neither_redirects_nor_names_lead_elsewhere(
    camera: http.server.HTTPServer,
    names: dict[str, list[str]],
    caplog: pytest.LogCaptureFixture,
    path: str,
    leads_to: str,
) -> None:
    names["camera.test"] = [leads_to]
    source = parse_source(f"http://camera.test:{camera.server_port}{path}")
    with checked_proxy(()) as proxy, streams_through(proxy), pytest.raises(SourceUnavailableError, match="sends no"):
        Capture(source, open_timeout=3)
    assert "does not connect to" in caplog.text


def test_tls_goes_through_and_nobody_else_does() -> None:
    before = environment()  # another service may run in this process
    with checked_proxy(()) as proxy, socket.create_server(("127.0.0.1", 0)) as server, streams_through(proxy):
        parts, port = urlsplit(proxy), server.getsockname()[1]
        assert environment() is not None

        def asked(target: str, headers: str = "") -> socket.socket:
            connection = socket.create_connection((parts.hostname or "", parts.port or 0), 5)
            connection.sendall(f"{target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
            return connection

        with asked(f"CONNECT 127.0.0.1:{port}") as stranger:
            assert stranger.recv(100).startswith(b"HTTP/1.1 407")
        known = f"Proxy-Authorization: {_basic(parts.username, parts.password)}\r\n"
        for target, status in (
            ("CONNECT 169.254.169.254:443", 403),
            ("CONNECT [::ffff:169.254.169.254]:443", 403),
            (f"GET {METADATA}", 403),
            ("CONNECT 127.0.0.1:1", 502),
            ("GET /", 400),
            ("CONNECT x:y", 400),
            ("nonsense", 400),
        ):
            with asked(target, known) as refused:
                assert int(refused.recv(100).split()[1]) == status, target
        with asked(f"CONNECT 127.0.0.1:{port}", known) as client:
            other, _ = server.accept()
            with other:
                assert client.recv(100).startswith(b"HTTP/1.1 200")
                client.sendall(b"\x16hello")
                assert other.recv(100) == b"\x16hello"
                other.sendall(b"back")
                assert client.recv(100) == b"back"
    assert environment() == before


def _basic(user: str | None, password: str | None) -> str:
    from base64 import b64encode

    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
