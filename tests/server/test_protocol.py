"""What clients of HTTP expect of any service: HEAD, rate limits told ahead, CORS, problem details."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from service_tools import Running, serving

from knownface.server.limits import RateLimiter


@pytest.mark.parametrize("path", ["/people", "/people/999999", "/health", "/openapi.json", "/nothing"])
def test_a_head_is_what_get_is_answered_without_the_body(admin: httpx.Client, path: str) -> None:
    whole, head = admin.get(path), admin.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers.get(name) == whole.headers.get(name), name


def test_only_reading_has_a_head(admin: httpx.Client) -> None:
    assert admin.head("/identify").status_code == 405


def test_how_much_is_left_is_told(admin: httpx.Client, served: Running) -> None:
    answer = admin.get("/people")
    assert answer.headers["ratelimit-policy"] == '"key";q=200000;w=2'
    assert answer.headers["ratelimit"].startswith('"key";r=')
    assert "ratelimit" not in httpx.get(f"{served.address}/v1/health").headers


def test_the_bucket_tells_what_it_does() -> None:
    now = [0.0]
    limit = RateLimiter(2, 4, lambda: now[0])
    assert (limit.left("a"), limit.full_in("a")) == (4, 0)
    assert [limit.take("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert (limit.left("a"), limit.full_in("a")) == (0, 2)
    now[0] = 1.0
    assert (limit.left("a"), limit.left("b")) == (2, 4)


def test_pages_of_other_sites_need_leave(tmp_path: Path) -> None:
    ours, theirs = "https://intranet.example.org", "https://elsewhere.example.org"
    with serving(tmp_path, allowed_origins=[ours]) as up, up.http() as admin:
        asked = {"Origin": ours, "Access-Control-Request-Method": "POST"}
        leave = httpx.options(f"{up.address}/v1/people", headers=asked)
        assert (leave.status_code, leave.headers["access-control-allow-origin"]) == (204, ours)
        assert "Authorization" in leave.headers["access-control-allow-headers"]
        answer = admin.get("/people", headers={"Origin": ours})
        assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (ours, "Origin")
        assert "access-control-allow-credentials" not in answer.headers
        assert "access-control-allow-origin" not in admin.get("/people", headers={"Origin": theirs}).headers
        assert httpx.options(f"{up.address}/v1/people", headers={**asked, "Origin": theirs}).status_code == 405
        login = httpx.post(f"{up.address}/v1/session", json={"key": up.keys["viewer"]}, headers={"Origin": ours})
        assert login.status_code == 403  # a key is theirs to use, a cookie is not


def test_an_error_is_problem_details(admin: httpx.Client) -> None:
    answer = admin.post("/people", json={"name": "unknown 3"})
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert (told["status"], told["type"], told["title"]) == (
        409,
        "urn:knownface:problem:reserved-name",
        "Reserved name",
    )
    assert told["detail"] == told["message"]
    assert told["instance"] == f"urn:knownface:request:{answer.headers['x-request-id']}"


def test_a_webhook_for_events_that_there_are_not_is_refused(admin: httpx.Client) -> None:
    answer = admin.post("/webhooks", json={"url": "http://127.0.0.1:9/", "kinds": ["seen", "sene"]})
    assert answer.status_code == 422
    assert "kinds" in answer.json()["message"]
