"""Attendance from opening a session to its CSV, Unknowns, and names that are scripts."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from browser_page import BrowserMaker, Faces, enrol
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.slow

SCRIPT = "<script>document.title='broken'</script><img src=x onerror=alert(1)>"


def test_attendance_is_run_and_its_list_downloaded(open_page: BrowserMaker, faces: Faces, tmp_path: Path) -> None:
    page = open_page(camera=faces.seen)
    enrol(page, faces, faces.name)
    guests = tmp_path / "guests.csv"
    guests.write_text(f"name,table\n{faces.name},5\nGrace Hopper,7\n", encoding="utf-8")
    page.go("/attendance")
    page.button("Open a session").click()
    page.field("Name").send_keys("Spring dinner")
    page.browser.find_element(By.CSS_SELECTOR, "[name=expected][value=guests]").click()
    page.browser.find_element(By.CSS_SELECTOR, "[name=guests]").send_keys(str(guests))
    page.one("#session-form button.primary").click()
    page.until(lambda: page.browser.current_url.endswith("/attendance/1"))
    assert [page.one(f"[data-count={s}]").text for s in ("present", "expected")] == ["0", "2"]
    # At the door: the kiosk greets, with the table that the list names.
    page.button("Kiosk").click()
    page.button("Start camera").click()
    page.until(lambda: page.one("#greeting").text == f"Welcome, {faces.name}.")
    assert page.one("#greeting-more").text == "Table: 5."
    page.button("Leave").click()
    page.until(lambda: page.one("[data-count=present]").text == "1")
    page.field("Mark as present:").send_keys("Grace Hopper")
    page.button("Mark").click()
    page.until(lambda: page.one("[data-count=present]").text == "2")
    page.button("Close session").click()
    page.says("The session is closed")
    page.button("CSV").click()
    page.until(lambda: list(page.downloads.glob("*.csv")))
    with next(page.downloads.glob("*.csv")).open(encoding="utf-8-sig", newline="") as file:
        found = {row["name"]: row for row in csv.DictReader(file)}
    assert {name: row["status"] for name, row in found.items()} == {faces.name: "present", "Grace Hopper": "present"}
    assert found[faces.name]["table"] == "5"
    assert page.complaints() == []


def test_scripts_in_names_are_shown_and_not_run(open_page: BrowserMaker, faces: Faces) -> None:
    page = open_page(camera=faces.seen)
    enrol(page, faces, SCRIPT)
    for path in ("/people", "/people/1", "/live"):
        page.go(path)
        if path == "/live":
            page.button("Start camera").click()
            page.until(lambda: SCRIPT in [box.text for box in page.all(".boxes li.named span")])
            page.button("Stop").click()
        else:
            page.says(SCRIPT)
        assert "broken" not in page.browser.title or path == "/people/1"
    page.go("/log")
    page.says(SCRIPT)
    page.go("/people/1")
    page.button("Delete").click()
    page.says(f"Delete {SCRIPT}?")
    assert page.browser.execute_script("return document.querySelectorAll('main script, main img[src=x]').length") == 0
    assert page.complaints() == []
