"""Every page, light and dark, on a phone and a desk: for keyboards, screen readers, thumbs and weak eyes.

axe-core (Deque, MPL-2.0) looks for what WCAG 2.1 AA asks and a program can see; what it cannot is tried by keyboard.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_core_python.base import AXE_SCRIPT
from browser_page import STILL, BrowserMaker, Faces, Page, Service
from chromium import cut_texts
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from knownface.events import RetentionPolicy, SeenTrack, SightingLog
from knownface.gallery import Gallery
from knownface.media import read_image

pytestmark = pytest.mark.slow

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
DESK, PHONE = (1280, 900), (390, 844)
LEAST = 24  # CSS pixels, WCAG 2.2, success criterion 2.5.8


@pytest.fixture
def furnished(service: Service, faces: Faces) -> tuple[Service, list[str]]:
    """A service in use, and the pages of it."""
    person = service.add(faces.name, faces.photos, groups=["Choir"], external_id="S-1")
    service.add("Grace Hopper With a Very Long Name That Goes On", [])
    session = service.ask("POST", "/attendance", json={"name": "Spring dinner", "group": "Choir"})["id"]
    service.ask("POST", "/keys", json={"name": "front door", "role": "device"})
    service.ask("POST", "/alerts/rules", json={"name": "late", "kind": "missing", "group": "Choir", "by": "09:00"})
    with Gallery.open(service.served.gallery, create=False) as gallery:
        log, now = SightingLog(gallery, RetentionPolicy(pictures=True, unknown_faces=True)), datetime.now(UTC)
        picture = read_image(faces.photos[0])
        who: list[tuple[int | None, int | None]] = [(person, None), (None, log.new_unknown_number())]
        log.record(
            [
                SeenTrack(f"{now}/{n}", "front door", known, unknown, now, now + timedelta(seconds=9), picture=picture)
                for n, (known, unknown) in enumerate(who)
            ]
        )
    ordinary = [
        "live",
        "people",
        "people/new",
        "people/many",
        "people/offers",
        "unknowns",
        "attendance",
        "log",
        "settings",
    ]
    more = [f"people/{person}", f"attendance/{session}", "settings/keys"]
    return service, [
        f"/{path}"
        for path in (
            *ordinary,
            *more,
            "settings/alerts",
            "settings/audit",
            "identify",
            "compare",
            "attendance/hours",
            "people/999999",
            "sign-in",
        )
    ]


def show(page: Page, size: tuple[int, int], scheme: str) -> None:
    """A screen of some size, and a colour scheme."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [*STILL, {"name": "prefers-color-scheme", "value": scheme}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": size == PHONE})


