from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from knownface import FaceRecognizer
from knownface.errors import OutputError
from knownface.live import Watcher
from knownface.live.show import ShowServer
from knownface.media import parse_source, read_image
from knownface.media.capture import Capture
from knownface.types import Image


@pytest.fixture
def shown(
    recognizer: FaceRecognizer, walking: list[Image], serve: Callable[..., Any], until: Callable[..., None]
) -> Iterator[tuple[str, Watcher]]:
    with Watcher(serve(walking).url, recognizer, name="<door>") as watcher, ShowServer(watcher) as server:
        until(lambda: watcher.status().frames > 2)
        yield server.url, watcher


def answer(url: str, path: str, host: str | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("GET", path, headers={"Host": host or parts.netloc})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, response.headers, body


@pytest.mark.slow
def test_the_page_and_everything_it_needs_come_from_here(shown: tuple[str, Watcher]) -> None:
    url, _ = shown
    assert url.startswith("http://127.0.0.1:")
    with urlopen(url, timeout=30) as response:
        page = response.read().decode()
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
    needed = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert set(needed) == {"page.css", "page.js", "stream"}
    for name in ("page.css", "page.js"):
        with urlopen(url + name, timeout=30) as response:
            assert response.read()


def test_the_status_and_the_latest_picture(shown: tuple[str, Watcher], until: Callable[..., None]) -> None:
    url, watcher = shown
    until(lambda: "Eileen Collins" in watcher.status().names)
    with urlopen(url + "status.json", timeout=30) as response:
        status = json.loads(response.read())
    assert status["source"] == "<door>"
    assert status["state"] == "running"
    assert status["frames"] > 2
    with urlopen(url + "picture.jpg", timeout=30) as response:
        assert read_image(response.read()).shape == (240, 320, 3)


def test_the_stream_can_be_watched_by_a_watcher(shown: tuple[str, Watcher]) -> None:
    url, _ = shown
    with Capture(parse_source(url + "stream")) as capture:
        for _ in range(3):
            assert capture.grab()
            picture = capture.picture()
            assert picture is not None
            assert picture.shape == (240, 320, 3)


@pytest.mark.slow
def test_nobody_else_gets_anything(shown: tuple[str, Watcher]) -> None:
    url, _ = shown
    path = urlsplit(url).path
    assert answer(url, path)[0] == 200
    assert answer(url, path, host="rebound.example")[0] == 403
    for guess in ("/", "/stream", "/AAAAAAAAAAAAAAAA/stream", path + "../page.html", path + "secrets"):
        status, _, body = answer(url, guess)
        assert status == 404
        assert path.strip("/") not in body.decode()


def test_the_stream_ends_with_the_watcher(shown: tuple[str, Watcher]) -> None:
    url, watcher = shown
    with urlopen(url + "stream", timeout=30) as response:
        assert response.read(1000)
        watcher.stop()
        while response.read(100_000):
            pass


def test_a_port_that_is_taken(shown: tuple[str, Watcher]) -> None:
    url, watcher = shown
    with pytest.raises(OutputError, match="cannot be shown on port"):
        ShowServer(watcher, urlsplit(url).port or 0)
