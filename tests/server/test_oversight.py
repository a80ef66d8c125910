"""Alerts that people must confirm: by no way out does anything leave before, and by every one after."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from service_tools import Receiver, Running, until
from websockets.sync.client import connect

from knownface.events import AlertRule, add_rule, remove_rule
from knownface.live import FrameResult
from knownface.server.live.event_bus import EventPublisher
from knownface.tracking import Identity, Segment, TrackIdentity, TrackSummary


def stranger_seen(up: Running, source: str) -> None:
    """A stranger before a camera of the service, written down as its cameras are."""
    recorder = up.service.streams.recorder
    who = recorder.new_unknown_number()
    segment = Segment(Identity("unknown", unknown=who), 0.0, 4.0, 100, 1.2)
    track = TrackSummary(1, TrackIdentity("unknown", unknown=who), 0.0, 4.0, 100, None, None, (segment,))
    for sink in recorder.sinks(source, EventPublisher(up.service.streams.events, source).publish):
        with sink:
            sink.take(FrameResult(None, ended=(track,), began=datetime.now(UTC)))


@pytest.mark.slow
def test_nothing_leaves_by_any_way_before_two_keys_confirmed_it(
    served: Running, admin: httpx.Client, receiver: Receiver, tmp_path: Path
) -> None:
    ran, words = tmp_path / "ran", "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"
    database, bearer = served.service.database, {"Authorization": f"Bearer {served.keys['viewer']}"}
    held = AlertRule("held", "unknown", source="door", confirm=2, command=(sys.executable, "-c", words, str(ran)))
    rules = add_rule(database, held), add_rule(database, AlertRule("free", "unknown", source="yard"))
    hook = admin.post("/webhooks", json={"url": receiver.url, "kinds": ["unknown"]}).json()["webhook"]["id"]
    address = f"{served.address.replace('http', 'ws')}/v1/live/events"
    with served.http("operator") as operator, connect(address, additional_headers=bearer) as socket:
        until(lambda: served.service.streams.events._subscribers)
        stranger_seen(served, "door")
        stranger_seen(served, "yard")  # when this has left, the one before would have
        assert json.loads(socket.recv(timeout=60))["source"] == "yard"
        until(lambda: receiver.got)
        assert [json.loads(body)["rule"] for _, body in receiver.got] == ["free"]
        assert "held" not in admin.get("/events").text
        (waiting,) = admin.get("/alerts/pending").json()["items"]
        assert (waiting["rule"], waiting["needed"]) == ("held", 2)
        confirm, reject = (f"/alerts/pending/{waiting['id']}/{word}" for word in ("confirm", "reject"))
        with served.http("viewer") as viewer:
            assert viewer.post(confirm).status_code == viewer.post(reject).status_code == 403
        assert operator.post(confirm).json() == {"confirmed_by": ["operator"], "needed": 2, "event_id": None}
        assert operator.post(confirm).json()["code"] == "alert-decided"
        assert not ran.exists()
        assert len(receiver.got) == 1
        assert "held" not in admin.get("/events").text
        assert admin.post(confirm).json()["event_id"]
        assert json.loads(socket.recv(timeout=60))["source"] == "door"
        until(lambda: len(receiver.got) == 2)
        until(lambda: admin.get("/events", params={"newest": True}).json()[-1]["outcome"])
    told = json.loads(receiver.got[1][1])
    assert (told["rule"], told["unknown"], told["confirmed_by"]) == ("held", waiting["unknown"], "operator, admin")
    assert json.loads(ran.read_text(encoding="utf-8")) == told
    assert admin.post(reject).status_code == 404
    noted = admin.get("/audit", params={"action": "alert.confirm"}).json()["items"]
    assert [entry["actor"]["name"] for entry in noted] == ["admin", "operator"]
    admin.delete(f"/webhooks/{hook}")
    for rule in rules:
        remove_rule(database, rule.name)


def test_what_a_key_rejects_stays_here(served: Running, admin: httpx.Client) -> None:
    add_rule(served.service.database, AlertRule("strangers", "unknown", confirm=1))
    stranger_seen(served, "hall")
    remove_rule(served.service.database, "strangers")
    (waiting,) = admin.get("/alerts/pending").json()["items"]
    assert admin.post(f"/alerts/pending/{waiting['id']}/reject").json()["event_id"] is None
    assert admin.get("/alerts/pending").json() == {"items": [], "next": None}
    assert "strangers" not in admin.get("/events").text
    (decided,) = admin.get("/alerts/pending", params={"decided": True}).json()["items"]
    assert (decided["state"], decided["decided_by"]) == ("rejected", "admin")
