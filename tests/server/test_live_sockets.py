"""WebSockets of the live page, by a real client: the newest picture counts, and nobody stays who may not."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image as PilImage
from service_tools import Running, serving
from test_hostile import bomb
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from knownface.server.live.camera import MOST_BYTES
from knownface.types import Image


@pytest.fixture(scope="module")
def jpeg(astronaut: Image) -> bytes:
    """Her face and little more, so that looking for it is quick."""
    buffer = io.BytesIO()
    PilImage.fromarray(np.ascontiguousarray(astronaut[0:240, 120:360])).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with nobody in its gallery."""
    with serving(tmp_path_factory.mktemp("live")) as up:
        yield up


def opened(up: Running, path: str = "camera", role: str | None = "admin", **headers: str) -> ClientConnection:
    if role is not None:
        headers["Authorization"] = f"Bearer {up.keys[role]}"
    address = f"{up.address.replace('http', 'ws')}/v1/live/{path}"
    return connect(address, additional_headers=headers, max_size=None)


def told(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(socket.recv(timeout=60)))


def closed(socket: ClientConnection) -> int:
    """The code with which the service closes a connection; what it says before is passed over."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=60)
    assert socket.close_code is not None
    return socket.close_code


def look_until(socket: ClientConnection, picture: bytes, true: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Send a picture again and again until what is answered is as wished; the first face."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        socket.send(picture)
        answer = told(socket)
        assert answer["type"] == "frame", answer
        if answer["faces"] and true(answer["faces"][0]):
            return dict(answer["faces"][0])
    raise AssertionError(answer)


def test_the_newest_picture_counts(live: Running, jpeg: bytes) -> None:
    with opened(live, "camera?source=desk") as socket:
        assert told(socket)["type"] == "session"
        sent = 30
        for _ in range(sent):
            socket.send(jpeg)
        answered = []
        while not answered or answered[-1] < sent:
            answer = told(socket)
            assert (answer["type"], answer["width"], len(answer["faces"])) == ("frame", 240, 1)
            answered.append(answer["frame"])
    assert answered == sorted(set(answered))
    assert len(answered) < sent


def test_what_is_no_picture_is_told_and_the_next_one_looked_at(live: Running, jpeg: bytes) -> None:
    with opened(live) as socket:
        told(socket)
        for bad, codes in (
            (jpeg[: len(jpeg) // 2], {"unreadable", None}),  # half a JPEG may still show something
            (b"\xff\xd8\xff" + b"x" * 100, {"unreadable"}),
            (b"", {"unreadable", "unsupported"}),
            (b"<html>", {"unsupported"}),
            (bomb(100_000, 100_000), {"too-large"}),
        ):
            socket.send(bad)
            answer = told(socket)
            assert answer.get("code") in codes, (bad[:10], answer)
        socket.send("text is passed over")
        socket.send(jpeg)
        answer = told(socket)
        assert (answer["type"], answer["frame"]) == ("frame", 6)


def test_a_message_that_is_too_large_ends_it(live: Running) -> None:
    with opened(live) as socket:
        told(socket)
        with contextlib.suppress(ConnectionClosed):  # hung up on while still sending
            socket.send(b"\xff" * (MOST_BYTES + 1))
        assert closed(socket) in {1009, 1006}  # 1006: the word of why did not get through what was still being sent
    until_no_camera(live)


def test_who_may_not_is_closed_out(live: Running) -> None:
    with live.http(None) as http:
        cookies = http.post("/session", json={"key": live.keys["admin"]}).cookies
    cookie = f"knownface={cookies['knownface']}"
    host = live.address.removeprefix("http://")
    for path, role, headers, code in (
        ("camera", None, {}, 4401),
        ("camera", None, {"Authorization": "Bearer kf_x_y"}, 4401),
        ("events", None, {}, 4401),
        ("events", "device", {}, 4403),
        ("camera", None, {"Cookie": cookie, "Origin": "https://evil.example"}, 4403),
        ("camera", None, {"Cookie": cookie, "Origin": "null"}, 4403),
        ("events", None, {"Cookie": cookie, "Origin": f"http://{host}.evil.example"}, 4403),
        ("events", "viewer", {"Origin": "https://evil.example"}, 4403),
    ):
        with opened(live, path, role, **headers) as socket:
            assert closed(socket) == code, (path, headers)
    with opened(live, "camera", None, Cookie=cookie, Origin=f"http://{host}") as socket:
        assert told(socket)["type"] == "session"
    with pytest.raises(InvalidStatus):
        opened(live, "camera", Host="evil.example")
    with opened(live, "camera?source=%00") as socket:
        assert closed(socket) == 4422


def test_a_key_that_is_revoked_ends_what_it_opened(live: Running, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knownface.server.routes.live_sockets.CHECK_EVERY", 0.05)
    made = live.service.keys.create("short", "viewer")
    live.service.authenticator.refresh()
    live.keys["short"] = made.token
    with opened(live, "camera", "short") as camera, opened(live, "events", "short") as events:
        told(camera)
        camera.send(jpeg)
        assert told(camera)["type"] == "frame"
        with live.http() as admin:
            admin.delete(f"/keys/{made.key.id}")
        assert closed(camera) == 4401
        assert closed(events) == 4401


def test_a_camera_that_falls_silent_and_one_too_many(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knownface.server.routes.live_sockets.SILENCE", 0.2)
    with opened(live) as socket:
        assert closed(socket) == 4408
    monkeypatch.undo()
    monkeypatch.setattr("knownface.server.live.streams.MOST_CAMERAS", 1)
    with opened(live) as first:
        told(first)
        with opened(live) as second:
            assert closed(second) == 4503


@pytest.mark.slow
def test_an_unknown_is_told_named_and_known_from_then_on(live: Running, jpeg: bytes) -> None:
    """The events are told as they happen; the sightings of the Unknown become the person's."""
    with live.http("operator") as http, opened(live, "events", "viewer") as events:
        with opened(live, "camera?source=front%20door", "device") as camera:
            session = told(camera)["session"]
            face = look_until(camera, jpeg, lambda face: face["state"] == "unknown")
            assert face["name"] is None
            happened = told(events)
            while happened.get("event") != "unknown" or happened["session"] != session:  # of other tests' cameras
                happened = told(events)
            assert (happened["source"], happened["unknown"]) == ("front door", face["unknown"])
            here = until_present(http, session, camera, jpeg)
            assert (here["track"], here["unknown"], here["name"]) == (face["track"], face["unknown"], None)
            track = f"/live/sessions/{session}/tracks/{face['track']}"
            with live.http("viewer") as viewer:
                assert viewer.post(f"{track}/name", json={"name": "Eileen"}).status_code == 403
                assert viewer.get(f"{track}/picture").content[:2] == b"\xff\xd8"
            for wrong, code in (({"name": "Unknown"}, 409), ({"name": ""}, 422), ({}, 422)):
                assert http.post(f"{track}/name", json=wrong).status_code == code
            assert http.post(f"/live/sessions/{session}/tracks/99999/name", json={"name": "E"}).status_code == 404
            named = http.post(f"{track}/name", json={"name": "Eileen"}).json()
            assert named["person"]["name"] == "Eileen"
            assert named["enrolled"] >= 1
            again = look_until(camera, jpeg, lambda face: face["state"] == "named")
            assert (again["name"], again["person"]) == ("Eileen", named["person"]["id"])
            happened = told(events)
            while happened.get("event") != "named":
                happened = told(events)
            assert happened["name"] == "Eileen"
        until_no_camera(live)
        assert http.post(f"{track}/name", json={"name": "Eileen"}).json()["code"] == "not-found"
        of_door = http.get("/sightings", params={"source": "front door"}).json()["items"]
        assert {one["name"] for one in of_door} == {"Eileen"}
        picture = http.get(f"/people/{named['person']['id']}/picture")
        assert picture.content[:2] == b"\xff\xd8"


def until_no_camera(live: Running) -> None:
    end = time.monotonic() + 60
    while live.service.streams.all():
        assert time.monotonic() < end
        time.sleep(0.02)


def until_present(http: httpx.Client, session: str, camera: ClientConnection, picture: bytes) -> dict[str, Any]:
    """Who is there according to the service, which tells it as pictures come."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        camera.send(picture)
        told(camera)
        for face in http.get("/live/present").json()["faces"]:
            if face["session"] == session:
                return dict(face)
    raise AssertionError("nobody is present")
