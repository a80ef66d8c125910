"""A real service for tests, and pictures as the bytes of files."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image as PilImage

from dlib_parts import dlib_recognizer
from knownface import FaceRecognizer
from knownface.server.context import Service
from knownface.server.running import open_services
from knownface.server.serving import bound_socket, make_server, run
from knownface.types import Image


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers, and keys to it."""

    address: str
    service: Service
    keys: dict[str, str]

    def http(self, role: str | None = "admin", **options: Any) -> httpx.Client:
        headers = {} if role is None else {"Authorization": f"Bearer {self.keys[role]}"}
        return httpx.Client(base_url=f"{self.address}/v1", headers=headers, timeout=60, **options)


@dataclass
class Receiver:
    """Takes deliveries of webhooks; answers as told."""

    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def ids(self) -> list[int]:
        return [json.loads(body)["id"] for _, body in self.got]


@contextlib.contextmanager
def serving(folder: Path, **serve: Any) -> Iterator[Running]:
    """Run a service over a gallery in a folder until the end of the block."""
    with serving_all(folder, [""], **serve) as (up,):
        yield up


@contextlib.contextmanager
def serving_all(folder: Path, collections: Sequence[str], **serve: Any) -> Iterator[list[Running]]:
    """Run one program with a gallery for each collection until the end of the block."""
    fast = {"rate_per_key": 100_000.0, "rate_per_address": 100_000.0, "port": 0}
    settings = {**fast, **serve}
    with contextlib.ExitStack() as stack:
        recognizers = {
            name: stack.enter_context(
                dlib_recognizer(
                    folder / f"gallery{name}.db", serve=settings, max_pixels=40_000_000, cache=folder / "cache"
                )
            )
            for name in collections
        }
        yield stack.enter_context(serving_by(recognizers))


@contextlib.contextmanager
def serving_by(recognizers: Mapping[str, FaceRecognizer]) -> Iterator[list[Running]]:
    """Run one program with these recognisers, by their collections, until the end of the block."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(bound_socket(next(iter(recognizers.values())).settings.serve))
        opened = stack.enter_context(open_services(recognizers))
        server, started = make_server([service for service, _ in opened], listening), threading.Event()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        running = [Running(address, service, _keys(service)) for service, _ in opened]
        keeping = [housekeeping for _, housekeeping in opened]
        thread = threading.Thread(target=run, args=(server, keeping, started.set))
        thread.start()
        try:
            assert started.wait(60)
            yield running
        finally:
            server.should_exit = True
            thread.join()


def _keys(service: Service) -> dict[str, str]:
    roles = ("device", "viewer", "operator", "admin")
    keys = {role: service.keys.create(role, role).token for role in roles}
    service.authenticator.refresh()
    return keys


def png(image: Image) -> bytes:
    """A picture as PNG."""
    buffer = io.BytesIO()
    PilImage.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def until(true: Callable[[], object]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def finished(admin: httpx.Client, job: str) -> dict[str, Any]:
    """A job of the service once it has ended."""
    until(lambda: admin.get(f"/jobs/{job}").json()["finished"] is not None)
    return dict(admin.get(f"/jobs/{job}").json())
