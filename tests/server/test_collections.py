"""Several galleries in one service: the key chooses, and reaches no other."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from service_tools import Running, serving_all, until
from websockets.sync.client import ClientConnection, connect

from dlib_parts import dlib_recognizer
from knownface.errors import SettingsError


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    """A school and an office in one program."""
    with serving_all(tmp_path_factory.mktemp("two"), ["", "office"]) as (school, office):
        yield school, office


def names(client: httpx.Client) -> list[str]:
    return [person["name"] for person in client.get("/people").json()["items"]]


def test_a_key_sees_its_own_gallery_alone(two: tuple[Running, Running], eileen: bytes) -> None:
    school, office = two
    assert school.address == office.address
    with school.http() as at_school, office.http() as at_office:
        made = at_office.post("/people", json={"name": "Eileen"}).json()["id"]
        added = at_office.post(f"/people/{made}/templates", files={"pictures": eileen}).json()
        assert added["added"] == 1
        assert at_school.post("/people", json={"name": "Somebody"}).json()["id"] == made
        assert (names(at_school), names(at_office)) == (["Somebody"], ["Eileen"])
        told = [
            client.post("/identify", files={"picture": eileen}).json()["faces"] for client in (at_school, at_office)
        ]
        assert [faces[0]["name"] for faces in told] == [None, "Eileen"]
        template = added["pictures"][0]["templates"][0]
        assert at_office.get(f"/templates/{template}/picture").status_code == 200
        assert at_school.get(f"/templates/{template}/picture").status_code == 404
        assert at_school.delete(f"/people/{made}").status_code == 200
        assert names(at_office) == ["Eileen"]
    with httpx.Client(base_url=f"{office.address}/api/v1", headers={"x-api-key": office.keys["viewer"]}) as theirs:
        assert theirs.get("/recognition/subjects").json() == {"subjects": ["Eileen"]}
    forged = office.keys["admin"].rpartition("_")[0] + "_" + school.keys["admin"].rpartition("_")[2]
    assert httpx.get(f"{office.address}/v1/people", headers={"Authorization": f"Bearer {forged}"}).status_code == 401


def _heard(running: Running, socket: ClientConnection) -> list[str]:
    """What comes of an event; it may have been published before the service listened for it."""
    running.service.streams.events.publish({"type": "test"})
    with contextlib.suppress(TimeoutError):
        return [str(socket.recv(timeout=0.2))]
    return []


def test_a_browser_stays_where_it_signed_in(two: tuple[Running, Running]) -> None:
    school, office = two
    with httpx.Client(base_url=office.address) as browser:
        begun = browser.post("/v1/session", json={"key": office.keys["admin"]})
        assert begun.status_code == 201
        made = browser.post("/v1/people", json={"name": "Ben"}, headers={"X-CSRF-Token": begun.json()["csrf"]})
        assert made.status_code == 201
        assert "Ben" in browser.get("/people").text
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        address = office.address.replace("http", "ws") + "/v1/live/events"
        with connect(address, additional_headers={"Cookie": cookie}) as socket:
            told: list[str] = []
            until(lambda: told.extend(_heard(office, socket)) or told)
            assert json.loads(told[0]) == {"type": "test"}
        audit = browser.get("/v1/audit").json()["items"]
        assert "person.create" in [entry["action"] for entry in audit]  # what others did may be written after it
    with school.http() as at_school:
        assert "Ben" not in names(at_school)


def test_another_gallery_is_opened_with_the_networks_that_are_in_memory(tmp_path: Path) -> None:
    with dlib_recognizer(tmp_path / "one.db") as one, one.beside(str(tmp_path / "two.db")) as two:
        assert two.embedder is one.embedder
        assert two.detector is one.detector
        assert two.gallery.location != one.gallery.location


def test_a_gallery_cannot_be_served_twice(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from knownface.cli.serve import _further_galleries
    from knownface.settings import load_settings

    monkeypatch.setenv("KNOWNFACE_SERVE__COLLECTIONS", '{"office": "g.db"}')
    assert _further_galleries(load_settings(gallery="h.db")) == {"office": "g.db"}
    with pytest.raises(SettingsError, match="twice"):
        _further_galleries(load_settings(gallery="g.db"))
    monkeypatch.setenv("KNOWNFACE_SERVE__COLLECTIONS", '{"an office": "g.db"}')
    with pytest.raises(SettingsError, match="no name"):
        load_settings(gallery="h.db")
