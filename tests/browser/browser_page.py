"""What somebody does with the page: by labels and visible words, as a reader of the screen would."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from chromium import Served, write_camera
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from knownface.types import Image

Found = TypeVar("Found")
PATIENCE = 60.0
# What moves in is seen piece by piece: a test would find the second button while the first is not there yet.
STILL = [{"name": "prefers-reduced-motion", "value": "reduce"}]
TURNED = "does not belong to the document"  # the driver's word, now and then, for a stale element of a page just left


class Page:
    """A browser that shows the service's page."""

    def __init__(self, browser: Chrome, served: Served, downloads: Path, camera: Path) -> None:
        self.browser = browser
        self.served = served
        self.address = served.address
        self.downloads = downloads
        self._camera = camera

    def sign_in(self, key: str, leads_to: str = "/live") -> None:
        """By the address that the service prints for a key."""
        self.browser.get("about:blank")  # where that form is shown already, only what stands behind the # would change
        self.browser.get(f"{self.address}/sign-in#key={key}")
        self.until(lambda: self.browser.current_url.endswith(leads_to))

    def camera_sees(self, pictures: list[Image]) -> None:
        """What the camera shows from now on; the page is left, since a camera in use goes on as it began."""
        self.browser.get("about:blank")
        write_camera(self._camera, pictures)

    def go(self, path: str) -> None:
        """Open a page."""
        self.browser.get(self.address + path)

    def until(self, condition: Callable[[], Found], seconds: float = PATIENCE) -> Found:
        """Wait for something to be so; that the page turns meanwhile is no mistake."""

        def tried(_: Chrome) -> Found | None:
            try:
                return condition()
            except StaleElementReferenceException:
                return None
            except WebDriverException as error:
                if TURNED in str(error):
                    return None
                raise

        try:
            return WebDriverWait(self.browser, seconds, 0.1).until(tried)  # type: ignore[return-value]
        except Exception as error:
            error.add_note(f"at {self.browser.current_url} the page said:\n{self.text()}\n{self.complaints()}")
            error.add_note("the service said last:\n" + "".join(self.served.said[-30:]))
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

    def press(self, key: str) -> None:
        """Press a key on whatever has the focus, also where it has just been drawn anew."""
        ActionChains(self.browser).send_keys(key).perform()

    def field(self, label: str) -> WebElement:
        """The field with this label."""
        path = f"//label[normalize-space(.)={label!r}]"
        named = self.until(lambda: [e.get_attribute("for") for e in self.browser.find_elements(By.XPATH, path)])
        return next(e for e in (self.browser.find_element(By.ID, n) for n in named if n) if e.is_displayed())

    def upload(self, files: list[Path]) -> None:
        """Choose pictures for somebody."""
        self.browser.find_element(By.ID, "files").send_keys("\n".join(map(str, files)))

    def chips(self) -> list[str]:
        """What became of the pictures that were chosen, a word each."""
        return [chip.text for chip in self.all("#reviews .chip")]

    def path(self) -> str:
        """Where the page is."""
        return httpx.URL(self.browser.current_url).path

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
    """Somebody real, and somebody else.

    Attributes:
        name: Of the person.
        photos: Files to enrol.
        seen: Pictures that a camera may see, other ones than the photos where there are others.
        others: Photos of somebody else.
        landmarks: Whether the service's detector tells where eyes and nose are.
        settings: Of the service.
    """

    name: str
    photos: list[Path]
    seen: list[Image]
    others: list[Path]
    landmarks: bool
    settings: dict[str, str]


BrowserMaker = Callable[..., Page]


def new_page(browser: Chrome, served: Served, downloads: Path, camera: Path) -> Page:
    """A browser that remembers nothing: signed out, at a desk, light, and nothing on its pages moves."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": served.address, "storageTypes": "local_storage"})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": STILL})
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    downloads.mkdir(exist_ok=True)
    browser.get_log("browser")  # type: ignore[no-untyped-call]  # what was said before is not this test's
    return Page(browser, served, downloads, camera)


class Service:
    """The service as a program sees it: to furnish it for a test, and to empty it after."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self._http = httpx.Client(
            base_url=f"{served.address}/v1", headers={"Authorization": f"Bearer {served.key}"}, timeout=60
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """A request; its answer's JSON, if it has any."""
        answer = self._http.request(method, path, **body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def add(self, name: str, photos: list[Path], **more: Any) -> int:
        """Enrol somebody; the id."""
        person: int = self.ask("POST", "/people", json={"name": name, **more})["id"]
        with contextlib.ExitStack() as stack:
            files = [("pictures", (photo.name, stack.enter_context(photo.open("rb")))) for photo in photos]
            done = self.ask("POST", f"/people/{person}/templates", files=files) if files else {"pictures": []}
        assert [picture["status"] for picture in done["pictures"]] == ["enrolled"] * len(photos), done
        return person

    def empty(self) -> None:
        """Delete everybody and everything, until nothing comes any more from a camera that has just been left."""
        while self._anything():
            for source in self.ask("GET", "/live/sources"):
                self.ask("DELETE", f"/live/sources/{source['id']}")
            for session in self.ask("GET", "/attendance?limit=200")["items"]:
                self.ask("DELETE", f"/attendance/{session['id']}")
            for person in self.ask("GET", "/people?limit=200")["items"]:
                self.ask("DELETE", f"/people/{person['id']}")
            self.ask("DELETE", "/sightings", params={"everything": True})
            time.sleep(0.2)
        for rule in self.ask("GET", "/alerts/rules"):
            self.ask("DELETE", f"/alerts/rules/{rule['id']}")
        self.ask("DELETE", "/calibration")
        for key in self.ask("GET", "/keys"):
            if key["token_id"] not in self.served.key and not key["revoked"]:
                self.ask("DELETE", f"/keys/{key['id']}")

    def _anything(self) -> bool:
        lists = [self.ask("GET", f"/{name}?limit=1")["items"] for name in ("people", "sightings", "attendance")]
        lists.append(self.ask("GET", "/live/sources"))
        return any([*lists, self.ask("GET", "/live/present")["faces"]])


def enrol(page: Page, faces: Faces, name: str) -> str:
    """Enrol somebody by uploading their photos; the path of their page."""
    page.go("/people/new")
    page.field("Name").send_keys(name)
    page.upload(faces.photos)
    page.until(lambda: page.chips() == ["Good"] * len(faces.photos))
    page.button("Save person").click()
    page.until(lambda: page.path().startswith("/people/") and page.path() != "/people/new")
    return page.path()


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
