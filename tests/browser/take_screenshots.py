# ruff: noqa: T201
"""Pictures of every page in every language, light and dark, on a phone and a desk: to be looked at, not compared.

What is cut off or wider than the screen is named.

KNOWNFACE_MODELS=… KNOWNFACE_FACE_DATA=… python tests/browser/take_screenshots.py FOLDER [LANGUAGE...]
KNOWNFACE_MODELS=… python tests/browser/take_screenshots.py --docs docs/images    # scikit-image's astronaut only
"""

from __future__ import annotations

import base64
import io
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from chromium import Served, chromium, cut_texts, serving, write_camera
from PIL import Image as PilImage
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from knownface import FaceRecognizer
from knownface.events import Guest, RetentionPolicy, SeenTrack, SightingLog, close_session, mark, open_session
from knownface.media import read_image
from knownface.pipeline import embed, examine
from knownface.server.texts import languages

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
EXTRA = {
    "embedder": "mobilefacenet",
    "keep_pictures": "true",
    "keep_unknown_faces": "true",
    "models": os.environ["KNOWNFACE_MODELS"],
}


def furnish(gallery: Path, data: Path) -> None:
    """People, sightings, strangers, sessions."""
    people = sorted((data / "lfw62").iterdir())[:14]
    strangers = sorted((data / "lfw62").iterdir())[50:54]
    with FaceRecognizer.open(gallery, embedder="mobilefacenet") as recognizer:
        for person in people:
            for photo in sorted(person.iterdir())[:4]:
                name = person.name.replace("_", " ")
                found = recognizer.review_picture(photo, source=str(photo), person=name)
                if found.error is None:
                    recognizer.enrol_reviewed(name, found)
        recognizer.gallery.add_person("<script>alert(1)</script>")
        recognizer.gallery.edit(people[0].name.replace("_", " "), groups=["Staff", "Choir"], external_id="S-1001")
        recognizer.gallery.edit(people[1].name.replace("_", " "), groups=["Choir"])
        log, now = (
            SightingLog(recognizer.gallery, RetentionPolicy(pictures=True, unknown_faces=True)),
            datetime.now(UTC),
        )
        seen = []
        for number, person in enumerate([*people[:6], *strangers, *strangers[:2]]):
            photo = read_image(sorted(person.iterdir())[-1 - number // 10])
            face = examine(photo, recognizer.detector, recognizer.embedder)[0]
            vector = embed([face], recognizer.embedder)[0]
            known = person in people
            at = now - timedelta(minutes=13 * number)
            name = person.name.replace("_", " ")
            seen.append(
                SeenTrack(
                    f"shot/{number}",
                    "front door" if number % 3 else "Studio camera 2",
                    recognizer.gallery.person(name).id if known else None,
                    None if known else log.new_unknown_number(),
                    at,
                    at + timedelta(seconds=40),
                    best_distance=0.62 + number / 50,
                    frames=40,
                    quality=0.7,
                    embedding=vector,
                    picture=photo,
                )
            )
        log.record(seen[::-1])  # the oldest first, as they would have come
        guests = [Guest(p.name.replace("_", " "), None, {"table": str(n)}) for n, p in enumerate(people[:5], 1)]
        guests.append(Guest("Grace Hopper", None, {"table": "9"}))
        start = now - timedelta(minutes=45)
        open_session(recognizer.gallery.database, "Spring dinner", guests=guests, start=start)
        lesson = open_session(recognizer.gallery.database, "Maths 3b", people=[people[2].name.replace("_", " ")])
        mark(recognizer.gallery.database, lesson.id, people[2].name.replace("_", " "))
        close_session(recognizer.gallery.database, lesson.id)


def main(folder: Path, wanted: Sequence[str]) -> None:
    """Take all pictures, in some languages."""
    data = Path(os.environ["KNOWNFACE_FACE_DATA"])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        furnish(place / "gallery.db", data)
        known = sorted((data / "lfw62").iterdir())
        camera = write_camera(place / "camera.mjpeg", [_two(known[0], known[51])])
        with serving(place / "gallery.db", **EXTRA) as full, serving(place / "new.db", **EXTRA) as new:
            for size_name, size in SIZES.items():
                with chromium(place, camera, size) as browser:
                    for language, scheme in itertools.product(wanted, ("light", "dark")):
                        emulate(browser, scheme, size, language)
                        shoot = _shooter(browser, folder, f"{language}-{size_name}-{scheme}")
                        tour(browser, full.address, full.sign_in, shoot)
                        tour_new(browser, new.address, new.sign_in, shoot)


def _two(one: Path, other: Path) -> object:
    pictures = [read_image(sorted(p.iterdir())[0]) for p in (one, other)]
    return np.concatenate(pictures, axis=1)


def press(browser: Chrome, name: str) -> None:
    """Press a button wherever it is; on a phone the navigation may lie over it until one scrolls."""
    button = browser.find_element(By.ID, name)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()


def emulate(browser: Chrome, scheme: str, size: tuple[int, int], language: str = "en") -> None:
    """A colour scheme, the exact size of a phone or desk, and the language that a browser asks for."""
    agent = {"userAgent": browser.execute_script("return navigator.userAgent"), "acceptLanguage": language}
    browser.execute_cdp_cmd("Emulation.setUserAgentOverride", agent)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    mobile = size[0] < 600
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def _shooter(browser: Chrome, folder: Path, kind: str) -> Callable[[str], None]:
    def shoot(name: str) -> None:
        time.sleep(0.4)
        for text in cut_texts(browser):
            print(f"{name} {kind}: cut off or beyond the screen: {text}")
        height = browser.execute_script("return Math.min(2600, document.documentElement.scrollHeight)")
        width = browser.execute_script("return innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
        (folder / f"{name}-{kind}.png").write_bytes(base64.b64decode(shot["data"]))
        for entry in browser.get_log("browser"):
            if entry["level"] == "SEVERE":
                print(f"{name} {kind}: {entry['message']}")

    return shoot


def until(browser: Chrome, condition: Callable[[Chrome], object], seconds: float = 20) -> None:
    """Wait for something."""
    WebDriverWait(browser, seconds).until(condition)


def tour(browser: Chrome, address: str, sign_in: str, shoot: Callable[[str], None]) -> None:
    """Every page of a service that is in use."""
    browser.delete_all_cookies()
    browser.get(f"{address}/sign-in")
    shoot("sign-in")
    browser.get("about:blank")
    browser.get(sign_in)
    until(browser, lambda b: "/live" in b.current_url)
    shoot("live-ready")
    browser.find_element(By.ID, "start").click()
    until(browser, lambda b: len(b.find_elements(By.CSS_SELECTOR, "#here li")) >= 2, 40)
    shoot("live-running")
    for name, path in (
        ("people", "/people"),
        ("alike", "/people/alike"),
        ("people-found", "/people?group=Choir"),
        ("identify", "/identify"),
        ("compare", "/compare"),
        ("person", "/people/1"),
        ("person-new", "/people/new"),
        ("offers", "/people/offers"),
        ("held", "/people/held"),
        ("history", "/people/history"),
        ("unknowns", "/unknowns"),
        ("hours", "/attendance/hours"),
        ("alerts", "/settings/alerts"),
        ("attendance", "/attendance"),
        ("session", "/attendance/1"),
        ("log", "/log"),
        ("settings", "/settings"),
        ("keys", "/settings/keys"),
        ("audit", "/settings/audit"),
        ("not-found", "/people/99999"),
    ):
        browser.get(address + path)
        shoot(name)
    browser.get(f"{address}/people/1")
    browser.find_element(By.CSS_SELECTOR, "[data-open=delete]").click()
    shoot("person-delete")
    browser.get(f"{address}/people/1")
    press(browser, "open-capture")
    time.sleep(3)
    shoot("person-capture")
    browser.get(f"{address}/attendance")
    browser.find_element(By.CSS_SELECTOR, "[data-open=open-session]").click()
    shoot("attendance-open")
    browser.get(f"{address}/settings")
    browser.find_element(By.CSS_SELECTOR, "[data-open=change-settings]").click()
    shoot("settings-change")
    open_kiosk(browser, address)
    time.sleep(5)
    shoot("kiosk")
    browser.find_element(By.CSS_SELECTOR, "[data-open=kiosk-settings]").click()
    shoot("kiosk-settings")


def open_kiosk(browser: Chrome, address: str) -> None:
    """This browser becomes the kiosk of the first session; its camera starts by itself."""
    browser.get(f"{address}/attendance/1")
    browser.find_element(By.CSS_SELECTOR, "[data-open=set-up-kiosk]").click()
    browser.find_element(By.ID, "pin").send_keys("2468")
    browser.find_element(By.CSS_SELECTOR, "dialog[open] button.primary").click()
    until(browser, lambda b: "/kiosk" in b.current_url)


def tour_new(browser: Chrome, address: str, sign_in: str, shoot: Callable[[str], None]) -> None:
    """The same with nothing in it."""
    browser.delete_all_cookies()
    browser.get("about:blank")
    browser.get(sign_in)
    until(browser, lambda b: "/live" in b.current_url)
    for name in ("live", "people", "unknowns", "attendance", "log"):
        browser.get(f"{address}/{name}")
        shoot(f"empty-{name}")


def for_docs(folder: Path) -> None:
    """The pictures of the documentation, whose only face is the astronaut's."""
    from skimage import data

    astronaut = data.astronaut()
    looks = {
        "portrait": astronaut,
        "mirrored": astronaut[:, ::-1],
        "evening": (astronaut * 0.6).astype(np.uint8),
        "closer": astronaut[20:320, 90:390],
    }
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        camera = write_camera(place / "camera.mjpeg", [astronaut[:384]])
        with serving(place / "gallery.db", **EXTRA) as served, chromium(place, camera) as browser:
            emulate(browser, "light", (1180, 800))
            browser.get(served.sign_in)
            until(browser, lambda b: "/live" in b.current_url)
            press(browser, "start")
            until(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#here input"), 60)
            browser.find_element(By.CSS_SELECTOR, "#here input").send_keys("Eileen Collins")
            time.sleep(1)
            _save(browser, folder / "page-unknown.jpg")
            browser.find_element(By.CSS_SELECTOR, "#here button").click()
            until(browser, lambda b: b.find_elements(By.CSS_SELECTOR, ".boxes li.named"), 60)
            time.sleep(7)  # until the message has gone
            _save(browser, folder / "page-live.jpg")
            browser.get(f"{served.address}/people/1")
            for name, look in looks.items():
                PilImage.fromarray(np.ascontiguousarray(look)).save(place / f"{name}.png")
                browser.find_element(By.ID, "files").send_keys(str(place / f"{name}.png"))
                time.sleep(2)
            browser.get(f"{served.address}/people/1")
            time.sleep(1)
            _save(browser, folder / "page-person.jpg")
            _attend(browser, served)
            emulate(browser, "dark", (1180, 800))
            time.sleep(6)
            _save(browser, folder / "page-kiosk.jpg")


def _attend(browser: Chrome, served: Served) -> None:
    """A session at whose door the astronaut arrives."""
    script = """
const [csrf, done] = [document.querySelector("meta[name=csrf]").content, arguments[0]];
const names = ["Eileen Collins", "Ada Lovelace", "Grace Hopper"];
const guests = names.map((name, number) => ({name, facts: {table: String(number + 4)}}));
fetch("/v1/attendance", {method: "POST", body: JSON.stringify({name: "Spring dinner", guests}),
  headers: {"Content-Type": "application/json", "X-CSRF-Token": csrf}}).then((r) => r.text()).then(done);
"""
    print(browser.execute_async_script(script)[:200])
    open_kiosk(browser, served.address)
    until(browser, lambda b: "Welcome" in b.find_element(By.ID, "greeting").text, 60)


def _save(browser: Chrome, file: Path) -> None:
    browser.execute_script("scrollTo(0, 0)")
    time.sleep(0.3)
    shot = base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", {})["data"])
    PilImage.open(io.BytesIO(shot)).convert("RGB").save(file, quality=86, optimize=True)
    print(file, file.stat().st_size)


if __name__ == "__main__":
    if sys.argv[1] == "--docs":
        for_docs(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), sys.argv[2:] or list(languages()))
