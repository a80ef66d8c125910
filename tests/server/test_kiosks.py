"""Kiosks: one session, one source, no way out but the PIN, and nothing but names for their keys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from service_tools import Running

from knownface.events import SeenTrack, open_session, report_session
from knownface.server.kiosks import pin_fits, pin_hash


@pytest.fixture
def session(served: Running, person: int, request: pytest.FixtureRequest) -> int:
    return open_session(served.service.database, request.node.name[:100], people=[person]).id


def set_up(up: Running, session: int, **more: Any) -> dict[str, Any]:
    with up.http("operator") as operator:
        made = operator.post(f"/attendance/{session}/kiosks", json={"place": "Entrance", "pin": "2468", **more})
    assert made.status_code == 201, made.text
    return dict(made.json())


@contextlib.contextmanager
def screen(up: Running, token: str) -> Iterator[httpx.Client]:
    """A browser at a door, signed in with a key."""
    with httpx.Client(base_url=up.address, timeout=60) as browser:
        begun = browser.post("/v1/session", json={"key": token})
        assert begun.json()["role"] == "device"
        browser.headers["X-CSRF-Token"] = begun.json()["csrf"]
        yield browser


def test_a_screen_shows_its_session_and_only_the_pin_leads_out(served: Running, session: int) -> None:
    kiosk = set_up(served, session)
    with screen(served, kiosk["made"]["token"]) as browser:
        for page in ("/", "/live", "/people", f"/attendance/{session}", "/settings/keys", "/sign-in"):
            assert str(browser.get(page, follow_redirects=True).url).endswith("/kiosk"), page
        shown = browser.get("/kiosk")
        assert SimpleCookie(shown.headers["set-cookie"])["knownface"]["max-age"] == str(400 * 24 * 3600)
        assert browser.get("/v1/kiosk").json()["is_open"]
        assert browser.get("/v1/people").status_code == 403
        assert browser.delete("/v1/session").status_code == 403
        assert [browser.post("/v1/kiosk/leave", json={"pin": "1357"}).status_code for _ in range(5)] == [403] * 5
        tired = browser.post("/v1/kiosk/leave", json={"pin": "2468"})
        assert (tired.status_code, tired.headers["retry-after"] > "0") == (429, True)
        served.service.pin_tries._buckets.clear()
        assert browser.post("/v1/kiosk/leave", json={"pin": "2468"}).status_code == 204
        assert str(browser.get("/kiosk", follow_redirects=True).url).endswith("/sign-in?next=/kiosk")
    noted = served.service.audit.page(limit=6, action="kiosk.leave")
    assert [entry.details["left"] for entry in noted] == [True, *[False] * 5]


def test_what_one_kiosk_sees_counts_in_no_other_lesson(served: Running, session: int, person: int) -> None:
    database = served.service.database
    other = open_session(database, f"Other {session}", people=[person]).id
    elsewhere = open_session(database, f"Elsewhere {session}", people=[person], sources=["hall"]).id
    first, now = set_up(served, session), datetime.now(UTC)
    seen = SeenTrack(f"kiosk/{session}", first["source"], person, None, now, now)
    served.service.sightings.record([seen])

    def present() -> list[int]:
        return [report_session(database, one).counts.get("present", 0) for one in (session, other, elsewhere)]

    assert present() == [1, 0, 0]
    # The screen follows to the next lesson, with another source; what it saw before stays where it was seen.
    second = set_up(served, other, key_id=first["key_id"])
    assert second["made"] is None
    assert second["source"] != first["source"]
    with served.http(None) as http:
        http.headers["Authorization"] = f"Bearer {first['made']['token']}"
        assert http.get("/kiosk").json()["kiosk"] == second["id"]
    assert present() == [1, 0, 0]
    with served.http("operator") as operator:
        assert operator.delete(f"/attendance/{session}").status_code == 204
    assert present_in(served, other) == 0


def present_in(up: Running, session: int) -> int:
    return report_session(up.service.database, session).counts.get("present", 0)


def test_a_key_without_a_kiosk_is_told_so_and_can_sign_out(served: Running) -> None:
    with screen(served, served.keys["device"]) as browser:
        assert "No kiosk yet" in browser.get("/live", follow_redirects=True).text
        assert browser.get("/v1/kiosk").status_code == 404
        assert browser.delete("/v1/session").status_code == 204


def test_only_a_key_of_a_device_opens_a_kiosk(served: Running, session: int) -> None:
    key = served.service.keys.create("desk", "viewer").key.id
    with served.http("operator") as operator:
        for body, status in (({"key_id": key}, 400), ({"key_id": 99_999}, 404), ({"pin": "12"}, 422)):
            wanted = {"place": "Entrance", "pin": "2468", **body}
            assert operator.post(f"/attendance/{session}/kiosks", json=wanted).status_code == status
        assert operator.post("/attendance/99999/kiosks", json={"place": "A", "pin": "2468"}).status_code == 404
    with served.http("viewer") as viewer:
        wanted = {"place": "Entrance", "pin": "2468"}
        assert viewer.post(f"/attendance/{session}/kiosks", json=wanted).status_code == 403


def test_devices_are_told_names_and_nothing_of_others(served: Running, stranger: bytes) -> None:
    faces = {}
    for role in ("device", "viewer"):
        with served.http(role) as http:
            answer = http.post("/identify", files={"picture": ("a.png", stranger)})
            faces[role] = answer.json()["faces"][0]
    assert faces["device"]["candidates"] == []
    assert faces["device"]["distance"] is None
    assert faces["device"]["box"] == faces["viewer"]["box"]


def test_a_pin_is_kept_as_a_salted_hash() -> None:
    kept = pin_hash("2468")
    assert "2468" not in kept.split("$")[0]
    assert pin_hash("2468") != kept
    assert pin_fits("2468", kept)
    assert not pin_fits("2469", kept)
