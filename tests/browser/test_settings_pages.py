"""Keys and what each role may see and do, calibration, and what the settings tell."""

from __future__ import annotations

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from browser_page import BrowserMaker, Faces, Page, Service
from selenium.webdriver.common.keys import Keys

from knownface.gallery import Gallery, NewTemplate

pytestmark = pytest.mark.slow


def _made(page: Page) -> str:
    """The key that is shown once."""
    field = page.one("#token")
    page.until(lambda: field.get_property("value"))
    token = str(field.get_property("value"))
    page.one("#show-key [data-close]").click()
    page.until(lambda: not field.get_property("value"))
    return token


def crowd(service: Service) -> None:
    """Enough people to promise a rate: 80 with two pictures each, their embeddings drawn at random."""
    random = np.random.default_rng(7)
    with Gallery.open(service.served.gallery, create=False) as gallery:
        assert gallery.contract is not None
        dim = gallery.contract.dim
        gallery.bind(gallery.contract)
        new = []
        for number in range(80):
            middle = random.normal(size=dim)
            for picture in range(2):
                vector = (middle + 0.2 * random.normal(size=dim)).astype(np.float32)
                source = f"{number}-{picture}.jpg"
                digest = hashlib.sha256(source.encode()).hexdigest()
                new.append((f"Person {number}", NewTemplate(vector / np.linalg.norm(vector), source, digest)))
        gallery.enrol(new)


