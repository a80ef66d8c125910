"""Sources that the service itself watches: real streams and files on loopback, a real service."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_tools import FPS, MjpegServer, walk
from service_tools import serving

from knownface.live import reading
from knownface.media import VideoWriter
from knownface.storage import Database
from knownface.storage.lease import Lease
from knownface.types import Image

NAME = "Eileen Collins"


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def walking(astronaut: Image) -> list[Image]:
    return walk(astronaut, 2.0)


@pytest.fixture
def camera(walking: list[Image]) -> Iterator[MjpegServer]:
    with MjpegServer(walking, FPS) as stream:
        yield stream


def state(admin: httpx.Client, source: int) -> dict[str, Any]:
    told = admin.get(f"/live/sources/{source}").json()
    assert told["status"] is not None, told
    return dict(told["status"])


def add(admin: httpx.Client, name: str, address: str) -> int:
    made = admin.post("/live/sources", json={"name": name, "address": address})
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/v1/live/sources/{made.json()['id']}"
    return int(made.json()["id"])


def seen(admin: httpx.Client) -> list[str]:
    return [one["name"] for one in admin.get("/sightings").json()["items"]]


def test_how_long_stopping_takes_does_not_tell_who_listens(tmp_path: Path) -> None:
    """A source that is being connected to is let go at once, whether anybody answers there or not."""
    with serving(tmp_path) as up, up.http() as admin, socket.create_server(("127.0.0.1", 0)) as nobody:
        source = add(admin, "nobody", f"rtsp://127.0.0.1:{nobody.getsockname()[1]}/")
        with nobody.accept()[0] as connection:
            assert admin.delete(f"/live/sources/{source}").status_code == 204
            assert is_open(connection)  # FFmpeg still waits there for an answer
            nobody.close()


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while connection.recv(1000):
            pass
    except BlockingIOError:
        return True
    return False


@pytest.mark.slow
def test_a_camera_is_watched_lost_found_stopped_and_forgotten(
    tmp_path: Path, walking: list[Image], eileen: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path) as up, up.http() as admin, caplog.at_level("INFO"), MjpegServer(walking, FPS) as stream:
        person = admin.post("/people", json={"name": NAME}).json()["id"]
        admin.post(f"/people/{person}/templates", files={"pictures": eileen})
        secret = f"http://viewer:hunter2@127.0.0.1:{stream.port}/live?token=hunter3"
        source = add(admin, "front <b>door", secret)
        until(lambda: state(admin, source)["names"] == [NAME])
        assert state(admin, source)["state"] == "running"
        shown = admin.get(f"/live/sources/{source}/preview")
        assert (shown.headers["content-type"], shown.content[:2]) == ("image/jpeg", b"\xff\xd8")
        assert shown.headers["cache-control"] == "no-store"
        until(lambda: admin.get("/live/present").json()["faces"])
        [face] = admin.get("/live/present").json()["faces"]
        assert (face["person"], face["source"], face["session"]) == (person, "front <b>door", f"source-{source}")
        picture = admin.get(f"/live/sessions/{face['session']}/tracks/{face['track']}/picture")
        assert picture.content[:2] == b"\xff\xd8"

        stream.close()
        until(lambda: state(admin, source)["state"] == "reconnecting")
        assert "cannot be reached" in state(admin, source)["last_error"] or state(admin, source)["last_error"]
        until(lambda: admin.get("/live/present").json()["faces"] == [])
        with MjpegServer(walking, FPS, stream.port):
            until(lambda: state(admin, source)["state"] == "running")
            assert state(admin, source)["reconnects"] == 1
            stopped = admin.post(f"/live/sources/{source}/stop").json()
            assert (stopped["running"], stopped["status"], stopped["elsewhere"]) == (False, None, False)
        assert set(seen(admin)) == {NAME}  # written down when the answer came
        assert admin.get(f"/live/sources/{source}/preview").json()["code"] == "not-found"
        everything = [admin.get(path).text for path in ("/live/sources", "/audit", "/sightings", "/metrics", "/events")]
        assert admin.delete(f"/live/sources/{source}").status_code == 204
        assert admin.get(f"/live/sources/{source}").status_code == 404
        assert set(seen(admin)) == {NAME}
        assert [entry["action"] for entry in admin.get("/audit?action=source.").json()["items"]] == [
            "source.delete",
            "source.stop",
            "source.add",
        ]
    for text in (*everything, caplog.text):
        assert "hunter" not in text


@pytest.mark.slow
def test_what_was_watched_is_watched_after_a_restart_and_a_file_only_once(
    tmp_path: Path, walking: list[Image], camera: MjpegServer, eileen: bytes
) -> None:
    clip = tmp_path / "walk.mp4"
    with VideoWriter(clip, FPS) as video:
        for frame in walking:
            video.write(frame)
    with serving(tmp_path, source_folder=tmp_path) as up, up.http() as admin:
        person = admin.post("/people", json={"name": NAME}).json()["id"]
        admin.post(f"/people/{person}/templates", files={"pictures": eileen})
        going, stopped, file = add(admin, "a", camera.url), add(admin, "b", camera.url), add(admin, "c", str(clip))
        admin.post(f"/live/sources/{stopped}/stop")
        until(lambda: state(admin, going)["state"] == "running")
        until(lambda: not admin.get(f"/live/sources/{file}").json()["running"])
        assert (state(admin, file)["state"], state(admin, file)["frames"]) == ("ended", len(walking))
        assert [one["name"] for one in admin.get("/sightings?source=c").json()["items"]] == [NAME]
    with serving(tmp_path, source_folder=tmp_path) as up, up.http() as admin:
        until(lambda: state(admin, going)["state"] == "running")
        told = {one["name"]: one for one in admin.get("/live/sources").json()}
        assert [told[name]["running"] for name in "abc"] == [True, False, False]
        assert told["b"]["status"] is told["c"]["status"] is None
        again = admin.post(f"/live/sources/{file}/start").json()
        assert again["running"]
        until(lambda: state(admin, file)["state"] == "ended")
        until(lambda: len(admin.get("/sightings?source=c").json()["items"]) == 2)


@pytest.mark.slow
def test_of_two_services_on_a_gallery_one_watches(tmp_path: Path, camera: MjpegServer) -> None:
    with ExitStack() as ends_first, ExitStack() as ends_last:
        here = ends_first.enter_context(ends_first.enter_context(serving(tmp_path)).http())
        door, window = add(here, "door", camera.url), add(here, "window", camera.url)
        there = ends_last.enter_context(ends_last.enter_context(serving(tmp_path)).http())
        until(lambda: state(here, door)["state"] == state(here, window)["state"] == "running")
        told = there.get(f"/live/sources/{door}").json()
        assert (told["running"], told["status"], told["elsewhere"]) == (True, None, True)
        assert "Another service" in there.get(f"/live/sources/{door}/preview").json()["message"]
        # Whoever is asked, the one that watches does it.
        assert not there.post(f"/live/sources/{door}/stop").json()["running"]
        until(lambda: here.get(f"/live/sources/{door}").json()["status"] is None)
        there.post(f"/live/sources/{door}/start")
        until(lambda: here.get(f"/live/sources/{door}").json()["status"] is not None)
        there.delete(f"/live/sources/{door}")
        until(lambda: len(here.get("/live/sources").json()) == 1)
        ends_first.close()
        # The other one takes over at once, since this one has ended in order.
        until(lambda: not there.get(f"/live/sources/{window}").json()["elsewhere"])
        until(lambda: state(there, window)["state"] == "running")


@pytest.mark.slow
def test_addresses_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_SLOWEST_NO", 0.5)
    with serving(tmp_path, source_folder=tmp_path / "videos") as up, up.http() as admin, up.http("viewer") as viewer:
        nobody = add(admin, "nobody", "rtsp://user:hunter2@127.0.0.1:9/live")
        until(lambda: state(admin, nobody)["last_error"])
        told = state(admin, nobody)
        assert (told["state"], told["frames"]) == ("reconnecting", 0)
        missing = add(admin, "missing", "day/none.mp4")
        until(lambda: state(viewer, missing)["state"] == "failed")
        assert state(viewer, missing)["last_error"] == told["last_error"] == reading.UNREADABLE
        assert viewer.get(f"/live/sources/{missing}").json()["address"] == "day/none.mp4"
        for body, code in (
            ({"name": "nobody", "address": "0"}, "name-taken"),
            ({"name": "x", "address": "ftp://example.org/"}, "unsupported"),
            ({"name": "x", "address": "http://["}, "unsupported"),
            ({"name": " ", "address": "0"}, "bad-name"),
            ({"name": "x", "address": "http://[64:ff9b::a9fe:a9fe]/"}, "bad-request"),
            ({"name": "x", "address": "/etc/passwd"}, "unsupported"),
            ({"name": "x", "address": "../gallery.db"}, "unsupported"),
            ({"name": "x", "address": "../none.mp4"}, "unsupported"),
        ):
            refused = admin.post("/live/sources", json=body)
            assert refused.json()["code"] == code, refused.text
        assert len(admin.get("/live/sources").json()) == 2


@pytest.mark.slow
def test_a_lease_is_held_by_one_and_runs_out_with_its_holder(tmp_path: Path) -> None:
    with Database.open(tmp_path / "g.db") as here, Database.open(tmp_path / "g.db") as there:
        first, second = Lease(here, "watching", 0.6), Lease(there, "watching", 0.6)
        other = Lease(there, "something else", 60)
        assert first.take()
        assert not second.take()
        assert other.take()
        end = time.monotonic() + 1.0
        while time.monotonic() < end:  # renewed for longer than it holds
            assert first.take()
            assert not second.take()
            time.sleep(0.05)
        until(second.take)  # the first one is not heard of any more
        first.give_back()  # what it thinks it has is not its any more
        assert not first.take()
        second.give_back()
        assert first.take()
