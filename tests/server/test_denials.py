"""Whoever is refused, by HTTP, by WebSocket or before either, leaves no more than a line in the log."""

from __future__ import annotations

import contextlib
import logging
import socket
from urllib.parse import urlsplit

import pytest
from service_tools import Running
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

_UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
_WITH_KEY = f"{_UPGRADE}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def refused_by_http(up: Running) -> int:
    sent = 0
    for role, method, path, status in (
        (None, "GET", "/people", 401),
        (None, "POST", "/identify", 401),
        ("device", "GET", "/people", 403),
        ("viewer", "DELETE", "/people/1", 403),
        ("operator", "GET", "/keys", 403),
        ("admin", "GET", "/nothing", 404),
        ("admin", "PUT", "/people", 405),
        ("admin", "POST", "/people", 422),
    ):
        with up.http(role) as client:
            assert client.request(method, path).status_code == status
        sent += 1
    return sent


def refused_by_websocket(up: Running) -> int:
    address = up.address.replace("http", "ws")
    sent = 0
    for path, role, headers in (
        ("/v1/live/camera", None, {}),
        ("/v1/live/events", None, {"Authorization": "Bearer kf_x_y"}),
        ("/v1/live/events", "device", {}),
        ("/v1/live/events", "viewer", {"Origin": "https://evil.example"}),
        ("/v1/live/camera?source=%00", "admin", {}),
        (f"/v1/live/camera?source={'x' * 300}", "admin", {}),
        ("/v1/live/camera", "admin", {"Host": "evil.example"}),
        ("/v1/nothing", "admin", {}),
    ):
        key = {} if role is None else {"Authorization": f"Bearer {up.keys[role]}"}
        with (
            contextlib.suppress(InvalidStatus, ConnectionClosed),
            connect(address + path, additional_headers={**key, **headers}) as opened,
        ):
            opened.recv(timeout=60)
            pytest.fail(f"{path} was let in")
        sent += 1
    return sent


def refused_before(up: Running) -> int:
    """What is no HTTP, no handshake, or hung up on while it is answered."""
    parts = urlsplit(up.address)
    said = (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/live/camera HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        f"GET /v1/live/camera HTTP/1.1\r\nHost: localhost\r\n{_UPGRADE}\r\n".encode(),
        f"GET /v1/live/camera HTTP/1.1\r\nHost: localhost\r\n{_WITH_KEY}\r\n".encode(),
        f"GET /v1/live/camera HTTP/1.1\r\nHost: localhost\r\n{_WITH_KEY}\r\n".encode() + b"\xff" * 20,
        b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    )
    for start in said:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as connection:
            connection.sendall(start)
    for start in said:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as connection:
            connection.sendall(start)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while connection.recv(65536):
                    pass
    return 2 * len(said)


def test_who_is_refused_leaves_a_line_at_most(served: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="knownface"):
        sent = refused_by_http(served) + refused_by_websocket(served) + refused_before(served)
        with served.http(None) as anybody:
            assert anybody.get("/health").status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert all("\n" not in record.getMessage() and len(record.getMessage()) < 200 for record in caplog.records)
    assert len(caplog.records) <= sent + 1
