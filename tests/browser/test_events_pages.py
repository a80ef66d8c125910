"""Attendance from opening a session to its CSV, the log with its filters, and names that are scripts."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from browser_page import BrowserMaker, Faces, Page, Service
from selenium.webdriver.common.by import By

from knownface.events import (
    AlertRule,
    Alerts,
    RetentionPolicy,
    SeenTrack,
    SightingLog,
    add_rule,
    list_pending,
)
from knownface.gallery import Gallery

pytestmark = pytest.mark.slow

SCRIPT = "<script>document.title='broken'</script><img src=x onerror=alert(1)>"


def download(page: Page, words: str, kind: str) -> Path:
    """Download a file of some kind, and wait for it."""
    page.button("Download").click()
    page.one("dialog[open] select[name=format]").send_keys(words)
    page.one("dialog[open] button.primary").click()
    page.until(lambda: list(page.downloads.glob(f"*.{kind}")))
    return next(page.downloads.glob(f"*.{kind}"))


def test_attendance_is_run_and_its_list_downloaded(
    open_page: BrowserMaker, service: Service, faces: Faces, tmp_path: Path
) -> None:
    service.add(faces.name, faces.photos)
    page = open_page(faces.seen)
    guests = tmp_path / "guests.csv"
    guests.write_text(f"name,table\n{faces.name},5\nGrace Hopper,7\n", encoding="utf-8")
    page.go("/attendance")
    page.says("No session yet")
    page.button("Open a session").click()
    page.field("Name").send_keys("Spring dinner")
    page.browser.find_element(By.CSS_SELECTOR, "[name=expected][value=guests]").click()
    page.browser.find_element(By.CSS_SELECTOR, "[name=guests]").send_keys(str(guests))
    began = (datetime.now(UTC) - timedelta(minutes=5)).replace(second=0, microsecond=0)
    page.browser.execute_script(
        "arguments[0].value = arguments[1]", page.field("Begins"), f"{began.astimezone():%Y-%m-%dT%H:%M}"
    )
    page.one("#session-form button.primary").click()
    page.until(lambda: page.path().startswith("/attendance/"))
    assert datetime.fromisoformat(service.ask("GET", "/attendance")["items"][0]["opened"]) == began
    page.until(lambda: [page.one(f"[data-count={s}]").text for s in ("present", "expected")] == ["0", "2"])
    # At the door: the kiosk greets, with the table that the list names.
    page.button("Kiosk").click()
    page.field("PIN").send_keys("2468")
    page.button("Set up").click()
    page.until(lambda: page.path() == "/kiosk")
    page.until(lambda: page.one("#greeting").text == f"Welcome, {faces.name}.")
    assert page.one("#greeting-more").text == "Table: 5"
    page.until(lambda: faces.name in page.one("#arrived").text)
    # Whatever address is given, it stays the kiosk; the PIN leads out.
    session = service.ask("GET", "/attendance")["items"][0]["id"]
    page.go(f"/attendance/{session}")
    page.until(lambda: page.path() == "/kiosk" and page.one("#greeting").text == f"Welcome, {faces.name}.")
    page.one("[data-open=kiosk-settings]").click()
    page.field("PIN").send_keys("1357")
    page.button("Leave").click()
    page.says("This is not the PIN of this kiosk.")
    page.field("PIN").clear()
    page.field("PIN").send_keys("2468")
    page.button("Leave").click()
    page.until(lambda: page.path() == "/sign-in")
    page.sign_in(service.served.key)
    page.go(f"/attendance/{session}")
    page.until(lambda: page.one("[data-count=present]").text == "1")
    page.field("Mark as present:").send_keys("Grace Hoper")
    page.button("Mark").click()
    page.says("Is Grace Hopper meant?")
    page.one("#walk-in [data-close]").click()
    page.field("Mark as present:").clear()
    page.field("Mark as present:").send_keys("grace hopper")
    page.button("Mark").click()
    page.until(lambda: page.one("[data-count=present]").text == "2")
    page.field("Mark as present:").send_keys("Linus")
    page.button("Mark").click()
    page.button("Add to the session").click()
    page.until(lambda: page.one("[data-count=walk-in]").text == "1")
    page.browser.find_element(By.ID, "photo-files").send_keys(str(faces.photos[0]))
    page.until(lambda: f"Had come before: {faces.name}" in page.one("#photo-results").text)
    assert faces.name in page.one("#photo-results canvas").get_attribute("aria-label")
    page.button("Close session").click()
    page.says("The session is closed")
    with download(page, "CSV", "csv").open(encoding="utf-8-sig", newline="") as file:
        found = {row["name"]: row for row in csv.DictReader(file)}
    came = {faces.name: "present", "Grace Hopper": "present", "Linus": "walk-in"}
    assert {name: row["status"] for name, row in found.items()} == came
    assert found[faces.name]["table"] == "5"
    page.one("[data-open=delete-session]").click()
    page.one("dialog[open] button.danger").click()
    page.says("The session was deleted")
    assert page.complaints() == []


def test_alerts_are_confirmed_and_rejected_by_keyboard(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    shown = service.add(faces.name, faces.photos)
    now, picture = datetime.now(UTC), np.full((64, 64, 3), 120, np.uint8)
    with Gallery.open(service.served.gallery, create=False) as gallery, Alerts(gallery.database) as alerts:
        add_rule(gallery.database, AlertRule("watch list", "seen", confirm=1, cooldown=timedelta()))
        seen = SeenTrack("1", "front door", shown, None, now, now, best_distance=0.5, frames=9, picture=picture)
        SightingLog(gallery, RetentionPolicy(pictures=True)).record([seen])
        for _ in range(2):
            alerts.evaluate([seen])
        first = list_pending(gallery.database)[0]
    page = open_page()
    page.go("/live")
    page.says("2 alerts wait to be confirmed.")
    page.go("/log")
    page.one(".subnav a[href='/log/alerts'] .chip")
    page.go("/log/alerts")
    assert len(page.all(".oversight > li")) == 2
    page.until(lambda: len([img for img in page.all(".oversight img") if img.get_property("naturalWidth")]) == 4)
    page.press("n")
    assert page.browser.switch_to.active_element.get_attribute("id") == f"alert-{first.alert.id}"
    page.press("c")
    page.until(lambda: len(page.all(".oversight > li")) == 1)
    assert [event["rule"] for event in service.ask("GET", "/events")] == ["watch list"]
    page.until(lambda: page.browser.switch_to.active_element.get_attribute("id") == f"alert-{first.alert.id + 1}")
    page.press("r")
    page.says("Nothing waits")
    page.go("/log/alerts?decided=true")
    page.says("rejected by")
    assert len(service.ask("GET", "/events")) == 1
    assert page.complaints() == []


def test_a_guest_list_that_is_none_is_refused_and_the_form_stays(open_page: BrowserMaker, tmp_path: Path) -> None:
    page = open_page()
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("colour,size\nred,3\n", encoding="utf-8")
    page.go("/attendance")
    page.button("Open a session").click()
    page.field("Name").send_keys("Evening")
    page.one("[name=guests]").send_keys(str(wrong))
    page.one("#session-form button.primary").click()
    page.until(lambda: "name" in page.one("#session-form .error").text)
    assert page.field("Name").get_property("value") == "Evening"
    assert page.path() == "/attendance"


def test_the_log_is_filtered_and_what_is_shown_is_exported(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    people = {name: service.add(name, []) for name in ("Ann", "Ben")}
    now = datetime.now(UTC).replace(microsecond=0)
    with Gallery.open(service.served.gallery, create=False) as gallery:
        log = SightingLog(gallery)
        rows = [(people["Ann"], None, "front door", 60), (people["Ben"], None, "front door", 30)]
        rows += [(people["Ann"], None, "lab", 10), (None, log.new_unknown_number(), "lab", 5)]
        log.record(
            [
                SeenTrack(f"{now}/{n}", where, who, unknown, at := now - timedelta(minutes=ago), at, best_distance=0.5)
                for n, (who, unknown, where, ago) in enumerate(rows)
            ]
        )
    page = open_page()
    page.go("/log")

    def shown() -> list[str]:
        return [f"{cells[1]} {cells[2]}".split("\n")[0] for cells in _rows(page)]

    assert len(shown()) == 4
    assert shown()[-1] == "Ann front door"  # the newest first
    page.field("Camera").send_keys("lab")
    page.one("#filters button").click()
    page.until(lambda: len(_rows(page)) == 2)
    page.one("#who").send_keys("Known")
    page.one("#filters button").click()
    page.until(lambda: shown() == ["Ann lab"])
    told = json.loads(download(page, "JSON", "json").read_text(encoding="utf-8"))
    assert "Ann" in json.dumps(told)
    assert "Ben" not in json.dumps(told)
    page.button("Clear").click()
    page.until(lambda: len(_rows(page)) == 4)
    since = page.browser.execute_script(_LOCAL, (now - timedelta(minutes=40)).isoformat())
    page.browser.execute_script("document.getElementById('after').value = arguments[0]", since)
    page.field("Person").send_keys("Ann")
    page.one("#filters button").click()
    page.until(lambda: shown() == ["Ann lab"])
    assert page.browser.execute_script("return document.getElementById('after').value") == since
    with download(page, "CSV", "csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["person"], row["source"]) for row in csv.DictReader(file)] == [("Ann", "lab")]
    page.go("/log?person=Nobody")
    page.until(lambda: page.one(".note.bad").text)
    assert page.complaints() == []


_LOCAL = """
const moment = new Date(arguments[0]);
return new Date(moment - 60000 * moment.getTimezoneOffset()).toISOString().slice(0, 16);
"""


def _rows(page: Page) -> list[list[str]]:
    return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")] for row in page.all(".table tbody tr")]


def test_scripts_in_names_are_shown_and_not_run(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    person = service.add(SCRIPT, faces.photos)
    page = open_page(faces.seen)
    page.go("/people")
    page.says(SCRIPT)
    page.go("/live")
    page.button("Start camera").click()
    page.until(lambda: SCRIPT in [box.text for box in page.all(".boxes li.named span")])
    page.until(lambda: SCRIPT in [row.text for row in page.all("#here strong")])
    assert page.browser.title == "Live · knownface"
    page.button("Stop").click()
    page.until(lambda: page.go("/log") or page.all(".table a"))
    page.says(SCRIPT)
    page.go(f"/people/{person}")
    assert page.browser.title == f"{SCRIPT} · knownface"
    page.button("Delete").click()
    page.says(f"Delete {SCRIPT}?")
    assert page.browser.execute_script("return document.querySelectorAll('main script, main img[src=x]').length") == 0
    assert page.complaints() == []
