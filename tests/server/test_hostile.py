"""What a service on a network is sent: too much, too slow, too clever. It answers in one shape and goes on."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
import zipfile
import zlib
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service_tools import Running, png, serving, until

SHAPE = {"type", "title", "status", "detail", "instance", "code", "message", "hint", "details"}


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zip_of(name: str) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


def test_bombs_are_refused_before_they_are_decoded(admin: httpx.Client) -> None:
    for width, height in ((100_000, 100_000), (8_000, 6_000), (2**31 - 1, 1), (0, 0)):
        answer = admin.post("/identify", files={"picture": bomb(width, height)})
        assert answer.status_code in {413, 422}, (width, height, answer.text)
        assert set(answer.json()) == SHAPE


def test_polyglots_are_pictures_or_refused(admin: httpx.Client, person: int, eileen: bytes) -> None:
    """What a file is, is told by its content; what else it might be taken for never comes into play."""
    html = b"<html><script>alert(1)</script>"
    for content in (eileen + zip_of("a/../../b"), eileen + html):
        answer = admin.post(f"/people/{person}/templates", files={"pictures": ("x.html", content, "text/html")}).json()
        assert answer["pictures"][0]["status"] == "enrolled"
        template = answer["pictures"][0]["templates"][0]
        shown = admin.get(f"/templates/{template}/picture")
        assert shown.headers["content-type"] == "image/jpeg"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert html not in shown.content
        admin.delete(f"/templates/{template}")
    for content in (html, zip_of("a"), b"GIF89a" + html, b"%!PS-Adobe\n" + html, b"<svg onload='alert(1)'/>"):
        answer = admin.post("/identify", files={"picture": ("x.png", content, "image/png")})
        assert answer.status_code in {415, 422}
        assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "..\\..\\boot.ini", "a\x00b.png", "\u202egnp.exe", "x" * 5000, "<img src=x onerror=alert(1)>", ""],
)
def test_file_names_are_labels_and_never_paths(admin: httpx.Client, person: int, eileen: bytes, name: str) -> None:
    body, kind = multipart("pictures", name, eileen)
    answer = admin.post(f"/people/{person}/templates", content=body, headers={"Content-Type": kind})
    assert answer.status_code in {200, 400, 422}, answer.text
    if answer.status_code != 200:
        return
    told = answer.json()["pictures"][0]
    assert len(told["file"]) <= 120
    assert not set(told["file"]) & set("/\\\0\u202e")
    for template in admin.get(f"/people/{person}/templates").json():
        assert template["source"] == f"upload:{told['file']}"


def multipart(field: str, name: str, content: bytes) -> tuple[bytes, str]:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').encode()
    head = b'--b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n\r\n' % (field.encode(), escaped)
    return head + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


@pytest.mark.slow
def test_an_uploads_name_is_not_taken_for_a_file(tmp_path_factory: pytest.TempPathFactory, eileen: bytes) -> None:
    """Where small pictures are not kept, none is cut from a file that happens to be called like the upload."""
    folder = tmp_path_factory.mktemp("plain")
    secret = folder / "secret.png"
    secret.write_bytes(eileen)
    with serving(folder, store_pictures=False) as up, up.http() as admin:
        made = admin.post("/people", json={"name": "A"}).json()["id"]
        body, kind = multipart("pictures", str(secret), eileen)
        answer = admin.post(f"/people/{made}/templates", content=body, headers={"Content-Type": kind}).json()
        template = answer["pictures"][0]["templates"][0]
        assert admin.get(f"/templates/{template}/picture").json()["code"] == "not-found"
        # What was enrolled from a folder is shown as long as the file is the one enrolled.
        up.service.recognizer.add_known_face("B", secret, insist=True)
        known = up.service.gallery.templates("B")[0].id
        assert admin.get(f"/templates/{known}/picture").status_code == 200
        secret.write_bytes(png(np.zeros((50, 50, 3), np.uint8)))
        assert admin.get(f"/templates/{known}/picture").status_code == 404


def test_scripts_in_names_come_back_as_text(admin: httpx.Client) -> None:
    name = "<script>alert('x')</script>"
    made = admin.post("/people", json={"name": name, "groups": [name]})
    assert made.json()["name"] == name
    assert made.headers["content-type"] == "application/json"
    policy = made.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert made.headers["cache-control"] == "no-store"
    admin.delete(f"/people/{made.json()['id']}")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory):
    """A service with narrow limits."""
    limits = {"max_upload_bytes": 50_000, "max_request_bytes": 120_000, "max_pictures": 3, "request_seconds": 1.0}
    with serving(tmp_path_factory.mktemp("small"), **limits) as up:
        yield up


def test_too_much_is_refused_while_it_is_received(small: Running) -> None:
    with small.http() as admin:
        large = admin.post("/identify", files={"picture": b"x" * 200_000})
        assert (large.status_code, large.json()["code"]) == (413, "too-large")
        odd = admin.post("/identify", files={"picture": b"x" * 50_001})
        assert (odd.status_code, odd.json()["code"]) == (413, "too-large")
        batch = admin.post("/identify/batch", files=[("pictures", b"x" * 45_000)] * 3)
        assert (batch.status_code, batch.json()["code"]) == (413, "too-large")
        many = admin.post("/identify/batch", files=[("pictures", b"x")] * 4)
        assert (many.status_code, many.json()["code"]) == (413, "too-large")
        body = admin.post(
            "/people", content=b'{"name": "' + b"x" * 300_000, headers={"Content-Type": "application/json"}
        )
        assert (body.status_code, body.json()["code"]) == (413, "too-large")
        fields = admin.post("/identify", files={"picture": b"x"}, data={f"f{i}": "x" for i in range(100)})
        assert fields.status_code == 400
        assert set(fields.json()) == SHAPE


def test_an_endless_request_ends(small: Running) -> None:
    def endless():
        yield b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
        while True:
            yield b"x" * 10_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with small.http() as admin:
        with contextlib.suppress(httpx.WriteError):  # hung up on while still sending
            assert admin.post("/identify", content=endless(), headers=headers).status_code == 413
        assert admin.get("/session").status_code == 200


def test_nobody_without_a_key_is_listened_to(served: Running) -> None:
    with served.http(None) as anybody:
        answer = anybody.post("/identify", files={"picture": b"x" * 3_000_000})
        assert answer.status_code == 401


def raw(served: Running) -> socket.socket:
    parts = urlsplit(served.address)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60)


@pytest.mark.slow
def test_a_slow_body_is_told_and_cut_off(small: Running) -> None:
    with raw(small) as connection:
        head = (
            f"POST /v1/identify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {small.keys['admin']}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 40000\r\n\r\n--b\r\n"
        )
        connection.sendall(head.encode())
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408"), answer[:200]
    assert b'"too-slow"' in answer
    assert b"connection: close" in answer.lower()


def test_slow_heads_are_hung_up_on(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knownface.server.protocol._HEAD_SECONDS", 0.3)
    with raw(served) as silent, raw(served) as slow:
        slow.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert silent.recv(100) == b""
        with contextlib.suppress(ConnectionResetError):
            assert slow.recv(100) == b""
    with served.http(None) as anybody:
        assert anybody.get("/health").status_code == 200


def test_heads_and_what_follows_a_body_have_an_end(served: Running) -> None:
    chunked = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for start in (b"GET /v1/health HTTP/1.1\r\nX: ", b"GET /", chunked + b"0\r\nX: ", chunked + b"5;x="):
        with raw(served) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(start)
            for _ in range(400):  # more than the system keeps on the way
                connection.sendall(b"a" * 100_000)
            pytest.fail(f"{start[:40]!r} could go on for ever")
    with raw(served) as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 300_000)
        assert connection.recv(12) == b"HTTP/1.1 400"


def test_some_requests_are_taken_ahead_and_not_any_number(served: Running) -> None:
    one = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with raw(served) as connection:
        connection.sendall(3 * one + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert read_all(connection).count(b"HTTP/1.1 200") == 4
    with raw(served) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(5_000 * one)
        assert read_all(connection).count(b"HTTP/1.1 200") < 100


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side hangs up."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.slow
def test_silent_connections_keep_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that never asked anything give way, the longest silent first; whoever was just answered does not."""
    monkeypatch.setattr("knownface.server.serving._FILES", 0)  # so that 256 are idle at most
    with serving(tmp_path) as up, contextlib.ExitStack() as held:
        kept = held.enter_context(contextlib.closing(HTTPConnection(urlsplit(up.address).netloc)))
        silent = []
        for number in range(400):
            silent.append(held.enter_context(raw(up)))
            if number % 80 == 0:
                assert health_by(kept) == 200
        with up.http(None) as anybody:
            assert anybody.get("/health").status_code == 200
        with contextlib.suppress(ConnectionResetError):
            assert silent[0].recv(1) == b""
        silent[-1].sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert silent[-1].recv(12) == b"HTTP/1.1 200"