def faults(page: Page) -> list[str]:
    """What axe-core finds wrong with what is shown."""
    page.browser.execute_script(AXE_SCRIPT)
    found: dict[str, Any] = page.browser.execute_async_script(
        "const [rules, done] = arguments;"
        "axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(done, (e) => done(String(e)));",
        RULES,
    )
    assert "violations" in found, found
    return [
        f"{page.path()}: {fault['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


_TOO_SMALL = """
const least = arguments[0];
return [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, summary, textarea")]
  .filter((e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !e.disabled)
  .filter((e) => !e.closest(".skip, .visually-hidden"))
  .map((e) => (e.matches("label > input") ? e.parentElement : e))
  .filter((e) => getComputedStyle(e).display !== "inline")
  .map((e) => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
  .filter(([, box]) => box.width < least || box.height < least)
  .map(([html, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`);
"""
_FOCUSED = """
const e = document.activeElement;
const style = getComputedStyle(e.matches(".file") ? e.nextElementSibling : e);
return [e === document.body, Boolean(e.closest("main")), style.outlineStyle, parseFloat(style.outlineWidth),
        e.outerHTML.slice(0, 90)];
"""
_CUT_OFF = """
return [...document.querySelectorAll("button, .button, h1, h2, label, .nav span, .chip")]
  .filter((e) => e.checkVisibility() && !e.closest(".visually-hidden") && !e.querySelector(".visually-hidden"))
  .filter((e) => !e.matches(".visually-hidden") && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
  .filter((e) => getComputedStyle(e).display !== "inline")
  .map((e) => e.outerHTML.slice(0, 120));
"""


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
def test_every_page_can_be_read_heard_and_touched(
    open_page: BrowserMaker, furnished: tuple[Service, list[str]], size: tuple[int, int], scheme: str
) -> None:
    page = open_page()
    show(page, size, scheme)
    service, paths = furnished
    wrong: list[str] = []
    for path in [*paths, "/kiosk"]:
        if path == "/kiosk":
            session = service.ask("GET", "/attendance")["items"][0]["id"]
            made = service.ask("POST", f"/attendance/{session}/kiosks", json={"place": "Entrance", "pin": "2468"})
            page.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
            page.sign_in(made["made"]["token"], "/kiosk")
        page.go(path)
        page.until(lambda: page.browser.execute_script("return document.readyState") == "complete")
        wrong += faults(page)
        if page.browser.execute_script("return document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{path}: wider than the screen")
        wrong += [f"{path}: small: {found}" for found in page.browser.execute_script(_TOO_SMALL, LEAST)]
        wrong += [f"{path}: cut off: {found}" for found in page.browser.execute_script(_CUT_OFF)]
    assert not wrong, "\n".join(wrong)


def test_every_dialog_can_be_read_and_heard(open_page: BrowserMaker, furnished: tuple[Service, list[str]]) -> None:
    """And each opens by Enter, holds the focus, and is closed by Escape."""
    page = open_page()
    show(page, DESK, "dark")
    opened, wrong = 0, []
    for path in furnished[1]:
        page.go(path)
        for name in page.browser.execute_script(
            "return [...document.querySelectorAll('[data-open]')].map((b) => b.dataset.open)"
        ):
            button = page.one(f"[data-open='{name}']")
            if not button.is_enabled():
                continue
            button.send_keys(Keys.ENTER)
            page.one("dialog[open]")
            assert page.browser.execute_script("return document.activeElement.closest('dialog') !== null")
            wrong += faults(page)
            opened += 1
            page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
            page.until(lambda: not page.all("dialog[open]"))
            assert page.browser.switch_to.active_element.get_attribute("data-open") == name
    assert opened >= 7
    assert not wrong, "\n".join(wrong)


def test_everything_is_reached_by_tab_and_the_focus_is_seen(
    open_page: BrowserMaker, furnished: tuple[Service, list[str]]
) -> None:
    page = open_page()
    show(page, DESK, "light")
    for path in furnished[1][:3] + furnished[1][8:9]:
        page.go(path)
        page.browser.execute_script("document.querySelector('.skip').focus()")
        there = page.browser.execute_script(
            "return [...document.querySelectorAll('main a[href], main button, main input, main select, main summary')]"
            ".filter((e) => e.checkVisibility() && !e.disabled).length"
        )
        stops, weak = 0, []
        for _ in range(there + 20):
            ActionChains(page.browser).send_keys(Keys.TAB).perform()
            told = page.browser.execute_script(_FOCUSED)
            if told[0]:
                break
            stops += bool(told[1])
            if told[2] == "none" or told[3] < 2:
                weak.append(told[4])
        assert not weak, f"{path}: {weak}"
        assert stops >= there, path


def test_no_language_is_cut_or_wider_than_a_phone(
    open_page: BrowserMaker, furnished: tuple[Service, list[str]]
) -> None:
    pages = [
        path for path in furnished[1] if path.rpartition("/")[2] in {"live", "log", "settings", "keys", "1", "kiosk"}
    ]
    page = open_page()
    show(page, PHONE, "light")
    found = {}
    for language in ("de", "es", "fr", "hr", "it"):
        page.browser.add_cookie({"name": "language", "value": language, "sameSite": "Lax"})
        for path in pages:
            page.go(path)
            assert page.browser.find_element("tag name", "html").get_attribute("lang") == language
            if cut := cut_texts(page.browser):
                found[language, path] = cut
    assert not found, "\n".join(map(str, found.items()))