def _status(service: Service, key: str) -> int:
    address = f"{service.served.address}/v1/session"
    return httpx.get(address, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_is_made_given_a_new_secret_and_revoked(open_page: BrowserMaker, service: Service) -> None:
    page = open_page()
    page.go("/settings/keys")
    page.button("Make a key").click()
    page.field("Name").send_keys("front door")
    page.one("#key-role").send_keys("Device")
    page.one("#new-key button.primary").click()
    first = _made(page)
    assert _status(service, first) == 200
    page.until(lambda: "front door" in page.one("[data-region=keys]").text)
    page.button("New secret front door").click()
    second = _made(page)
    assert (_status(service, first), _status(service, second)) == (401, 200)
    page.button("Revoke front door").click()
    page.one("dialog[open] button.danger").click()
    page.says("“front door” was revoked")
    assert _status(service, second) == 401
    page.go("/settings/audit?action=key.")
    assert {code.text for code in page.all("td code")} >= {"key.create", "key.rotate", "key.revoke"}
    assert first not in page.browser.page_source
    assert page.complaints() == []


def test_each_role_sees_what_it_may_do(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    person = service.add(faces.name, faces.photos[:1])
    for role, may_edit in (("viewer", False), ("operator", True)):
        key = service.ask("POST", "/keys", json={"name": f"a {role}", "role": role})["token"]
        page = open_page(key=key)
        page.go(f"/people/{person}")
        page.says(faces.name)
        assert bool(page.all("[data-open=delete]")) is may_edit
        assert bool(page.all("#files")) is may_edit
        page.go("/people")
        assert bool(page.all("a[href='/people/new']")) is may_edit
        page.go("/settings")
        page.says("Parameters of recognition")
        assert page.all("#calibrate") == []
        assert page.all("a[href='/settings/keys']") == []
        page.go("/settings/keys")
        page.says("Your key does not allow this")
        page.go("/live")
        assert page.all("[data-open=add-source]") == []


def test_a_wrong_key_is_refused_and_signing_out_ends_the_session(open_page: BrowserMaker, service: Service) -> None:
    page = open_page(sign_in=False)
    page.go("/people")
    page.until(lambda: page.path() == "/sign-in")
    page.field("Key").send_keys("kf_0000000000_nothing", Keys.ENTER)
    page.until(lambda: page.one("#sign-in .error").text)
    page.field("Key").clear()
    page.field("Key").send_keys(service.served.key, Keys.ENTER)
    page.until(lambda: page.path() == "/people")  # where one wanted to go
    cookie = {c["name"]: c for c in page.browser.get_cookies()}
    assert len(cookie) == 1
    assert next(iter(cookie.values()))["httpOnly"]
    page.button("Sign out").click()
    page.until(lambda: page.path() == "/sign-in")
    page.go("/people")
    page.until(lambda: page.path() == "/sign-in")


def test_calibration_runs_from_the_page_and_its_rule_is_shown(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    """With too few people it says so; with enough it tells what was measured, and the rule in force changes."""
    page = open_page()
    page.go("/settings")
    page.says("Not calibrated for these people yet")
    page.button("Calibrate").click()
    page.until(lambda: page.one("#calibrate .error").text)
    service.add(faces.name, faces.photos[:1])
    crowd(service)
    page.go("/settings")
    page.one("#fpir").send_keys("10 %")
    page.one("#strangers").send_keys("\n".join(str(photo) for photo in faces.others))
    page.button("Calibrate").click()
    page.until(lambda: page.one("#calibration-state").text == "Calibrated.")
    calibrated = service.ask("GET", "/calibration")
    assert calibrated["calibration"] is not None, page.text()
    page.says("At most 10 % of strangers get a name")
    assert service.ask("GET", "/jobs")[-1]["result"]["strangers"] == len(faces.others)
    assert service.ask("GET", "/calibration/strangers")["people"] == 0  # none is kept
    assert page.complaints() == []


def test_the_settings_tell_the_model_its_licence_and_what_is_kept(open_page: BrowserMaker, service: Service) -> None:
    page = open_page()
    page.go("/settings")
    facts = dict(zip((t.text for t in page.all("dt")), (d.text for d in page.all("dd")), strict=True))
    found = service.ask("GET", "/models")
    used = next(model for model in found if model["in_use"] and model["task"] == "embedder")
    assert facts["Faces are compared by"].startswith(used["name"])
    assert facts["Licence of its weights"].startswith(used["licence"])
    assert used["licence_note"] in facts["Licence of its weights"]
    assert facts["Pictures of sightings"].startswith("Kept")
    assert facts["New pictures of known people"].startswith("Offered")
    assert facts["Database"] == str(service.served.gallery)


def test_what_a_change_of_network_does_not_find_is_listed(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    service.add(faces.name, faces.photos[:1])
    with Gallery.open(service.served.gallery, create=False) as gallery:
        vectors = gallery.vectors().embeddings
        gallery.add_templates("Nobody's Photo", [NewTemplate(vectors[0], "a tape", "0" * 64)])
        assert gallery.contract is not None
        before = gallery.contract.name
    page = open_page()
    page.go("/settings")
    page.field("Change to another network").send_keys("dlib-resnet")
    page.button("Change network").click()
    page.says("1 picture was not found again, so nothing was changed")
    assert "Nobody's Photo" in page.one("#network-lost").text
    assert "The picture came from no file." in page.one("#network-lost").text
    assert page.button("Change, and leave these out").is_enabled()
    assert page.all("#network-progress:not([hidden])") == []
    assert service.ask("GET", "/network")["embedder"] == before
    assert page.complaints() == []


def test_an_alert_rule_is_made_changed_and_deleted(open_page: BrowserMaker, service: Service) -> None:
    page = open_page()
    page.go("/settings/alerts")
    page.button("Add a rule").send_keys(Keys.ENTER)
    page.one("#new-rule-name").send_keys("late")
    page.one("#new-rule-kind").send_keys("Somebody is missing")
    page.one("#new-rule-group").send_keys("staff")
    page.one("#new-rule-by").send_keys("0900AM")
    zone = page.one("#new-rule-zone").get_property("value")
    page.one("#new-rule button.primary").send_keys(Keys.ENTER)
    page.until(lambda: "staff" in page.one("[data-region=rules]").text)
    [rule] = service.ask("GET", "/alerts/rules")
    assert (rule["name"], rule["kind"], rule["by"], rule["time_zone"]) == ("late", "missing", "09:00", zone)
    page.button("Edit late").send_keys(Keys.ENTER)
    page.one(f"#rule-{rule['id']}-kind").send_keys("A stranger is seen")
    page.one(f"#rule-{rule['id']} button.primary").send_keys(Keys.ENTER)
    page.until(lambda: "A stranger is seen" in page.one("[data-region=rules]").text)
    assert service.ask("GET", f"/alerts/rules/{rule['id']}")["group"] is None
    page.button("Delete for good late").send_keys(Keys.ENTER)
    page.until(lambda: "late" not in page.one("[data-region=rules]").text)
    assert page.complaints() == []


def test_the_rest_interface_is_shown_and_tried_out_from_the_service_alone(
    open_page: BrowserMaker, service: Service
) -> None:
    page = open_page()
    page.go("/docs")
    page.one("#operations-people-people_list_people .opblock-summary-control").click()
    page.button("Try it out").click()
    page.button("Execute").click()
    page.until(lambda: page.one(".live-responses-table tbody .response-col_status").text.startswith("200"))
    loaded = page.browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert all(address.startswith(service.served.address) for address in loaded)
    assert page.complaints() == []


def test_times_are_told_in_the_zone_that_is_chosen(open_page: BrowserMaker, service: Service) -> None:
    person = service.add("Ada", [])
    service.ask("PATCH", f"/people/{person}", json={"name": "Adda"})
    page = open_page()
    page.go("/settings")
    field = page.field("Time zone")
    field.clear()
    field.send_keys("Nowhere/Land", Keys.ENTER)
    page.says("There is no such time zone")
    field.clear()
    field.send_keys("Asia/Kathmandu", Keys.ENTER)
    page.until(
        lambda: (
            "no such time zone" not in page.text() and page.field("Time zone").get_property("value") == "Asia/Kathmandu"
        )
    )
    page.go("/people/history")
    shown = page.one("time")
    at = datetime.fromisoformat(str(shown.get_attribute("datetime"))).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f"{at:%I:%M %p}".lstrip("0") in shown.text.replace("\u202f", " ")
    page.go("/log?after=2026-03-01T09:30:00Z")
    assert page.one("[data-name=after]").get_property("value") == "2026-03-01T15:15"
    assert page.complaints() == []