def health_by(connection: HTTPConnection) -> int:
    """Asks by a connection that is not made again where it was closed."""
    connection.request("GET", "/v1/health")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_who_asks_for_too_much_at_a_time_is_told_and_others_are_answered(tmp_path: Path) -> None:
    with serving(tmp_path, connections_per_address=3) as up, contextlib.ExitStack() as held:
        start = (
            f"POST /v1/people HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {up.keys['admin']}\r\n"
            "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"
        )
        for _ in range(3):
            held.enter_context(raw(up)).sendall(start.encode())
        with up.http(None) as same, up.http(None, transport=httpx.HTTPTransport(local_address="127.0.0.2")) as other:
            until(lambda: same.get("/health").status_code == 429)
            refused = same.get("/health")
            assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
            assert int(refused.headers["retry-after"]) >= 1
            assert other.get("/health").status_code == 200
        held.close()
        with up.http(None) as same:
            until(lambda: same.get("/health").status_code == 200)


@pytest.mark.slow
def test_a_kept_connection_survives_short_requests(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knownface.server.protocol._HEAD_SECONDS", 0.3)
    with served.http(None) as anybody:
        for _ in range(3):
            assert anybody.get("/health").status_code == 200
            time.sleep(0.4)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "localhost.evil.example", "[::1", "a b"])
