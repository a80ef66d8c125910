from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from knownface.events import (
    EVENT_KINDS,
    AlertRule,
    Alerts,
    SeenTrack,
    SightingLog,
    add_rule,
    begin_happenings,
    close_session,
    log_happenings,
    mark,
    name_unknown,
    open_session,
    read_alerts,
    read_events,
)
from knownface.gallery import NewTemplate
from knownface.review import PersonReview
from knownface.types import DecisionRule

REVIEW = PersonReview(DecisionRule(1, 3, 1.0))


@pytest.fixture
def told(gallery):
    """What was told since the last call, as kind, name or number, and where."""
    with gallery.database.writing() as connection:
        begin_happenings(connection)
    last = 0

    def read(*kinds, later=0):
        nonlocal last
        log_happenings(gallery.database, kinds or EVENT_KINDS, datetime.now(UTC) + timedelta(seconds=later))
        found = read_events(gallery.database, after=last, limit=100)
        last = max((event.id for event in found), default=last)
        return [(event.kind, event.name or event.unknown, event.source) for event in found]

    return read


@pytest.fixture
def now(told):
    return datetime.now(UTC)


@pytest.fixture
def seen(gallery, ids, now):
    """Records that somebody is seen now."""

    def record(who, **more):
        person, number = (ids[who], None) if isinstance(who, str) else (None, who)
        track = SeenTrack(f"{who}/door", "door", person, number, first_seen=now, last_seen=now, **more)
        SightingLog(gallery).record([track])
        return track

    return record


def test_who_is_seen_comes_goes_and_is_enrolled_is_told_once(gallery, seen, told, now):
    seen("Ann")
    session = open_session(gallery.database, "Maths", group="staff", start=now - timedelta(minutes=1))
    assert told() == [("sighting", "Ann", "door"), ("check-in", "Ann", "door")]
    seen("Ann", frames=9)
    seen(7)
    assert told() == [("sighting", 7, "door")]
    mark(gallery.database, session.id, "Ben")
    assert told() == []  # nobody was seen, so that attendance is looked at within half a minute
    assert told(later=31) == [("check-in", "Ben", None)]
    name_unknown(gallery, [7], "Cy", REVIEW, enrol=False)
    gallery.enrol([("Dan", NewTemplate(gallery.vectors().embeddings[0], "/photos/dan.jpg", "d" * 64))])
    assert sorted(told()) == [("check-in", "Cy", "door"), ("enrolment", "Dan", None)]
    close_session(gallery.database, session.id, now + timedelta(seconds=40))
    assert sorted(told(later=62)) == [("check-out", name, None) for name in ("Ann", "Ben", "Cy")]
    assert told(later=93) == []
    (event,) = [one for one in read_events(gallery.database, after=0, limit=100) if one.sentence.startswith("Ann has")]
    assert event.facts()["sentence"] == "Ann has come to Maths."
    assert (event.session_id, event.session) == (session.id, "Maths")


def test_only_what_is_wanted_and_only_from_now_on(gallery, seen, told, now):
    seen("Ann")
    assert told("enrolment", "seen") == []
    seen("Ben")
    assert told("sighting") == [("sighting", "Ben", "door")]
    seen("Cy")
    with gallery.database.writing() as connection:
        begin_happenings(connection)
    assert told() == []


def test_alerts_stay_a_log_of_their_own_and_removed_people_are_told_no_more(gallery, seen, told, now):
    add_rule(gallery.database, AlertRule(name="staff", kind="seen", group="staff"))
    track = seen("Ann")
    with Alerts(gallery.database) as alerts:
        alerts.evaluate([track])
    log_happenings(gallery.database, EVENT_KINDS)
    assert [alert.kind for alert in read_alerts(gallery.database)] == ["seen"]
    assert {event.kind for event in read_events(gallery.database, after=0, limit=10)} == {"seen", "sighting"}
    gallery.remove("Ann")
    assert told() == []
