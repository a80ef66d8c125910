"""A real Chromium without a window, whose camera shows a video of ours, and a real service for it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PilImage
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from knownface.types import Image

FRAME = (640, 480)
_SIGN_IN = re.compile(r"Sign in at (http\S+)")


def found_chromium() -> tuple[str, str] | None:
    """Chromium and its driver, or None where either is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


_CUT = """
const edge = document.documentElement.clientWidth;
const written = (e) => [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
const shown = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest(".visually-hidden, .skip");
const hides = (e) => getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1 && !e.title;
const out = (e) => e.getBoundingClientRect().right > edge + 1 || e.getBoundingClientRect().left < -1;
const all = [...document.querySelectorAll("body *")].filter((e) => written(e) && shown(e) && e.clientWidth !== 1);
const cut = all.filter((e) => hides(e) || out(e)).map((e) => e.textContent.trim().slice(0, 80));
return document.documentElement.scrollWidth > edge ? [...cut, 'the page itself'] : cut;
"""


def cut_texts(browser: Chrome) -> list[str]:
    """The texts of a page that are cut off or reach beyond the screen."""
    return list(browser.execute_script(_CUT))


@contextlib.contextmanager
def chromium(downloads: Path, camera: Path | None = None, size: tuple[int, int] = (1280, 900)) -> Iterator[Chrome]:
    """A browser; its camera, if it has one, shows a file of :func:`write_camera`."""
    found = found_chromium()
    assert found is not None
    options = ChromeOptions()
    options.binary_location = found[0]
    options.add_argument("--headless=new")
    options.add_argument(f"--window-size={size[0]},{size[1]}")
    options.add_argument("--disable-gpu")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--force-device-scale-factor=1")
    if os.name == "posix" and os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's own rule for root
    if camera is not None:
        options.add_argument("--use-fake-ui-for-media-stream")
        options.add_argument("--use-fake-device-for-media-stream")
        options.add_argument(f"--use-file-for-fake-video-capture={camera}")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=ChromeService(executable_path=found[1]))
    try:
        yield browser
    finally:
        browser.quit()


def write_camera(path: Path, pictures: Sequence[Image], frames: int = 45) -> Path:
    """A Motion-JPEG for Chromium's fake camera: each picture for a while, moving a little, as people do."""
    stream = io.BytesIO()
    width, height = FRAME
    for picture in pictures:
        scale = min(width / picture.shape[1], height / picture.shape[0])
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        still = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        for number in range(frames):
            swing = round(6 * np.sin(2 * np.pi * number / frames))
            canvas = np.full((height, width, 3), 96, dtype=np.uint8)
            left = int(np.clip((width - size[0]) // 2 + swing, 0, width - size[0]))
            top = (height - size[1]) // 2
            canvas[top : top + size[1], left : left + size[0]] = still
            PilImage.fromarray(canvas).save(stream, "JPEG", quality=90)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(stream.getvalue())
    fresh.replace(path)  # a browser that still reads the old one is not disturbed
    return path


@dataclass
class Served:
    """A running service.

    Attributes:
        address: Such as ``http://127.0.0.1:43211``.
        sign_in: The address that it printed, with the first key.
        gallery: Its database.
        said: Everything that it has written.
    """

    address: str
    sign_in: str
    gallery: Path
    said: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The administrator's key."""
        return self.sign_in.partition("#key=")[2]


@contextlib.contextmanager
def serving(gallery: Path, *options: str, **settings: str) -> Iterator[Served]:
    """The service in a process of its own, on any free port; it sees no other settings, and no network."""
    place = gallery.parent
    own = {"offline": "1", "cache": str(place / "cache"), **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KNOWNFACE_")}
    environment |= {f"KNOWNFACE_{name.upper()}": value for name, value in own.items()}
    environment["XDG_CONFIG_HOME"] = str(place / "config")
    command = [sys.executable, "-m", "knownface", "serve", "--gallery", str(gallery), "--port", "0", *options]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=environment,
        cwd=place,
    )
    said: list[str] = []
    ready = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if _SIGN_IN.search(line):
                ready.set()
        ready.set()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        ready.wait(120)
        match = _SIGN_IN.search("".join(said))
        assert match is not None, "".join(said)
        yield Served(match[1].partition("/sign-in")[0], match[1], gallery, said)
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            listener.join()
            assert process.stdout is not None
            process.stdout.close()
