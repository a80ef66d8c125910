"""What was kept long enough goes: shown first, then done, then certified."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from knownface import FaceRecognizer
from knownface.errors import SettingsError
from knownface.events import SeenTrack, SightingFilter, SightingLog, close_session, open_session
from knownface.events.attendance import list_sessions
from knownface.gallery.consents import today
from knownface.law.retention import find_overdue, remove_overdue
from knownface.settings import load_settings

DAY = timedelta(days=1)


def test_people_templates_and_lists_go_when_their_time_is_over(enrolled_toys: Path) -> None:
    later = datetime.now(UTC) + 40 * DAY
    settings = load_settings(unseen_days=30, template_days=90, attendance_days=20, retention_days=30)
    with FaceRecognizer.open() as recognizer:
        gallery = recognizer.gallery
        log = SightingLog(gallery)
        log.record([SeenTrack("k", "door", gallery.person("Zoë").id, None, later - 9 * DAY, later - 9 * DAY)])
        close_session(gallery.database, open_session(gallery.database, "class", people=["Ben"]).id)
        assert not find_overdue(gallery, settings), "nothing is overdue today"
        found = find_overdue(gallery, settings, later)
        assert [name for _, name, _ in found.people] == ["Ben", "Eileen Collins"]
        assert "not seen since" in found.people[0][2]
        assert remove_overdue(gallery, settings, later) == found
        assert [person.name for person in gallery.people()] == ["Zoë"]
        assert list_sessions(gallery.database) == []
        assert len(log.find(SightingFilter())) == 1
        assert not find_overdue(gallery, settings, later)
        old = load_settings(template_days=5)
        assert remove_overdue(gallery, old, later).to_dict()["templates"] == 1
        assert (gallery.person("Zoë").templates, len(gallery.people())) == (0, 1)


def test_a_user_sets_a_last_day_looks_and_removes_with_a_certificate(
    enrolled_toys: Path, alone: Path, knownface: Callable[..., Any]
) -> None:
    assert knownface("people", "set", "Ben", "--until", today() - DAY).status == 0
    assert knownface("people", "set", "Zoë", "--until", today()).status == 0
    shown = knownface("law", "retention")
    assert ("Ben: last day" in shown.out, "Zoë" in shown.out, "Nothing was removed" in shown.err) == (True, False, True)
    done = knownface("law", "retention", "--run", "--receipts", "certificates")
    assert done.status == 0, done.err
    assert "Nothing is overdue" in knownface("law", "retention").err
    (certificate,) = (alone / "certificates").glob("*.json")
    assert json.loads(certificate.read_text("utf-8"))["statement"]["removed"] == {"people": 1}
    assert "Ben" not in certificate.read_text("utf-8"), "a certificate is kept, and names nobody"
    assert knownface("receipt", "verify", certificate).status == 0


def test_who_was_seen_must_be_known_so_long() -> None:
    with pytest.raises(SettingsError, match="unseen_days"):
        load_settings(unseen_days=90, retention_days=30)
