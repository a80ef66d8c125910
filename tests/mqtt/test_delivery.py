"""What is seen, at a real broker: told in order, kept up to date, taken back, and sent again after it was away."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from home_assistant import check_discovery
from mqtt_tools import Mosquitto, listening, until
from sqlalchemy import insert

from knownface.errors import MissingExtraError
from knownface.events import AlertRule, Alerts, RetentionPolicy, SeenTrack, SightingLog, add_rule, open_session
from knownface.gallery import Gallery
from knownface.law.audit import local_actor
from knownface.law.oversight import confirm
from knownface.mqtt import MqttDelivery
from knownface.settings import MqttSettings
from knownface.storage.events_schema import events


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "g.db") as opened:
        yield opened


@contextlib.contextmanager
def delivery(gallery: Gallery, settings: MqttSettings) -> Iterator[MqttDelivery]:
    running = MqttDelivery(gallery, settings, every=0.05)
    running.start()
    try:
        yield running
    finally:
        running.close()


def see(log: SightingLog, key: str, who: int | None, *, source: str = "Front door", unknown: int | None = None) -> None:
    now = datetime.now(UTC)
    picture = np.full((8, 8, 3), 90, np.uint8)
    log.record([SeenTrack(key, source, who, unknown, now, now, best_distance=0.4, quality=0.9, picture=picture)])


def alert(gallery: Gallery) -> None:
    values = {"kind": "unknown", "at": datetime.now(UTC), "rule_name": "door", "unknown": 7, "source": "door"}
    with gallery.database.writing() as connection:
        connection.execute(insert(events), values)


def test_an_alert_that_waits_for_people_is_told_once_they_confirmed_it(gallery: Gallery, mosquitto: Mosquitto) -> None:
    add_rule(gallery.database, AlertRule("held", "unknown", confirm=1))
    now = datetime.now(UTC)
    with listening(mosquitto) as heard, delivery(gallery, mosquitto.settings()), Alerts(gallery.database) as alerts:
        alerts.evaluate([SeenTrack("key", "door", None, 3, now, now)])
        alert(gallery)  # when this has left, the one before would have
        until(lambda: heard.of("knownface/events/unknown"))
        assert [one["rule"] for one in heard.of("knownface/events/unknown")] == ["door"]
        confirm(gallery.database, 1, local_actor())
        until(lambda: len(heard.of("knownface/events/unknown")) == 2)
        assert heard.of("knownface/events/unknown")[1]["rule"] == "held"


def test_who_is_seen_is_told_kept_and_taken_back(gallery: Gallery, mosquitto: Mosquitto) -> None:
    ann, ben = gallery.add_person("Ann").id, gallery.add_person("Ben").id
    log = SightingLog(gallery, RetentionPolicy(pictures=True))
    see(log, "before", ben, source="Yard")
    alert(gallery)
    settings = mosquitto.settings(pictures=True, away_seconds=2)
    door = "knownface/cameras/Front_door_91b2dbad"
    with listening(mosquitto) as heard:
        with delivery(gallery, settings):
            until(lambda: heard.state(f"knownface/people/{ann}") == "away")
            assert heard.last("knownface/availability") == b"online"
            see(log, "one", ann)
            see(log, "two", None, unknown=3)
            until(lambda: heard.state(door) == 2)
            assert heard.state(f"knownface/people/{ann}") == "Front door"
            until(lambda: heard.last(f"knownface/people/{ann}/picture"))
            until(lambda: len(heard.of("knownface/sightings")) == 2)
            see(log, "two", ann)  # the stranger comes nearer
            until(lambda: len(heard.of("knownface/sightings")) == 3)
            told = [(one["name"], one["unknown"], one["source"]) for one in heard.of("knownface/sightings")]
            assert told == [("Ann", None, "Front door"), (None, 3, "Front door"), ("Ann", None, "Front door")]
            alert(gallery)
            until(lambda: heard.of("knownface/events/unknown"))
            assert [one["id"] for one in heard.of("knownface/events/unknown")] == [2]
            until(lambda: heard.state(f"knownface/people/{ann}") == "away")
            until(lambda: heard.state(door) == 0)
            assert json.loads(heard.last(f"knownface/people/{ann}") or b"")["last_seen"]
            announced = check_discovery(heard.kept())
            assert {"Ann", "Ben", "Front door", "Yard"} <= {config["name"] for config in announced.values()}
            assert len([topic for topic in announced if topic.startswith("homeassistant/image/")]) == 2
            gallery.remove(ann)
            until(lambda: heard.last(f"homeassistant/sensor/knownface/person_{ann}/config") == b"")
            until(lambda: heard.last(f"knownface/people/{ann}") == b"")
        until(lambda: heard.last("knownface/availability") == b"offline")
    gallery.remove(ben)  # while nothing runs
    with delivery(gallery, settings), listening(mosquitto) as heard:
        until(lambda: heard.last(f"knownface/people/{ben}") == b"")
        until(lambda: not [topic for topic in heard.kept() if "person" in topic])


def test_attendance_is_told_while_a_session_is_open(gallery: Gallery, mosquitto: Mosquitto) -> None:
    ann = gallery.add_person("Ann").id
    session = open_session(gallery.database, "Maths", people=["Ann"])
    with delivery(gallery, mosquitto.settings(name="school", discovery="")), listening(mosquitto) as heard:
        topic = f"school/attendance/{session.id}"
        until(lambda: heard.of(topic))
        assert heard.of(topic)[0]["counts"] == {"expected": 1}
        see(SightingLog(gallery), "one", ann)
        until(lambda: heard.of(topic)[-1]["counts"] == {"present": 1})
        assert heard.of(topic)[-1]["arrivals"][0]["name"] == "Ann"
        assert all(topic.startswith("school/") for topic in heard.kept())


def test_nothing_is_lost_while_the_broker_or_the_program_is_away(
    gallery: Gallery, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    ann, log = gallery.add_person("Ann").id, SightingLog(gallery)
    with listening(mosquitto) as heard, caplog.at_level(logging.INFO):
        with delivery(gallery, mosquitto.settings()):
            until(lambda: heard.state(f"knownface/people/{ann}"))
            mosquitto.stop()
            see(log, "one", ann)
            alert(gallery)
            mosquitto.start()
            until(lambda: [one["id"] for one in heard.of("knownface/sightings")] == [1])
            until(lambda: heard.of("knownface/events/unknown"))
        see(log, "two", ann)
        with delivery(gallery, mosquitto.settings()):
            until(lambda: {one["id"] for one in heard.of("knownface/sightings")} == {1, 2})
    assert "is waited for" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_lost_connection_is_told_by_the_broker(gallery: Gallery, mosquitto: Mosquitto) -> None:
    with listening(mosquitto) as heard, delivery(gallery, mosquitto.settings()) as running:
        until(lambda: heard.last("knownface/availability") == b"online")
        running._broker._client.socket().shutdown(socket.SHUT_RDWR)
        until(
            lambda: [payload for topic, payload in heard.got if topic == "knownface/availability"][1:2] == [b"offline"]
        )
        until(lambda: heard.last("knownface/availability") == b"online")


def test_one_of_two_programs_tells(gallery: Gallery, mosquitto: Mosquitto) -> None:
    ann = gallery.add_person("Ann").id
    with listening(mosquitto) as heard, delivery(gallery, mosquitto.settings()):
        until(lambda: heard.state(f"knownface/people/{ann}"))
        with delivery(gallery, mosquitto.settings()):
            see(SightingLog(gallery), "one", ann)
            until(lambda: heard.of("knownface/sightings"))
        assert heard.last("knownface/availability") == b"online"
        assert len(heard.of("knownface/sightings")) == 1


def test_a_wrong_password_is_told_and_not_shown(
    gallery: Gallery, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = mosquitto.settings().model_copy(update={"user": "nobody"})
    with delivery(gallery, wrong):
        until(lambda: "Not authorized" in caplog.text)
    assert "s3cret" not in caplog.text + repr(wrong)


def test_without_paho_the_extra_is_named(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "paho.mqtt.client", None)
    with pytest.raises(MissingExtraError) as raised:
        MqttDelivery(gallery, MqttSettings(url="mqtt://localhost"))
    assert "[mqtt]" in str(raised.value.hint)
