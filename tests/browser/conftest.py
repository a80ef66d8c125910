"""One browser and one running service for all tests of the page, emptied between them, and real faces for both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser_page import BrowserMaker, Faces, Page, Service, new_page
from chromium import Served, chromium, found_chromium, serving, write_camera
from selenium.webdriver import Chrome

from knownface.media import read_image, write_image
from knownface.types import Image


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Faces:
    """People of ``lfw62`` with networks of ours where both are here; else the astronaut and what every machine has."""
    data, models = os.environ.get("KNOWNFACE_FACE_DATA"), os.environ.get("KNOWNFACE_MODELS")
    if data and models and (Path(data) / "lfw62").is_dir():
        person, other = sorted((Path(data) / "lfw62").iterdir())[:2]
        photos = sorted(person.iterdir())
        seen = [read_image(photo) for photo in photos[3:5]]
        settings = {"models": models, "embedder": "mobilefacenet"}
        return Faces(person.name.replace("_", " "), photos[:3], seen, sorted(other.iterdir())[:2], True, settings)
    folder = tmp_path_factory.mktemp("faces")
    astronaut: Image = request.getfixturevalue("astronaut")
    strangers: list[Image] = request.getfixturevalue("strangers")
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    write_image(folder / "astronaut.png", astronaut)
    write_image(folder / "other.png", strangers[0])
    return Faces("Eileen Collins", [folder / "astronaut.png"], [mirrored], [folder / "other.png"], False, {})


@pytest.fixture(scope="session")
def served(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that keeps all that can be kept, so that more could be left behind."""
    if found_chromium() is None:
        pytest.skip("there is no chromium with its chromedriver on this machine")
    keep = {"keep_pictures": "true", "keep_unknown_faces": "true", "samples": "offer"}
    with serving(tmp_path_factory.mktemp("service") / "gallery.db", **faces.settings, **keep) as running:
        yield running


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's camera shows: a file that is written anew for every test."""
    return write_camera(tmp_path_factory.mktemp("camera") / "camera.mjpeg", [np.zeros((48, 64, 3), np.uint8)], 1)


@pytest.fixture(scope="session")
def browser(camera: Path, served: Served) -> Iterator[Chrome]:
    """A Chromium; started after the service, so that it has left before the service ends."""
    with chromium(served.gallery.parent, camera) as started:
        yield started


@pytest.fixture
def service(served: Served) -> Iterator[Service]:
    """The running service, emptied, as a program with the administrator's key sees it."""
    with Service(served) as running:
        running.empty()
        yield running


@pytest.fixture
def open_page(tmp_path: Path, service: Service, browser: Chrome, camera: Path) -> Iterator[BrowserMaker]:
    """Open the service's page in a browser that knows nothing yet, signed in; ``camera`` is what its camera sees."""

    def make(pictures: list[Image] | None = None, *, key: str | None = None, sign_in: bool = True) -> Page:
        page = new_page(browser, service.served, tmp_path / "downloads", camera)
        if pictures:
            page.camera_sees(pictures)
        if sign_in:
            page.sign_in(key or service.served.key)
        return page

    yield make
    browser.get("about:blank")  # its camera's connection ends, and what it saw is written down
