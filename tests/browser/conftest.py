"""A browser, a running service, and real faces for both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from browser_page import BrowserMaker, Faces, Page
from chromium import Served, chromium, found_chromium, serving, write_camera

from knownface.media import read_image, write_image
from knownface.types import Image


@pytest.fixture
def faces(tmp_path: Path, request: pytest.FixtureRequest) -> Faces:
    """People of ``lfw62`` with networks of ours where both are here; else the astronaut and what every machine has."""
    data, models = os.environ.get("KNOWNFACE_FACE_DATA"), os.environ.get("KNOWNFACE_MODELS")
    if data and models and (Path(data) / "lfw62").is_dir():
        person = sorted((Path(data) / "lfw62").iterdir())[0]
        photos = sorted(person.iterdir())
        seen = [read_image(photo) for photo in photos[3:5]]
        settings = {"models": models, "embedder": "mobilefacenet"}
        return Faces(person.name.replace("_", " "), photos[:3], seen, True, settings)
    astronaut: Image = request.getfixturevalue("astronaut")
    photo = tmp_path / "astronaut.png"
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    write_image(photo, astronaut)
    return Faces("Eileen Collins", [photo], [mirrored], False, {})


@pytest.fixture
def served(alone: Path, tmp_path: Path, faces: Faces) -> Iterator[Served]:
    """A service with an empty gallery."""
    with serving(tmp_path / "gallery.db", **faces.settings) as service:
        yield service


@pytest.fixture
def open_page(tmp_path: Path, served: Served) -> Iterator[BrowserMaker]:
    """Open the service's page in a browser, signed in; ``camera`` is what its camera sees."""
    if found_chromium() is None:
        pytest.skip("there is no chromium with its chromedriver on this machine")
    with ExitStack() as stack:

        def make(camera: list[Image] | None = None, *, sign_in: bool = True) -> Page:
            downloads = tmp_path / "downloads"
            downloads.mkdir(exist_ok=True)
            file = write_camera(tmp_path / "camera.mjpeg", camera) if camera else None
            page = Page(stack.enter_context(chromium(downloads, file)), served.address, downloads)
            if sign_in:
                page.sign_in(served.sign_in)
            return page

        yield make
