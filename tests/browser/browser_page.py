"""What somebody does with the page: by labels and visible words, as a reader of the screen would."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from knownface.types import Image

Found = TypeVar("Found")
PATIENCE = 60.0


class Page:
    """A browser that shows the service's page."""

    def __init__(self, browser: Chrome, address: str, downloads: Path) -> None:
        self.browser = browser
        self.address = address
        self.downloads = downloads

    def sign_in(self, address: str) -> None:
        """By the address that the service printed."""
        self.browser.get(address)
        self.until(lambda: self.browser.current_url.endswith("/live"))

    def go(self, path: str) -> None:
        """Open a page."""
        self.browser.get(self.address + path)

    def until(self, condition: Callable[[], Found], seconds: float = PATIENCE) -> Found:
        """Wait for something to be so."""
        wait = WebDriverWait(self.browser, seconds, 0.1, ignored_exceptions=(StaleElementReferenceException,))
        try:
            return wait.until(lambda _: condition())
        except Exception as error:
            error.add_note(f"at {self.browser.current_url} the page said:\n{self.text()}\n{self.complaints()}")
            raise

    def all(self, selector: str) -> list[WebElement]:
        """Every element of a CSS selector."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """The first element of a CSS selector that can be seen, as soon as there is one."""
        return self.until(lambda: next((e for e in self.all(selector) if e.is_displayed()), None))  # type: ignore[return-value]

    def button(self, words: str) -> WebElement:
        """The button or link with these words, as soon as it can be seen."""
        path = f"//*[self::button or self::a][contains(normalize-space(.), {words!r})]"
        found = self.until(
            lambda: next((e for e in self.browser.find_elements(By.XPATH, path) if e.is_displayed()), None)
        )
        assert found is not None
        return found

    def field(self, label: str) -> WebElement:
        """The field with this label."""
        path = f"//label[normalize-space(.)={label!r}]"
        named = self.until(lambda: [e.get_attribute("for") for e in self.browser.find_elements(By.XPATH, path)])
        return next(e for e in (self.browser.find_element(By.ID, n) for n in named if n) if e.is_displayed())

    def text(self) -> str:
        """Everything that can be read."""
        return self.browser.find_element(By.TAG_NAME, "body").text

    def says(self, words: str) -> None:
        """Wait until the page says this."""
        self.until(lambda: words in self.text())

    def complaints(self) -> list[str]:
        """What the browser's console says went wrong: scripts that fail, what the security policy refused.

        Answers that are refusals on purpose stand there too; they are left out.
        """
        told = [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[index]
        return [message for message in told if "Failed to load resource" not in message]


@dataclass(frozen=True)
class Faces:
    """Somebody real.

    Attributes:
        name: Of the person.
        photos: Files to enrol.
        seen: Pictures that a camera may see, other ones than the photos where there are others.
        landmarks: Whether the service's detector tells where eyes and nose are.
        settings: Of the service.
    """

    name: str
    photos: list[Path]
    seen: list[Image]
    landmarks: bool
    settings: dict[str, str]


BrowserMaker = Callable[..., Page]


def enrol(page: Page, faces: Faces, name: str) -> None:
    """Enrol somebody by uploading their photos."""
    page.go("/people/new")
    page.field("Name").send_keys(name)
    page.browser.find_element(By.ID, "files").send_keys("\n".join(map(str, faces.photos)))
    page.until(lambda: len([c for c in page.all("#reviews .chip") if c.text == "Good"]) == len(faces.photos))
    page.button("Save person").click()
    page.until(lambda: "/people/" in page.browser.current_url and "new" not in page.browser.current_url)


def leftovers(folder: Path, *words: bytes) -> list[str]:
    """Which of these bytes stand in any file of a folder."""
    return [
        f"{word!r} in {file.name}" for file in folder.glob("gallery.db*") for word in words if word in file.read_bytes()
    ]


def rows(gallery: Path, table: str) -> int:
    """How many rows a table of a gallery has."""
    with sqlite3.connect(f"file:{gallery}?mode=ro", uri=True) as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    connection.close()
    return count
