"""The live page: the right name over a face, an unknown face named with a click, sources that the service watches."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from browser_page import BrowserMaker, Faces, Page, Service, enrol, leftovers, rows
from live_tools import MjpegServer
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


def see(page: Page, name: str) -> None:
    """Start the camera on the live page, wait for a name over a face, and stop."""
    page.go("/live")
    page.button("Start camera").click()
    page.until(lambda: name in [box.text for box in page.all(".boxes li.named span")])
    page.button("Stop").click()
    page.until(lambda: page.go("/log") or page.all(".table a"))  # what was seen is written down soon after
    page.says(name)


def test_a_known_face_carries_its_name(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    service.add(faces.name, faces.photos)
    page = open_page(faces.seen)
    page.go("/live")
    page.button("Start camera").click()
    page.until(lambda: faces.name in [box.text for box in page.all(".boxes li.named span")])
    page.until(lambda: faces.name in [row.text for row in page.all("#here strong")])
    assert page.one(".boxes li.named").size["width"] > 40
    page.button("Stop").click()
    page.until(lambda: not page.all(".boxes li"))
    page.until(lambda: page.go("/log") or page.all(".table a"))
    page.says(faces.name)
    page.says("browser camera")
    assert page.complaints() == []


def test_an_unknown_face_is_named_with_a_click_and_known_from_then_on(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    page = open_page(faces.seen[:1])
    page.says("Let’s meet the first face")
    page.one("#start").send_keys(Keys.ENTER)  # by keyboard
    field = page.one("#here input")
    unknown = page.one("#here strong").text
    assert unknown.startswith("Unknown ")
    field.send_keys(faces.name, Keys.ENTER)
    page.until(lambda: faces.name in [box.text for box in page.all(".boxes li.named span")])
    page.says("was learnt from")
    page.button("Stop").click()
    page.until(lambda: page.go("/people") or faces.name in page.text())
    page.button(faces.name).click()
    page.until(lambda: len(page.all(".templates > li")) >= 1)
    # Its sightings follow: they are the person's, and no Unknown's any more.
    page.until(lambda: page.go("/log") or page.all(".table a"))
    page.says(faces.name)
    assert unknown not in [link.text for link in page.all(".table a")]
    assert page.complaints() == []


def test_a_person_is_deleted_and_nothing_is_left(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    name = "Ottoline Quillfeather"
    page = open_page(faces.seen[:1])  # nobody stands behind: strangers' sightings would stay, as they should
    where = enrol(page, faces, name)
    see(page, name)
    page.go(where)
    page.button("Delete").click()
    listed = page.one("#removal").text
    assert f"{len(faces.photos)} face" in listed
    assert "sighting" in listed
    page.button("Delete for good").click()
    page.says(f"{name} was deleted")  # the receipt, to be printed
    gallery = service.served.gallery
    for table in ("people", "templates", "template_pictures", "sightings", "offers"):
        assert rows(gallery, table) == 0, table
    assert leftovers(gallery.parent, name.encode(), name.casefold().encode()) == []
    page.go(where)
    page.says("Not found")
    page.go("/log")
    page.says("Nobody was seen yet")


def test_a_watched_source_is_added_shows_names_and_is_stopped(
    open_page: BrowserMaker, service: Service, faces: Faces
) -> None:
    """A camera that speaks HTTP stands at the door."""
    service.add(faces.name, faces.photos)
    still = cv2.resize(faces.seen[0], (480, 480))
    frames = [np.full((480, 640, 3), 80, np.uint8) for _ in range(10)]
    for number, frame in enumerate(frames):
        frame[:, 80 + number : 560 + number] = still
    with MjpegServer(frames, 10) as door:
        _watch(open_page(), faces.name, door.url)


def _watch(page: Page, name: str, address: str) -> None:
    page.says("No source is watched")
    page.button("Watch a source").click()
    page.field("Name").send_keys("Front door")
    page.field("Address").send_keys(address)
    page.one("#add-source button.primary").click()
    card = "[data-region=sources] li"
    page.until(lambda: page.one(f"{card} [data-state]").text == "Running")
    page.until(lambda: page.one(f"{card} img.feed").get_property("naturalWidth"))
    page.until(lambda: name in page.one("#here").text)
    page.one(f"{card} .actions button").click()  # Stop
    page.until(lambda: "Start" in page.one(f"{card} .actions").text)
    page.until(lambda: page.go("/log") or page.all(".table a"))
    page.says("Front door")
    page.go("/live")
    page.button("Remove").click()
    page.says("No source is watched")
    assert address not in page.text()
    assert page.complaints() == []
