from __future__ import annotations

from datetime import UTC, datetime

from knownface.live.identity_events import IdentityEvents
from knownface.tracking import Segment, TrackedFace, TrackIdentity, TrackSummary
from knownface.types import Box

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PENDING = TrackIdentity()
ADA = TrackIdentity("named", 1, "Ada")
BOB = TrackIdentity("named", 2, "Bob")
NOBODY = TrackIdentity("unknown", unknown=7)


def face(identity: TrackIdentity, track: int = 1) -> TrackedFace:
    return TrackedFace(track, Box(1, 2, 30, 40), detected=True, identity=identity)


def ended(identity: TrackIdentity, track: int = 1) -> TrackSummary:
    segment = Segment(identity, 1.0, 5.0, 100, 0.7)
    return TrackSummary(track, identity, 1.0, 5.0, 100, None, None, (segment,))


def told(watch: IdentityEvents, *identities: TrackIdentity) -> list[tuple[str, str]]:
    return [
        (event.kind, event.label)
        for time, identity in enumerate(identities)
        for event in watch.seen([face(identity)], float(time), BEGAN)
    ]


def test_each_answer_is_told_once() -> None:
    watch = IdentityEvents("door")
    assert told(watch, PENDING, PENDING, NOBODY, NOBODY, ADA, ADA) == [("unknown", "Unknown 7"), ("named", "Ada")]


def test_another_name_and_a_name_taken_back() -> None:
    watch = IdentityEvents("door")
    assert told(watch, ADA, BOB, PENDING, PENDING, BOB) == [
        ("named", "Ada"),
        ("named", "Bob"),
        ("unsure", "Bob"),
        ("named", "Bob"),
    ]


def test_an_event_says_since_when_and_when() -> None:
    watch = IdentityEvents("door")
    watch.seen([face(PENDING)], 2.0, BEGAN)
    [event] = watch.seen([face(ADA)], 3.5, BEGAN)
    assert (event.since, event.time) == (2.0, 3.5)
    assert event.as_dict() == {
        "event": "named",
        "source": "door",
        "at": "2026-03-01T12:00:03.500+00:00",
        "time": 3.5,
        "track": 1,
        "name": "Ada",
        "person_id": 1,
        "since": 2.0,
        "box": [1, 2, 30, 40],
        "why": "No picture of this face was good enough to tell yet.",
    }


def test_only_who_had_an_answer_is_told_to_leave() -> None:
    watch = IdentityEvents("door")
    told(watch, ADA)
    events = watch.left([ended(ADA), ended(PENDING, 2)], BEGAN)
    assert [(e.kind, e.label, e.since, e.time, e.frames) for e in events] == [("left", "Ada", 1.0, 5.0, 100)]
    assert told(watch, ADA) == [("named", "Ada")], "a track of the same number would be another one"


def test_tracks_that_vanish_without_an_end_are_forgotten() -> None:
    watch = IdentityEvents("door")
    for track in range(1000):
        watch.seen([face(ADA, track)], 0.0, None)
        watch.forget_all_but([track])
    assert len(watch._since) == len(watch._answers) == 1
