"""The live page: the right name over a face, and an unknown face named with a click."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser_page import BrowserMaker, Faces, enrol, leftovers, rows
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


def test_a_known_face_carries_its_name(open_page: BrowserMaker, faces: Faces) -> None:
    page = open_page(camera=faces.seen)
    enrol(page, faces, faces.name)
    page.go("/live")
    page.button("Start camera").click()
    page.until(lambda: faces.name in [box.text for box in page.all(".boxes li.named span")])
    page.until(lambda: faces.name in [row.text for row in page.all("#here strong")])
    box = page.one(".boxes li.named")
    assert box.size["width"] > 40
    page.button("Stop").click()
    page.until(lambda: not page.all(".boxes li"))
    page.until(lambda: page.go("/log") or faces.name in page.text())  # what was seen is written down soon after
    page.says("browser camera")
    assert page.complaints() == []


def test_an_unknown_face_is_named_with_a_click_and_known_from_then_on(
    open_page: BrowserMaker, faces: Faces, tmp_path: Path
) -> None:
    page = open_page(camera=faces.seen[:1])
    page.says("Let’s meet the first face")
    page.one("#start").send_keys(Keys.ENTER)  # by keyboard
    field = page.one("#here input")
    unknown = page.one("#here strong").text
    assert unknown.startswith("Unknown ")
    field.send_keys(faces.name, Keys.ENTER)
    page.until(lambda: faces.name in [box.text for box in page.all(".boxes li.named span")])
    page.says("was learnt from")
    page.button("Stop").click()
    page.go("/people/1")
    page.says(faces.name)
    assert len(page.all(".templates > li")) >= 1
    # Its sightings follow: they are the person's, and no Unknown's any more.
    page.until(lambda: page.go("/log") or faces.name in page.text())
    assert f"{unknown} " not in page.text()
    assert page.complaints() == []


def test_a_person_is_deleted_and_nothing_is_left(open_page: BrowserMaker, faces: Faces, tmp_path: Path) -> None:
    page = open_page(camera=faces.seen)
    name = "Ottoline Quillfeather"
    enrol(page, faces, name)
    page.go("/live")
    page.button("Start camera").click()
    page.until(lambda: name in [box.text for box in page.all(".boxes li.named span")])
    page.button("Stop").click()
    page.until(lambda: page.go("/log") or name in page.text())  # what was seen is written down soon after
    page.go("/people/1")
    page.button("Delete").click()
    listed = page.one("#removal").text
    assert f"{len(faces.photos)} face" in listed
    assert "sighting" in listed
    page.button("Delete for good").click()
    page.says("was deleted, with everything")
    assert page.browser.current_url.endswith("/people")
    gallery = tmp_path / "gallery.db"
    for table in ("people", "templates", "template_pictures", "sightings"):
        assert rows(gallery, table) == 0, table
    assert leftovers(tmp_path, name.encode(), name.casefold().encode()) == []
    page.go("/people/1")
    page.says("Not found")
