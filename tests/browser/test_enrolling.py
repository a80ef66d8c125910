"""Somebody is enrolled in the browser: by upload and with the camera."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from browser_page import BrowserMaker, Faces, Service, enrol
from selenium.webdriver.common.by import By

from knownface.media import read_image, write_image
from knownface.types import Image

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
    page.upload([*faces.photos, noise, text])
    page.until(lambda: page.chips() == ["Good"] * len(faces.photos) + ["Refused"] * 2)
    page.says("No face was found")
    page.says("no picture or video that can be read")
    if faces.landmarks:  # the other detector finds no face in the dark
        dark = tmp_path / "dark.png"
        write_image(dark, (read_image(faces.photos[-1]) * 0.11).astype(np.uint8))
        page.upload([dark])
        page.says("The face is too dark. Turn towards a light.")
    page.button("Save person").click()
    page.until(lambda: page.path() not in {"/people", "/people/new"})
    page.says(faces.name)
    assert len(page.all(".templates > li")) == len(faces.photos)
    page.until(lambda: all(i.get_property("naturalWidth") for i in page.all(".templates img")))
    # The same file again is known.
    page.upload(faces.photos[:1])
    page.until(lambda: page.chips() == ["Known"])
    assert page.complaints() == []


def test_a_face_of_somebody_else_waits_for_a_decision(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    service.add(faces.name, faces.photos)
    page = open_page()
    page.go("/people/new")
    page.field("Name").send_keys("Somebody Else")
    page.upload(faces.photos[:1])
    page.until(lambda: page.chips() == ["Look again"])
    page.says(f"This looks like {faces.name}")
    page.button("Save person").click()
    page.until(lambda: page.chips() == ["Held back"])
    page.says(f"This looks like {faces.name}")
    page.go("/people")
    page.says("1 picture may show somebody else")
    page.go("/people/held")
    page.says("Somebody Else")
    page.press("n")
    page.until(lambda: page.browser.switch_to.active_element.get_attribute("id").startswith("held-"))
    page.press("c")
    page.says("Nothing waits")


def test_somebody_is_enrolled_with_the_camera(open_page: BrowserMaker, faces: Faces) -> None:
    page = open_page([read_image(faces.photos[-1])])
    page.go("/people/new")
    page.field("Name").send_keys(faces.name)
    page.button("Use the camera").click()
    if faces.landmarks:  # looking ahead is seen, and the picture taken by itself
        page.until(lambda: page.all("#steps [data-step=left][aria-current]"))
    else:
        page.says("Press the button")
        page.button("Take picture").click()
    page.button("Skip this one").click()
    page.button("Skip this one").click()
    page.until(lambda: page.chips() == ["Good"])
    page.button("Save person").click()
    page.until(lambda: page.path() not in {"/people", "/people/new"})
    assert len(page.all(".templates > li")) == 1
    assert page.complaints() == []


def test_the_camera_takes_pictures_by_itself_as_the_head_turns(open_page: BrowserMaker, faces: Faces) -> None:
    if not faces.landmarks:
        pytest.skip("the detector that every machine has tells no landmarks, so nobody can see where a head points")
    ahead, turned = read_image(faces.photos[2]), faces.seen[0]
    other_way = np.ascontiguousarray(turned[:, ::-1])
    page = open_page([ahead, turned, other_way])
    page.go("/people/new")
    page.field("Name").send_keys(faces.name)
    page.button("Use the camera").click()
    for number in (1, 2, 3):
        page.until(lambda number=number: len(page.chips()) >= number)  # type: ignore[misc]
    page.until(lambda: page.chips() == ["Good"] * 3)
    assert not page.one("#drop").get_attribute("hidden")  # the camera is closed again
    assert [row.text for row in page.all("#reviews strong")] == [
        f"Camera, {side}.jpg" for side in ("Straight ahead", "To the left", "To the right")
    ]
    page.button("Save person").click()
    page.until(lambda: len(page.all(".templates > li")) == 3)


def _small(picture: Image) -> Image:
    canvas = np.full((480, 640, 3), 110, np.uint8)
    canvas[215:265, 295:345] = cv2.resize(picture, (50, 50), interpolation=cv2.INTER_AREA)
    return canvas


def test_the_camera_says_why_a_picture_will_not_do(open_page: BrowserMaker, service: Service, faces: Faces) -> None:
    """What is too small, too blurred … is told while people can still do something about it."""
    face = read_image(faces.photos[-1])
    twins = np.concatenate([face, face[:, ::-1]], axis=1)
    shown = {"No face was found": np.full((480, 640, 3), 90, np.uint8), "Several faces": twins}
    if faces.landmarks:
        shown |= {
            "The picture is too blurred": cv2.GaussianBlur(face, (0, 0), 4),
            "The face is too small": _small(face),
        }
    person = service.add("Somebody Else", faces.others[:1])
    page = open_page()
    for words, picture in shown.items():
        page.camera_sees([picture])
        page.go(f"/people/{person}")
        page.button("Use the camera").click()
        page.until(lambda words=words: words in page.one("#advice").text)  # type: ignore[misc]
        assert page.all("#reviews li") == []  # nothing of it was taken
    # Somebody who is known as somebody else waits for a decision, with the name, when the picture is taken.
    service.add(faces.name, faces.photos)
    page.camera_sees([face])
    page.go(f"/people/{person}")
    page.button("Use the camera").click()
    page.until(lambda: f"This looks like {faces.name}" in page.one("#advice").text)  # the camera has come this far
    page.one("#shoot").click()
    page.until(lambda: page.chips() == ["Held back"])
    page.says(f"This looks like {faces.name}")


def test_without_a_camera_the_page_says_so_and_photos_go_on_working(open_page: BrowserMaker, faces: Faces) -> None:
    page = open_page()
    no_camera = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'))"
    page.browser.execute_script(no_camera)
    page.button("Start camera").click()
    page.says("No camera was found")
    page.go("/people/new")
    page.browser.execute_script(no_camera)
    page.button("Use the camera").click()
    page.says("No camera was found")
    page.button("Close camera").click()
    assert enrol(page, faces, faces.name)
    assert page.browser.find_element(By.TAG_NAME, "h1").text == faces.name
