"""Somebody is enrolled in the browser: by upload and with the camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browser_page import BrowserMaker, Faces
from selenium.webdriver.common.by import By

from knownface.media import write_image

pytestmark = pytest.mark.slow


def test_somebody_is_enrolled_by_upload_and_bad_pictures_say_why(
    open_page: BrowserMaker, faces: Faces, tmp_path: Path
) -> None:
    page = open_page()
    noise = tmp_path / "noise.png"
    write_image(noise, np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8))
    text = tmp_path / "letter.png"
    text.write_text("not a picture")
    page.go("/people")
    page.says("Nobody is known yet")
    page.button("Add person").click()
    page.field("Name").send_keys(faces.name)
    chooser = page.browser.find_element(By.ID, "files")
    chooser.send_keys("\n".join(str(path) for path in [*faces.photos, noise, text]))
    page.until(lambda: len([c for c in page.all("#reviews .chip") if c.text == "Good"]) == len(faces.photos))
    page.until(lambda: len([c for c in page.all("#reviews .chip") if c.text == "Refused"]) == 2)
    page.says("No face was found")
    page.says("no picture that can be read")
    page.button("Save person").click()
    page.until(lambda: page.browser.current_url.endswith("/people/1"))
    page.says(faces.name)
    assert len(page.all(".templates > li")) == len(faces.photos)
    page.until(lambda: all(i.get_property("naturalWidth") for i in page.all(".templates img")))
    # The same file again is known; somebody else's page refuses this face, until one insists.
    page.browser.find_element(By.ID, "files").send_keys(str(faces.photos[0]))
    page.until(lambda: [c.text for c in page.all("#reviews .chip")] == ["Known"])
    assert page.complaints() == []


def test_a_face_of_somebody_else_is_refused_until_one_insists(open_page: BrowserMaker, faces: Faces) -> None:
    page = open_page()
    for name, chip in ((faces.name, "Added"), ("Somebody Else", "Refused")):
        page.go("/people/new")
        page.field("Name").send_keys(name)
        page.browser.find_element(By.ID, "files").send_keys(str(faces.photos[0]))
        page.until(lambda: [c.text for c in page.all("#reviews .chip")] == ["Good"])
        page.button("Save person").click()
        if chip == "Added":
            page.until(lambda: page.browser.current_url.endswith("/people/1"))
    page.says("This looks like somebody else")
    page.says(faces.name)
    page.button("Add anyway").click()
    page.until(lambda: [c.text for c in page.all("#reviews .chip")] == ["Added"])
    page.button("Go on with Somebody Else").click()
    page.says("1 picture")


def test_somebody_is_enrolled_with_the_camera(open_page: BrowserMaker, faces: Faces) -> None:
    page = open_page(camera=faces.seen[:1])
    page.go("/people/new")
    page.field("Name").send_keys(faces.name)
    page.button("Use the camera").click()
    if faces.landmarks:  # looking ahead is seen, and the picture taken by itself
        page.until(lambda: page.all("#steps .done[data-step=ahead], #steps [data-step=left][aria-current]"))
    else:
        page.says("Press the button")
        page.button("Take picture").click()
    page.button("Skip this one").click()
    page.button("Skip this one").click()
    page.until(lambda: [c.text for c in page.all("#reviews .chip")] == ["Good"])
    page.button("Save person").click()
    page.until(lambda: page.browser.current_url.endswith("/people/1"))
    assert len(page.all(".templates > li")) == 1
    assert page.complaints() == []
