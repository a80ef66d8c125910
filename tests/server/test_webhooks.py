"""Events by webhook: to a real receiver, signed, in order, again until taken, kept over a restart."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from service_tools import Receiver, serving
from sqlalchemy import insert

from knownface.client import verify_webhook
from knownface.errors import BadRequestError
from knownface.gallery import Gallery
from knownface.server.webhook_delivery import WebhookDelivery
from knownface.server.webhooks import WebhookStore, receiver_addresses
from knownface.storage.events_schema import events


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "g.db") as opened:
        yield opened


def happen(gallery: Gallery, *kinds: str) -> None:
    with gallery.database.writing() as connection:
        for kind in kinds:
            values = {"kind": kind, "at": datetime.now(UTC), "rule_name": "door", "unknown": 7, "source": "<b>door</b>"}
            connection.execute(insert(events), values)


@contextlib.contextmanager
def delivery(gallery: Gallery, store: WebhookStore) -> Iterator[None]:
    running = WebhookDelivery(gallery.database, store, first_wait=0.2)
    running.start()
    try:
        yield
    finally:
        running.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_events_arrive_signed_and_in_order(gallery: Gallery, receiver: Receiver) -> None:
    store = WebhookStore(gallery.database)
    happen(gallery, "seen")  # before there was a webhook
    hook = store.create(receiver.url, ["unknown"])
    happen(gallery, "unknown", "seen", "unknown")
    with delivery(gallery, store):
        until(lambda: len(receiver.got) == 2)
        until(lambda: store.get(hook.id).last_event == 4)
    assert receiver.ids() == [2, 4]
    headers, body = receiver.got[0]
    assert verify_webhook(hook.secret, headers, body)
    assert not verify_webhook(hook.secret, headers, body + b" ")
    assert not verify_webhook("whsec_other", headers, body)
    assert not verify_webhook(hook.secret, headers, body, tolerance=-1)
    assert not verify_webhook(hook.secret, {}, body)
    told = json.loads(body)
    assert (told["kind"], told["unknown"], told["source"]) == ("unknown", 7, "<b>door</b>")
    assert headers["X-Knownface-Event"] == "2"


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_sent_again_and_nothing_overtakes_it(
    gallery: Gallery, receiver: Receiver, status: int
) -> None:
    store, receiver.status = WebhookStore(gallery.database), status
    hook = store.create(receiver.url)
    happen(gallery, "seen", "seen")
    with delivery(gallery, store):
        until(lambda: store.get(hook.id).failures >= 2)
        assert set(receiver.ids()) == {1}
        assert str(status) in (store.get(hook.id).error or "")
        receiver.status = 200
        until(lambda: store.get(hook.id).last_event == 2)
    assert receiver.ids()[-2:] == [1, 2]
    after = store.get(hook.id)
    assert (after.failures, after.error, after.next_attempt) == (0, None, None)


def test_how_long_an_attempt_takes_does_not_tell_who_listens(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails at once is told only after as long as a receiver has that says nothing."""
    monkeypatch.setattr("knownface.server.webhook_delivery.TIMEOUT_SECONDS", 10_000)
    store = WebhookStore(gallery.database)
    with socket.create_server(("127.0.0.1", 0)) as server, delivery(gallery, store):
        hook = store.create(f"http://127.0.0.1:{server.getsockname()[1]}/")
        happen(gallery, "seen")
        server.accept()[0].close()
        with contextlib.suppress(TimeoutError):
            server.settimeout(0.2)  # an attempt that was told would be repeated within this
            server.accept()
            raise AssertionError("it was tried again")
        assert (store.get(hook.id).failures, store.get(hook.id).error) == (0, None)


@pytest.mark.slow
def test_what_waits_survives_a_restart_and_a_pause(gallery: Gallery, receiver: Receiver) -> None:
    store = WebhookStore(gallery.database)
    hook = store.create("http://127.0.0.1:9/nobody")
    happen(gallery, "seen")
    with delivery(gallery, store):
        until(lambda: store.get(hook.id).failures >= 1)
    reachable = store.create(receiver.url)
    store.set_active(reachable.id, active=False)
    happen(gallery, "missing")
    with delivery(gallery, store):
        time.sleep(0.3)
        assert receiver.got == []
        store.set_active(reachable.id, active=True)
        until(lambda: len(receiver.got) == 1)
    assert store.get(hook.id).last_event == 0
    store.delete(hook.id)
    assert [left.id for left in store.all()] == [reachable.id]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://",
        "http://user:secret@example.org/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://exa mple.org/\n",
        "http://example.org:99999/",
        "https://" + "x" * 3000,
    ],
)
def test_addresses_that_no_receiver_has(url: str) -> None:
    with pytest.raises(BadRequestError):
        receiver_addresses(url, ())


@pytest.mark.slow
def test_the_routes_tell_the_secret_once(tmp_path: Path, receiver: Receiver, eileen: bytes) -> None:
    with serving(tmp_path) as up, up.http() as admin:
        admin.post("/people", json={"name": "Eileen"})
        made = admin.post("/webhooks", json={"url": receiver.url})
        assert made.status_code == 201
        secret, hook = made.json()["secret"], made.json()["webhook"]["id"]
        assert secret not in admin.get("/webhooks").text
        admin.post("/people/1/templates", files={"pictures": eileen})
        until(lambda: len(receiver.got) == 1)
        assert verify_webhook(secret, *receiver.got[0])
        told = json.loads(receiver.got[0][1])
        assert (told["kind"], told["name"], told["sentence"]) == ("enrolment", "Eileen", "Eileen was enrolled.")
        happen(up.service.gallery, "seen")
        until(lambda: len(receiver.got) == 2)
        until(lambda: admin.get(f"/webhooks/{hook}").json()["delivered"] is not None)
        assert admin.patch(f"/webhooks/{hook}", json={"active": False}).json()["active"] is False
        assert admin.delete(f"/webhooks/{hook}").status_code == 204
        assert admin.get(f"/webhooks/{hook}").json()["code"] == "not-found"
        assert admin.post("/webhooks", json={"url": "http://169.254.169.254/"}).json()["code"] == "bad-request"
        assert [event["id"] for event in admin.get("/events").json()] == [2]
        refused = admin.post("/webhooks", json={"url": receiver.url, "kinds": ["sighting", "birthday"]})
        assert refused.status_code == 422
        assert "'sighting', 'check-in', 'check-out' or 'enrolment'" in refused.json()["message"]