def test_hosts_that_are_not_ours(served: Running, host: str) -> None:
    with raw(served) as connection:
        connection.sendall(f"GET /v1/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_nobody_says_two_hosts(served: Running) -> None:
    with raw(served) as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "192.168.0.7:8420"])
def test_hosts_that_are_ours(served: Running, host: str) -> None:
    assert httpx.get(f"{served.address}/v1/health", headers={"Host": host}).status_code == 200


def test_errors_outside_the_routes_have_the_same_shape(admin: httpx.Client, served: Running) -> None:
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("PUT", "/people", 405),
        ("GET", "/people/1/", 404),
        ("GET", "/people?limit=0", 422),
        ("GET", "/people?cursor=%F0%9F%98%80", 400),
        ("GET", "/people?cursor=AA", 400),
        ("GET", "/audit?cursor=YWJj", 400),
        ("GET", "/people?search=%00", 400),
        ("TRACE", "/people", 405),
    ):
        answer = admin.request(method, path)
        assert answer.status_code == status, (method, path, answer.text)
        assert set(answer.json()) == SHAPE
    for content in (b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 5_000, json.dumps({"name": 1}).encode()):
        answer = admin.post("/people", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}, content[:20]
        assert set(answer.json()) == SHAPE


@given(content=st.binary(max_size=400), start=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF"]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answered(admin: httpx.Client, content: bytes, start: bytes) -> None:
    answer = admin.post("/identify", files={"picture": start + content})
    assert answer.status_code in {413, 415, 422}, answer.text
    assert set(answer.json()) == SHAPE


@given(cut=st.integers(0, 100), flip=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_pictures_are_answered(admin: httpx.Client, eileen: bytes, cut: int, flip: int) -> None:
    damaged = bytearray(eileen[: len(eileen) * (100 - cut) // 100])
    if damaged:
        damaged[flip % len(damaged)] ^= 0x55
    answer = admin.post("/identify", files={"picture": bytes(damaged)})
    assert answer.status_code in {200, 413, 415, 422}, answer.text


@given(body=st.binary(max_size=300), boundary=st.sampled_from(["b", "", "x" * 200]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_multipart_is_answered(admin: httpx.Client, body: bytes, boundary: str) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = admin.post("/identify", content=b"--b\r\n" + body, headers=headers)
    assert answer.status_code in {400, 422}, answer.text
    assert set(answer.json()) == SHAPE


@pytest.mark.slow
def test_a_full_queue_sends_away_and_says_when_to_come_back(tmp_path: Path, eileen: bytes) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with serving(tmp_path, workers=1, queue=1) as up, up.http(limits=httpx.Limits(max_connections=30)) as client:
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: client.post("/identify", files={"picture": eileen}), range(12)))
        statuses = {answer.status_code for answer in answers}
        assert statuses == {200, 429}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "rate-limited"
        assert int(refused.headers["retry-after"]) >= 1
        assert client.post("/identify", files={"picture": eileen}).status_code == 200


def test_nothing_secret_or_asked_for_stands_in_the_log(served: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="knownface"), served.http() as admin:
        found = admin.get("/people", params={"search": "unmistakable"})
        admin.post("/session", json={"key": served.keys["viewer"]})
        admin.get(f"/nothing/unmistakable?key={served.keys['admin']}")
    assert "GET /v1/people 200" in caplog.text
    assert f"request {found.headers['x-request-id']}" in caplog.text
    assert "unmistakable" not in caplog.text
    for key in served.keys.values():
        assert key not in caplog.text


@pytest.mark.slow
def test_a_websocket_outlives_the_patience_with_heads(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    monkeypatch.setattr("knownface.server.protocol._HEAD_SECONDS", 0.3)
    address = served.address.replace("http", "ws") + "/v1/live/events"
    headers = {"Authorization": f"Bearer {served.keys['admin']}"}
    with connect(address, additional_headers=headers) as socket:
        with contextlib.suppress(TimeoutError):
            socket.recv(timeout=1.0)
        try:
            socket.ping().wait(10)
        except ConnectionClosed:
            pytest.fail("the connection was hung up on")
