"""Two services and a watcher on one PostgreSQL: each sees what another did, and all outlast a stop of the server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from live_tools import MjpegServer
from postgres_server import PostgresServer
from service_tools import Running, png, serving_by, until

import toy_plugin
from knownface import FaceRecognizer
from knownface.events import SightingLog
from knownface.live import FrameResult, Sink, Watcher
from knownface.live.recording import Recorder


class Labels(Sink):
    """What the watcher shows, and what became of its source."""

    wants_frames = False

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.happened: list[str] = []

    def take(self, result: FrameResult) -> None:
        self.happened += [event.kind for event in result.events]
        self.shown += [face.identity.label for face in result.faces]


@contextlib.contextmanager
def service(url: str) -> Iterator[Running]:
    limits: dict[str, Any] = {"rate_per_key": 100_000.0, "rate_per_address": 100_000.0, "port": 0}
    with FaceRecognizer.open(url, serve=limits) as recognizer, serving_by({"": recognizer}) as (up,):
        yield up


def name_of(client: httpx.Client, person: int) -> str | None:
    answer = client.post("/identify", files={"picture": ("a.png", png(toy_plugin.picture(person, 5)))})
    answer.raise_for_status()
    name: str | None = answer.json()["faces"][0]["name"]
    return name


@pytest.mark.slow
def test_a_change_shows_everywhere_and_a_stopped_server_ends_nothing(
    toy_engine: None, postgres: PostgresServer, postgres_url: str
) -> None:
    labels = Labels()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(stack.enter_context(service(postgres_url)).http()) for _ in range(2)]
        one, other = clients
        people = [one.post("/people", json={"name": name}).json()["id"] for name in ("Ada", "Ben")]
        for person, number in enumerate(people):
            pictures = [("pictures", (f"{shot}.png", png(toy_plugin.picture(person, shot)))) for shot in range(2)]
            one.post(f"/people/{number}/templates", files=pictures).raise_for_status()
        assert [name_of(other, person) for person in range(2)] == ["Ada", "Ben"]

        camera = stack.enter_context(MjpegServer([toy_plugin.picture(0, 2)], 15))
        recognizer = stack.enter_context(FaceRecognizer.open(postgres_url))
        recorder = Recorder(recognizer)
        sinks = [labels, *recorder.sinks("door", lambda event: None)]
        watcher = Watcher(camera.url, recognizer, None, sinks, name="door", new_number=recorder.new_unknown_number)
        stack.enter_context(watcher)
        until(lambda: "Ada" in labels.shown)
        one.patch(f"/people/{people[0]}", json={"name": "Adele"}).raise_for_status()
        assert name_of(other, 0) == "Adele", "in the very next answer"
        until(lambda: labels.shown[-1:] == ["Adele"])
        other.delete(f"/people/{people[1]}").raise_for_status()
        assert name_of(one, 1) is None

        postgres.stop()
        try:
            for client in clients:
                refused = client.post("/people", json={"name": "Nobody"})
                assert (refused.status_code, refused.json()["code"]) == (503, "gallery-unreachable")
                assert "Retry-After" in refused.headers
                until(lambda client=client: client.get("/ready").status_code == 503)
            until(lambda: "lost" in labels.happened)
            assert (watcher.status().state, watcher.status().names) == ("reconnecting", ())
            shown = len(labels.shown)
        finally:
            postgres.start()
        with ThreadPoolExecutor(2) as pool:  # both are asked at once, when both find their connections gone
            assert list(pool.map(lambda client: name_of(client, 0), clients)) == ["Adele", "Adele"]
        assert [name_of(client, 1) for client in clients] == [None, None]
        until(lambda: [client.get("/ready").status_code for client in clients] == [200, 200])
        until(lambda: "Adele" in labels.shown[shown:])
        assert [person["name"] for person in other.get("/people").json()["items"]] == ["Adele"]
    with FaceRecognizer.open(postgres_url) as recognizer:
        seen = [sighting for sighting in SightingLog(recognizer.gallery).find() if sighting.source == "door"]
    assert watcher.error is None
    assert {sighting.label for sighting in seen} == {"Adele"}
    assert labels.happened.count("connected") == 2
