"""Who may do what: keys, roles, sessions, other sites, rates."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from service_tools import Running, serving

OPEN = {("GET", "/v1/health"), ("GET", "/v1/ready"), ("POST", "/v1/session")}


def routes(served: Running) -> list[tuple[str, str, dict[str, Any]]]:
    told = httpx.get(f"{served.address}/v1/openapi.json").json()
    return [(m.upper(), path, what) for path, ways in told["paths"].items() for m, what in ways.items()]


def call(client: httpx.Client, served: Running, method: str, path: str, **options: Any) -> httpx.Response:
    for part in ("person_id", "template_id", "key_id", "hook_id", "session_id", "sighting_id", "offer_id", "track"):
        path = path.replace(f"{{{part}}}", "1000000")
    return client.request(method, f"{served.address}{path.replace('{', '').replace('}', '')}", **options)


@pytest.mark.slow
def test_every_route_but_the_open_ones_asks_for_a_valid_key(served: Running) -> None:
    revoked = served.service.keys.create("revoked", "admin")
    expired = served.service.keys.create("expired", "admin", datetime.now(UTC) - timedelta(seconds=1))
    served.service.keys.revoke(revoked.key.id)
    served.service.authenticator.refresh()
    good = served.keys["admin"]
    wrong = ["", "Bearer", "Bearer x", f"Bearer {good}x", f"Bearer {good[:-1]}", f"Basic {good}", good]
    wrong += [f"Bearer {revoked.token}", f"Bearer {expired.token}", "Bearer kf_é_é".encode("latin-1").decode("latin-1")]
    checked = 0
    with httpx.Client() as client:
        for method, path, told in routes(served):
            if (method, path) in OPEN:
                assert "security" not in told
                continue
            checked += 1
            for header in wrong:
                headers = [(b"authorization", header.encode("latin-1"))] if header else []
                answer = call(client, served, method, path, headers=headers)
                assert answer.status_code == 401, (method, path, header)
                assert answer.json()["code"] == "no-key"
                assert answer.headers["www-authenticate"].startswith("Bearer")
    assert checked > 40


def test_every_route_refuses_roles_below_its_own(served: Running) -> None:
    order = ["device", "viewer", "operator", "admin"]
    needed = []
    with httpx.Client() as client:
        for method, path, told in routes(served):
            if (method, path) in OPEN:
                continue
            role = next(iter(told["security"][0].values()))[0]
            needed.append((method, path, role))
            for lower in order[: order.index(role)]:
                headers = {"Authorization": f"Bearer {served.keys[lower]}"}
                answer = call(client, served, method, path, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path, lower)
    assert ("POST", "/v1/identify", "device") in needed
    assert ("GET", "/v1/people", "viewer") in needed
    assert ("DELETE", "/v1/people/{person_id}", "operator") in needed
    assert {path for _, path, role in needed if role == "admin"} >= {"/v1/keys", "/v1/audit", "/v1/webhooks"}
    changing = {(m, p) for m, p, role in needed if m != "GET" and role in {"device", "viewer"}}
    assert changing <= {
        ("POST", "/v1/detect"),
        ("POST", "/v1/identify"),
        ("POST", "/v1/identify/batch"),
        ("POST", "/v1/kiosk/leave"),
        ("POST", "/v1/receipts/verify"),
        ("POST", "/v1/verify"),
        ("DELETE", "/v1/session"),
    }


def test_a_route_without_a_role_cannot_be_made() -> None:
    from knownface.server.access import guarded_router

    router = guarded_router("test")
    with pytest.raises(TypeError, match="does not say by needs"):
        router.get("/open")(lambda: None)


def test_keys_are_made_rotated_and_revoked_at_once(served: Running, admin: httpx.Client) -> None:
    made = admin.post("/keys", json={"name": "front <b>door", "role": "device", "days": 1}).json()
    token, key = made["token"], made["key"]["id"]
    assert token not in admin.get("/keys").text

    def works(with_token: str) -> bool:
        headers = {"Authorization": f"Bearer {with_token}"}
        return httpx.get(f"{served.address}/v1/session", headers=headers).status_code == 200

    assert works(token)
    rotated = admin.post(f"/keys/{key}/rotate").json()["token"]
    assert (works(token), works(rotated)) == (False, True)
    assert admin.delete(f"/keys/{key}").json()["revoked"] is not None
    assert not works(rotated)
    assert admin.post(f"/keys/{key}/rotate").json()["code"] == "unknown-key"
    with served.service.database.reading() as connection:
        stored = connection.exec_driver_sql("SELECT * FROM api_keys").fetchall()
    assert not [row for row in stored if rotated.split("_", 2)[2] in str(row)]
    actions = [entry["action"] for entry in admin.get("/audit?action=key.").json()["items"][:3]]
    assert actions == ["key.revoke", "key.rotate", "key.create"]


@pytest.mark.slow
def test_what_another_program_revokes_is_void_within_seconds(own: Running) -> None:
    import time

    from knownface.server.keys import KeyStore
    from knownface.storage import Database

    with Database.open(own.service.gallery.location) as elsewhere, own.http("device") as client:
        assert client.get("/session").status_code == 200
        [key] = [key for key in KeyStore(elsewhere).all() if key.role == "device"]
        KeyStore(elsewhere).revoke(key.id)
        end = time.monotonic() + 60
        while client.get("/session").status_code == 200:
            assert time.monotonic() < end
            time.sleep(0.05)


@contextlib.contextmanager
def login(served: Running, role: str = "operator") -> Iterator[httpx.Client]:
    forwarded = {"X-Forwarded-Proto": "https"}  # nobody said that this address is a proxy
    answer = httpx.post(f"{served.address}/v1/session", json={"key": served.keys[role]}, headers=forwarded)
    assert answer.status_code == 201, answer.text
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"))
    assert "Secure" not in cookie  # no TLS here
    assert served.keys[role] not in cookie
    headers = {"X-CSRF-Token": answer.json()["csrf"]}
    with httpx.Client(base_url=f"{served.address}/v1", headers=headers, cookies=answer.cookies) as client:
        yield client


def test_a_session_reads_and_changes_with_its_token_only(served: Running) -> None:
    with login(served) as client:
        told = client.get("/session").json()
        assert (told["role"], told["csrf"]) == ("operator", client.headers["X-CSRF-Token"])
        made = client.post("/people", json={"name": "By Session"})
        assert made.status_code == 201
        gone = f"/people/{made.json()['id']}"
        for headers in (
            {"X-CSRF-Token": ""},
            {"X-CSRF-Token": "0" * 64},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            refused = client.delete(gone, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), headers
        assert (
            client.delete(gone, headers={"Origin": served.address, "Sec-Fetch-Site": "same-origin"}).status_code == 200
        )
        assert client.get("/keys").status_code == 403
        token = client.cookies["knownface"]
        assert client.delete("/session").status_code == 204
        client.cookies.set("knownface", token)
        assert client.get("/session").status_code == 401


def test_a_session_ends_with_its_key(served: Running) -> None:
    made = served.service.keys.create("short", "viewer")
    served.service.authenticator.refresh()
    served.keys["short"] = made.token
    with login(served, "short") as client:
        assert client.get("/people").status_code == 200
        served.service.keys.revoke(made.key.id)
        served.service.authenticator.refresh()
        assert client.get("/people").status_code == 401


def test_login_from_another_site_or_with_a_wrong_key(served: Running) -> None:
    with httpx.Client(base_url=f"{served.address}/v1") as client:
        assert client.post("/session", json={"key": "kf_x_y"}).json()["code"] == "no-key"
        body = {"key": served.keys["admin"]}
        assert client.post("/session", json=body, headers={"Origin": "https://evil.example"}).status_code == 403
        faulty = client.post("/session", json={"key": served.keys["admin"], "more": 1})
        assert faulty.status_code == 422
        assert served.keys["admin"] not in faulty.text


@pytest.mark.slow
def test_rates_of_a_key_and_of_an_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("rates"), rate_per_key=2.0, rate_per_address=1000.0) as up, up.http() as one:
        codes = [one.get("/session").status_code for _ in range(12)]
        assert codes[:4] == [200] * 4
        limited = one.get("/session")
        assert (limited.status_code, limited.json()["code"]) == (429, "rate-limited")
        assert int(limited.headers["retry-after"]) >= 1
        with up.http("viewer") as other:
            assert other.get("/session").status_code == 200
    with serving(tmp_path_factory.mktemp("rates"), rate_per_address=1.0) as up, up.http(None) as anybody:
        assert [anybody.get("/health").status_code for _ in range(4)][-1] == 429


@pytest.mark.slow
def test_the_audit_log_names_nobody(own: Running, eileen: bytes) -> None:
    with own.http("operator") as operator, own.http("admin") as admin:
        made = operator.post("/people", json={"name": "Unmistakable"}).json()["id"]
        operator.post(f"/people/{made}/templates", files={"pictures": ("Unmistakable.png", eileen)})
        operator.get("/sightings/export")
        operator.delete(f"/people/{made}")
        log = admin.get("/audit").json()["items"]
        assert [entry["action"] for entry in log] == [
            "person.delete",
            "sightings.export",
            "templates.add",
            "person.create",
        ]
        assert {entry["actor"]["name"] for entry in log} == {"operator"}
        assert {entry["actor"]["address"] for entry in log} == {"127.0.0.1"}
        assert "Unmistakable" not in admin.get("/audit").text
        assert [e["action"] for e in admin.get("/audit?action=person.&limit=1").json()["items"]] == ["person.delete"]
        first = admin.get("/audit?limit=3").json()
        rest = admin.get("/audit", params={"limit": 3, "cursor": first["next"]}).json()
        assert [entry["action"] for entry in rest["items"]] == ["person.create"]
        assert admin.get("/audit?since=2999-01-01T00:00:00").json()["items"] == []
