"""Hundreds of hostile requests to a running service: no answer is a server error, and the log stays small and quiet."""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
from PIL import Image as PilImage

TEXTS = [
    "\0",
    "../../etc/passwd",
    "'; DROP TABLE people;--",
    "<script>",
    "x" * 10_000,
    "\ud83d\ude00" * 50,
    "%n%s",
    "{{7*7}}",
    "",
]
NUMBERS = ["0", "-1", "1e9", "99999999999999999999", "NaN", "1/2", "%00", "..%2f", "x"]


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pictures() -> list[bytes]:
    """What is no picture, or one that should not be."""
    whole = io.BytesIO()
    PilImage.new("RGB", (64, 64), "grey").save(whole, "JPEG")
    jpeg = whole.getvalue()
    damaged = [jpeg[:cut] for cut in range(2, len(jpeg), 60)] + [
        jpeg[:at] + b"\xff" * 9 + jpeg[at + 9 :] for at in range(20, 500, 40)
    ]
    starts = [
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\xff\xff\xff\xffWEBP",
        b"GIF89a",
        b"II*\0",
        b"BM",
        b"P6 9 9",
    ]
    noise = [start + os.urandom(200) for start in starts]
    return [*damaged, *noise, bomb(2**31 - 1, 2**31 - 1), bomb(0, 0), bomb(9_000, 9_000), b"%PDF-1.7", b"<svg/>"]


def requests(document: dict[str, object], key: str) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Method, path and httpx's options of each request."""
    paths = document["paths"]
    assert isinstance(paths, dict)
    leave = {"/v1/keys/{key_id}", "/v1/keys/{key_id}/rotate", "/v1/session", "/v1/network"}  # it would lock itself out
    for path, ways in paths.items():
        for method in (*ways, "trace", "patch"):
            for number in NUMBERS if "{" in path else NUMBERS[:1]:
                if path not in leave:
                    yield method, re.sub(r"\{[^}]*\}", number, path), {}
        if path not in leave:
            for text in TEXTS:
                yield (
                    "get",
                    re.sub(r"\{[^}]*\}", "1", path),
                    {
                        "params": dict.fromkeys(
                            ("cursor", "search", "limit", "action", "source", "group", "since"), text
                        )
                    },
                )
            yield (
                "post",
                re.sub(r"\{[^}]*\}", "1", path),
                {"content": b"[" * 20_000, "headers": {"Content-Type": "application/json"}},
            )
            yield (
                "post",
                re.sub(r"\{[^}]*\}", "1", path),
                {"json": {"name": {"a": [None]}, "kinds": ["x"], "people": "x"}},
            )
    for path, picture in itertools.product(("/v1/identify", "/v1/detect", "/v1/review", "/v1/embeddings"), pictures()):
        yield "post", path, {"files": {"picture": ("../../x\0.jpg", picture, "text/html")}}
    for address in (
        "http://169.254.169.254/",
        "http://[::ffff:a9fe:a9fe]/",
        "gopher://x/",
        "file:///etc/passwd",
        "/etc/passwd",
        "rtsp://100.64.0.1/",
    ):
        yield "post", "/v1/live/sources", {"json": {"name": address, "address": address}}
        yield "post", "/v1/webhooks", {"json": {"url": address}}
    for token in ("kf_", "kf_x_y", "\u00e9", key[:-1], "A" * 5000):
        yield "get", "/v1/people", {"headers": {"Authorization": f"Bearer {token}".encode()}}


def raw(host: str, port: int) -> int:
    """Bytes that are no HTTP, or nearly; how many were sent."""
    tried = [
        b"\x16\x03\x01" + os.urandom(100),
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/people HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"GET /v1/people HTTP/1.1\r\n" + b"X: " + b"a" * 50_000,
        b"\0" * 1000,
        b"GET /v1/live/camera HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"POST /v1/identify HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nZZ\r\n",
    ]
    for content in tried * 5:
        with socket.create_connection((host, port), 5) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            with contextlib.suppress(OSError):
                connection.recv(200)
    return 5 * len(tried)


def ask(address: str, key: str) -> tuple[int, Counter[int], list[str], bool]:
    """Send all of it: how many requests, what was answered, server errors, and whether the service still answers."""
    statuses, wrong, count = Counter[int](), list[str](), 0
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        for method, path, options in requests(client.get("/v1/openapi.json").json(), key):
            count += 1
            try:
                answer = client.request(method, path, **options)  # type: ignore[arg-type]
            except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError):
                continue
            statuses[answer.status_code] += 1
            if answer.status_code >= 500 and answer.status_code != 501:
                wrong.append(f"{method} {path} {str(options)[:120]}: {answer.text[:200]}")
        host, _, port = address.removeprefix("http://").partition(":")
        count += raw(host, int(port))
        return count, statuses, wrong, client.get("/v1/ready").status_code == 200


def main() -> int:
    """Print what was answered and how large the log is; 1 where anything went wrong."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    limits = {"KNOWNFACE_SERVE__RATE_PER_KEY": "1000000", "KNOWNFACE_SERVE__RATE_PER_ADDRESS": "1000000"}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "knownface", "serve", "--port", "0", "--gallery", f"{folder}/g.db"]
        with (
            log.open("wb") as file,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=file, text=True, env={**os.environ, **limits}
            ) as run,
        ):
            assert run.stdout is not None
            address = re.findall(r"http://\S+", run.stdout.readline())[0].rstrip("/")
            key = re.findall(r"kf_\S+", run.stdout.readline())[0]
            try:
                count, statuses, wrong, alive = ask(address, key)
            finally:
                run.terminate()
        text = log.read_text(errors="replace")
    print(f"{count} requests, answered {dict(sorted(statuses.items()))}; alive: {alive}")
    print(f"log: {len(text)} characters, {text.count('Traceback')} tracebacks")
    for each in wrong[:20]:
        print(f"server error: {each}")
    return int(bool(wrong) or not alive or "Traceback" in text or len(text) > 100 * count)


if __name__ == "__main__":
    sys.exit(main())
