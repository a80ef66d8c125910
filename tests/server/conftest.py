"""A real service on loopback, with dlib's weights, which every machine has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest
from service_tools import Receiver, Running, png, serving

from knownface.types import Image


@pytest.fixture(scope="session")
def eileen(astronaut: Image) -> bytes:
    """Her portrait as PNG."""
    return png(astronaut)


@pytest.fixture(scope="session")
def mirrored(astronaut: Image) -> bytes:
    """The same from the other side."""
    return png(np.ascontiguousarray(astronaut[:, ::-1]))


@pytest.fixture(scope="session")
def stranger(strangers: list[Image]) -> bytes:
    """Somebody else."""
    return png(strangers[0])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for all tests that do not mind what others leave in it."""
    with serving(tmp_path_factory.mktemp("service")) as up:
        yield up


@pytest.fixture
def admin(served: Running) -> Iterator[httpx.Client]:
    with served.http("admin") as client:
        yield client


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    """A service of one's own."""
    with serving(tmp_path) as up:
        yield up


@pytest.fixture
def person(admin: httpx.Client, request: pytest.FixtureRequest) -> Iterator[int]:
    """Somebody without templates, who is gone afterwards."""
    made = admin.post("/people", json={"name": f"Somebody of {request.node.name}"[:190]})
    assert made.status_code == 201, made.text
    yield made.json()["id"]
    admin.delete(f"/people/{made.json()['id']}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    taken = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.got.append((dict(self.headers), body))
            self.send_response(taken.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    taken.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield taken
    server.shutdown()
    thread.join()
    server.server_close()
