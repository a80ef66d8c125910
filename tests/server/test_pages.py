"""The pages as a browser without eyes gets them: who is sent to sign in, who may not, what is never run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi.routing import APIRoute
from service_tools import Running

from knownface.server import pages
from knownface.server.app import routers_in
from knownface.server.pages.kiosk import KioskRoute
from knownface.server.pages.render import AdminPageRoute, PageRoute

OPEN = {"/", "/sign-in"}


def paths() -> dict[str, type[APIRoute]]:
    """Every page with the class of its route, numbers filled in."""
    found: dict[str, type[APIRoute]] = {}
    routers = list(routers_in(pages))
    while routers:
        for route in routers.pop().routes:
            if isinstance(route, APIRoute):
                found[route.path] = type(route)
            else:  # FastAPI's note of a router that was included
                routers.append(route.original_router)  # type: ignore[attr-defined]
    assert len(found) >= 15
    return {path.replace("{person_id}", "999").replace("{session_id}", "999"): kind for path, kind in found.items()}


@contextmanager
def browser(served: Running, role: str | None) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.address, timeout=60) as client:
        if role is not None:
            client.post("/v1/session", json={"key": served.keys[role]})
        yield client


@pytest.fixture
def viewer(served: Running) -> Iterator[httpx.Client]:
    with browser(served, "viewer") as client:
        yield client


def test_whoever_has_not_signed_in_is_sent_to_the_form_and_back(served: Running) -> None:
    with browser(served, None) as nobody:
        for path, kind in paths().items():
            answer = nobody.get(f"{path}?page=2&q=a%26b")
            if path in OPEN:
                assert answer.status_code in {200, 303}
                continue
            assert issubclass(kind, PageRoute), path
            assert answer.status_code == 303, path
            assert answer.headers["location"] == f"/sign-in?next={path}%3Fpage%3D2%26q%3Da%2526b"
            assert answer.content == b""
        nobody.cookies.set("knownface", "made up")
        assert nobody.get("/people").status_code == 303


def test_pages_need_the_viewer_and_some_the_administrator(served: Running) -> None:
    """A device's key is led to its kiosk (see test_kiosks.py)."""
    for role, ordinary, admins in (("device", 303, 303), ("viewer", 200, 403), ("admin", 200, 200)):
        with browser(served, role) as client:
            for path, kind in paths().items():
                if path in OPEN or kind is KioskRoute:
                    continue
                answer = client.get(path)
                wanted = admins if issubclass(kind, AdminPageRoute) else ordinary
                missing = "999" in path and wanted == 200
                assert answer.status_code == (404 if missing else wanted), (role, path)
                if wanted == 303:
                    assert answer.headers["location"] == "/kiosk"
                    continue
                assert answer.headers["content-type"] == "text/html; charset=utf-8"
                assert answer.headers["cache-control"] == "no-store"
                if wanted == 403:
                    assert "kf_" not in answer.text
                    assert "<table" not in answer.text


def test_a_page_changes_nothing_and_takes_no_form(viewer: httpx.Client) -> None:
    """Everything that changes something is a route of /v1, which asks for the session's token."""
    for path in paths():
        for method in ("POST", "PUT", "DELETE"):
            assert viewer.request(method, path, data={"name": "x"}).status_code == 405, (method, path)


def test_names_and_addresses_are_shown_and_never_run(served: Running, viewer: httpx.Client) -> None:
    script = "<script>alert('x')</script>"
    with served.http() as admin:
        made = admin.post("/people", json={"name": script, "groups": [script]}).json()["id"]
        try:
            for path in ("/people", f"/people/{made}", f"/people?search={script}", "/live", "/log", "/people/new"):
                page = viewer.get(path).text
                assert "<script>alert" not in page, path
            assert "&lt;script&gt;alert" in viewer.get(f"/people/{made}").text
        finally:
            admin.delete(f"/people/{made}")
    attack = '"><script>alert(1)</script>'
    for path in ("/sign-in", "/log", "/people", "/settings/audit"):
        answer = viewer.get(path, params={"next": attack, "source": attack, "search": attack, "action": attack[:50]})
        assert "<script>alert" not in answer.text, path


