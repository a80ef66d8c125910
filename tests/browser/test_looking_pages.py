"""Photos and videos are looked at in the browser: who is on them and when, and whether two show one person."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from browser_page import BrowserMaker, Faces, Page, Service
from selenium.webdriver.common.by import By

from knownface.media import VideoWriter, write_image

pytestmark = pytest.mark.slow


def choose(page: Page, drop: str, *files: Path) -> None:
    """Choose files for a place where they can be dropped."""
    page.browser.find_element(By.ID, f"{drop}-files").send_keys("\n".join(map(str, files)))


def test_a_photo_is_named_and_the_unknown_on_it_learnt(
    open_page: BrowserMaker, service: Service, faces: Faces, tmp_path: Path
) -> None:
    service.add(faces.name, faces.photos[:1])
    seen, noise = tmp_path / "seen.png", tmp_path / "noise.png"
    write_image(seen, faces.seen[0])
    write_image(noise, np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8))
    page = open_page()
    page.button("Identify").click()
    choose(page, "drop", seen, faces.others[0], noise)
    page.until(lambda: len(page.all("#looked canvas.labelled")) == 3)
    known, unknown, nothing = page.all("#looked article")
    assert known.find_element(By.CSS_SELECTOR, ".found a").text == faces.name
    assert "1 face" in known.text
    assert known.find_elements(By.CSS_SELECTOR, "form") == []
    assert "lik" in unknown.find_element(By.CSS_SELECTOR, ".likeness").text
    assert "No known face is near enough." in unknown.text
    assert "No face was found." in nothing.text
    unknown.find_element(By.CSS_SELECTOR, "summary").click()
    assert faces.name in unknown.find_element(By.CSS_SELECTOR, "details").text
    form = unknown.find_element(By.CSS_SELECTOR, "form")
    form.find_element(By.CSS_SELECTOR, "input").send_keys("Somebody Else")
    form.find_element(By.CSS_SELECTOR, "button").click()
    page.until(lambda: page.all("#looked article")[1].find_element(By.CSS_SELECTOR, ".found a").text == "Somebody Else")
    assert [person["templates"] for person in service.ask("GET", "/people")["items"]] == [1, 1]
    assert page.complaints() == []


def test_a_video_is_followed_and_its_people_drawn_over_time(
    open_page: BrowserMaker, service: Service, faces: Faces, tmp_path: Path
) -> None:
    service.add(faces.name, faces.photos)
    still = cv2.resize(faces.seen[0], (320, 320))
    with VideoWriter(tmp_path / "visit.mp4", 5.0) as video:
        for step in range(10):
            frame = np.full((360, 480, 3), 80, np.uint8)
            frame[20:340, 60 + step : 380 + step] = still
            video.write(frame)
    page = open_page()
    page.go("/identify")
    choose(page, "drop", tmp_path / "visit.mp4")
    lines = page.until(lambda: page.all("#looked .found li"))
    assert faces.name in [line.find_element(By.CSS_SELECTOR, "strong").text for line in lines]
    assert f"{faces.name} at 0:00" in [bar.get_attribute("aria-label") for bar in page.all(".stretches button")]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all" * 100)
    choose(page, "drop", broken)
    page.until(lambda: "no picture or video" in page.all("#looked article")[0].text)
    assert page.complaints() == []


def test_two_photos_are_compared(open_page: BrowserMaker, faces: Faces, tmp_path: Path) -> None:
    seen = tmp_path / "seen.png"
    write_image(seen, faces.seen[0])
    page = open_page()
    page.go("/compare")
    choose(page, "first", faces.photos[0])
    choose(page, "second", faces.others[0])
    page.says("Different people")
    page.says("threshold in force")
    choose(page, "second", seen)
    page.says("The same person")
    (tmp_path / "letter.png").write_text("not a picture")
    choose(page, "first", tmp_path / "letter.png")
    page.says("no picture or video that can be read")
    assert "The same person" not in page.text()
    assert page.complaints() == []