def test_static_files_are_versioned_and_nothing_else_is_served(served: Running, viewer: httpx.Client) -> None:
    page = viewer.get("/live").text
    sheet = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = viewer.get(sheet)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    version = sheet.split("/")[2]
    for path in ("other/knownface.css", f"{version}/../render.py", f"{version}/%2e%2e/%2e%2e/app.py", f"{version}/"):
        assert viewer.get(f"/static/{path}").status_code in {404, 405}, path


def test_every_page_carries_the_policy(viewer: httpx.Client) -> None:
    for path in ("/live", "/sign-in", "/people/999", "/settings/keys"):
        headers = viewer.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_browsers_are_shown_pages_and_programs_told_json(served: Running, viewer: httpx.Client) -> None:
    reader = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
    for path, status in (("/nothing", 404), ("/log?below=x", 422), ("/v1/people/999", 404), ("/attendance/x", 422)):
        answer = viewer.get(path, headers=reader)
        assert answer.status_code == status, path
        assert answer.headers["content-type"].startswith("text/html"), path
        assert "<h1>" in answer.text
        told = viewer.get(path)
        assert told.status_code == status, path
        assert told.json()["code"], path
    with browser(served, None) as nobody:
        answer = nobody.get("/v1/people", headers=reader)
        assert (answer.status_code, "<h1>" in answer.text) == (401, True)
        assert answer.headers["www-authenticate"]


def test_a_browser_never_sees_json_and_reads_its_language(served: Running) -> None:
    with browser(served, "viewer") as client:
        client.headers.update({"accept": "text/html,*/*;q=0.8", "sec-fetch-mode": "navigate"})
        for path, status in (("/nowhere", 404), ("/people/none", 422), ("/v1/people/9999", 404), ("/v1/keys", 403)):
            for language, words in (("de", "Das hat nicht geklappt"), ("hr", "Nije uspjelo")):
                answer = client.get(path, headers={"accept-language": f"{language},en;q=0.5"})
                assert answer.status_code == status, path
                assert answer.headers["content-type"] == "text/html; charset=utf-8", path
                assert f'<html lang="{language}">' in answer.text
                assert (words in answer.text) == (status != 404), path
                assert "Bearer" not in answer.text
                assert "knownface keys" not in answer.text
        assert '<html lang="it">' in client.get("/nowhere?language=it").text
        client.cookies.set("language", "fr")
        assert '<html lang="fr">' in client.get("/live").text
        client.cookies.set("language", "../en")
        assert '<html lang="en">' in client.get("/live").text
        stranger = client.get("/live", headers={"host": "elsewhere.example"})
        assert (stranger.status_code, stranger.headers["content-type"]) == (400, "text/html; charset=utf-8")
    with browser(served, "viewer") as program:
        assert program.get("/nowhere").json()["code"] == "not-found"


def test_settings_are_changed_while_it_runs_and_told_with_who_did(served: Running) -> None:
    with browser(served, "admin") as client:
        csrf = client.get("/v1/session").json()["csrf"]
        change = {"fpir": 0.002, "keep_unknown_faces": True, "consent": "required"}
        answer = client.patch("/v1/settings", json=change, headers={"X-CSRF-Token": csrf})
        try:
            assert answer.status_code == 200, answer.text
            assert answer.json()["fpir"] == 0.002
            assert {"fpir", "keep_unknown_faces"} <= {own["name"] for own in answer.json()["own"]}
            shown = client.get("/settings").text
            assert "Set here by" in shown
            assert "0.20 %" in shown
            assert "settings.change" in client.get("/settings/audit").text
            wrong = client.patch("/v1/settings", json={"fpir": 2}, headers={"X-CSRF-Token": csrf})
            assert wrong.status_code == 422
        finally:
            back = {"fpir": 0.01, "keep_unknown_faces": False, "consent": "off"}
            assert client.patch("/v1/settings", json=back, headers={"X-CSRF-Token": csrf}).status_code == 200
