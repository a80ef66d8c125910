from __future__ import annotations

from datetime import timedelta

import pytest

from knownface.errors import EventsError, SessionOpenError, UnknownPersonError, UnknownSessionError
from knownface.events import (
    Guest,
    RetentionPolicy,
    SightingFilter,
    SightingLog,
    close_session,
    delete_session,
    find_session,
    list_sessions,
    mark,
    mark_photographed,
    name_unknown,
    open_session,
    report_session,
)
from knownface.review import PersonReview
from knownface.types import DecisionRule

REVIEW = PersonReview(DecisionRule(1, 3, 1.0))


@pytest.fixture
def at(made):
    return lambda minutes: made.noon + timedelta(minutes=minutes)


@pytest.fixture
def session(gallery, at):
    return open_session(gallery.database, "Maths", group="staff", start=at(0), grace=timedelta(minutes=10))


@pytest.fixture
def statuses(gallery):
    def read(session_id, now):
        report = report_session(gallery.database, session_id, now)
        return {a.name: a.status for a in report.attendees}

    return read


def test_present_late_expected_absent_and_walk_ins(gallery, session, see, at, statuses):
    see("Ann", 2)
    see("Ben", 11)
    see("Dan", 3)
    see(1, 4)
    see(2, 5)
    assert statuses(session.id, at(20)) == {"Ann": "present", "Ben": "late", "Cy": "expected", "Dan": "walk-in"}
    close_session(gallery.database, session.id, at(45))
    report = report_session(gallery.database, session.id, at(50))
    assert {a.name: a.status for a in report.attendees} == {
        "Ann": "present",
        "Ben": "late",
        "Cy": "absent",
        "Dan": "walk-in",
    }
    assert report.strangers == 2
    assert report.counts == {"present": 1, "late": 1, "absent": 1, "walk-in": 1}


def test_each_person_once_however_often_and_wherever_seen(gallery, session, see, at):
    see("Ann", 7, 8)
    see("Ann", 2, 3, source="yard")
    see("Ann", 20, 30)
    (ann,) = [a for a in report_session(gallery.database, session.id, at(40)).attendees if a.name == "Ann"]
    assert (ann.first_seen, ann.last_seen, ann.source, ann.status) == (at(2), at(30), "yard", "present")


def test_only_what_lies_within_the_session_counts(gallery, see, at, statuses):
    session = open_session(gallery.database, "S", people=["Ann", "Ben", "Cy"], start=at(0), until=at(60))
    see("Ann", -30, -1)
    see("Ben", -5, 5)
    see("Cy", 61)
    report = report_session(gallery.database, session.id, at(90))
    by_name = {a.name: (a.status, a.first_seen) for a in report.attendees}
    assert by_name == {"Ann": ("absent", None), "Ben": ("present", at(0)), "Cy": ("absent", None)}


def test_the_end_of_the_grace_is_not_late(gallery, session, see, at, statuses):
    see("Ann", 10)
    see("Ben", 10.01)
    assert statuses(session.id, at(30))["Ann"] == "present"
    assert statuses(session.id, at(30))["Ben"] == "late"


def test_sources_can_be_chosen(gallery, see, at, statuses):
    session = open_session(gallery.database, "S", people=["Ann", "Ben"], sources=["door", "yard"], start=at(0))
    see("Ann", 1, source="yard")
    see("Ben", 1, source="street")
    assert statuses(session.id, at(5)) == {"Ann": "present", "Ben": "expected"}


def test_a_closed_session_outlives_its_sightings(gallery, session, see, at, log):
    see("Ann", 2)
    see("Dan", 3)
    see(1, 4)
    close_session(gallery.database, session.id, at(45))
    before = report_session(gallery.database, session.id, at(50))
    log.delete(SightingFilter())
    assert report_session(gallery.database, session.id, at(50)) == before


def test_an_open_session_outlives_the_retention_of_its_sightings(gallery, session, see, at):
    see("Ann", 2)
    see(1, 4)
    see(2, 50)
    before = report_session(gallery.database, session.id, at(60))
    log = SightingLog(gallery, RetentionPolicy(days=3000))
    assert log.purge(at(10) + timedelta(days=3000)) == 2
    assert report_session(gallery.database, session.id, at(60)) == before
    see("Ann", 55)
    (ann,) = [a for a in report_session(gallery.database, session.id, at(60)).attendees if a.name == "Ann"]
    assert (ann.first_seen, ann.last_seen) == (at(2), at(55))
    assert log.purge(at(100) + timedelta(days=3000)) == 2
    assert report_session(gallery.database, session.id, at(60)).strangers == 2


def test_closing_twice_changes_nothing_and_a_clock_set_back_does_no_harm(gallery, session, see, at):
    see("Ann", 2)
    first = close_session(gallery.database, session.id, at(45))
    assert close_session(gallery.database, session.id, at(60)) == first
    other = open_session(gallery.database, "Later", people=["Ann"], start=at(0))
    assert close_session(gallery.database, other.id, at(-5)).closed == other.opened


def test_a_name_may_be_used_again_once_its_session_is_closed(gallery, session, at):
    with pytest.raises(SessionOpenError):
        open_session(gallery.database, "MATHS", group="staff")
    close_session(gallery.database, session.id, at(45))
    second = open_session(gallery.database, "Maths", group="staff", start=at(100))
    assert find_session(gallery.database, "maths", now=at(101)) == second
    close_session(gallery.database, second.id, at(145))
    assert find_session(gallery.database, "maths").id == second.id
    assert find_session(gallery.database, str(session.id)).id == session.id
    assert [s.id for s in list_sessions(gallery.database)] == [second.id, session.id]
    with pytest.raises(UnknownSessionError):
        find_session(gallery.database, "Physics")


def test_what_makes_no_sense_is_refused_and_leaves_nothing(gallery, at):
    with pytest.raises(EventsError, match="Nobody is expected"):
        open_session(gallery.database, "S")
    with pytest.raises(EventsError, match="Nobody is expected"):
        open_session(gallery.database, "S", group="no such group")
    with pytest.raises(EventsError, match="before it begins"):
        open_session(gallery.database, "S", people=["Ann"], start=at(0), until=at(0))
    with pytest.raises(EventsError, match="grace"):
        open_session(gallery.database, "S", people=["Ann"], grace=timedelta(days=2))
    with pytest.raises(UnknownPersonError):
        open_session(gallery.database, "S", people=["Ann", "Nobody"])
    with pytest.raises(EventsError, match="twice"):
        open_session(gallery.database, "S", guests=[Guest("Ann", None, {}), Guest("ann", None, {})])
    with pytest.raises(ValueError, match="time zone"):
        open_session(gallery.database, "S", people=["Ann"], start=at(0).replace(tzinfo=None))
    assert list_sessions(gallery.database) == []


def test_guests_are_greeted_by_the_lists_name_with_what_it_says(gallery, see, at):
    gallery.set_external_id("Ben", "T-2")
    guests = [
        Guest("Ann", None, {"table": "5", "profile": "Speaker."}),
        Guest("Dr. Benjamin", "T-2", {"table": "7"}),
        Guest("Eve", None, {}),
    ]
    session = open_session(gallery.database, "Gala", guests=guests, start=at(0))
    assert session.columns == ("table", "profile")
    see("Ann", 1)
    see("Ben", 3)
    see("Dan", 2)
    report = report_session(gallery.database, session.id, at(5))
    assert [a.greeting for a in report.arrivals] == [
        "Welcome, Dr. Benjamin. Table: 7.",
        "Welcome, Dan. You are not on the list.",
        "Welcome, Ann. Table: 5. Profile: Speaker.",
    ]
    assert {a.name: a.status for a in report.attendees}["Eve"] == "expected"


def test_of_two_guests_of_one_name_the_external_id_says_who_is_enrolled(gallery, statuses):
    two = [Guest("Ann Lee", "T-1", {}), Guest("Ann Lee", "T-2", {})]
    ann = gallery.add_person("Ann Lee")
    with pytest.raises(EventsError, match=r"T-1 and T-2.* which of them is 'Ann Lee'"):
        open_session(gallery.database, "Gala", guests=two)
    gallery.set_external_id(ann.id, "T-2")
    report = report_session(gallery.database, open_session(gallery.database, "Gala", guests=two).id)
    assert {a.external_id: a.person_id for a in report.attendees} == {"T-1": None, "T-2": ann.id}


def test_a_guest_who_is_enrolled_later_is_recognised(gallery, see, at, log, statuses):
    session = open_session(gallery.database, "Gala", guests=[Guest("Eve", None, {"table": "1"})], start=at(0))
    see(1, 1)
    assert statuses(session.id, at(5)) == {"Eve": "expected"}
    name_unknown(gallery, [1], "Eve", REVIEW)
    assert statuses(session.id, at(5)) == {"Eve": "present"}
    close_session(gallery.database, session.id, at(10))
    log.delete(SightingFilter())
    assert statuses(session.id, at(15)) == {"Eve": "present"}


def test_a_misspelt_name_is_no_walk_in_where_none_is_wanted(gallery, session, statuses, at):
    with pytest.raises(UnknownPersonError, match=r"'Benn' is neither on the list of .* Is 'Ben' meant\?"):
        mark(gallery.database, session.id, "Benn", walk_in=False, now=at(5))
    assert mark(gallery.database, session.id, "ben", walk_in=False, now=at(5)).counts["walk-in"] == 0
    assert mark(gallery.database, session.id, "Benn", walk_in=True, now=at(5)).counts["walk-in"] == 1


def test_whoever_is_on_a_photo_has_come(gallery, session, see, at, statuses):
    see("Ann", 1)
    mark(gallery.database, session.id, "Cy", absent=True, now=at(2))
    ids = {name: gallery.person(name).id for name in ("Ann", "Ben", "Cy", "Dan")}
    done = mark_photographed(gallery.database, session.id, [ids["Ben"], *ids.values()], at=at(5))
    assert (done.came, done.there, done.denied) == (("Ben", "Dan"), ("Ann",), ("Cy",))
    told = {a.name: (a.status, a.by_hand) for a in done.report.attendees}
    assert (told["Ben"], told["Dan"], told["Ann"]) == (("present", True), ("walk-in", True), ("present", False))
    assert mark_photographed(gallery.database, session.id, [ids["Ben"]]).there == ("Ben",)


def test_marks_by_hand_count_more_than_what_was_seen(gallery, session, see, at, statuses, log):
    see("Ann", 1)
    see("Dan", 1)
    mark(gallery.database, session.id, "cy", now=at(5))
    mark(gallery.database, session.id, "Ann", absent=True, now=at(6))
    mark(gallery.database, session.id, "Dan", absent=True, now=at(6))
    mark(gallery.database, session.id, "Somebody Else", now=at(7))
    expected = {"Ann": "expected", "Ben": "expected", "Cy": "present", "Somebody Else": "walk-in"}
    assert statuses(session.id, at(8)) == expected
    close_session(gallery.database, session.id, at(10))
    log.delete(SightingFilter())
    closed = {name: status.replace("expected", "absent") for name, status in expected.items()}
    assert statuses(session.id, at(11)) == closed


def test_nobody_is_late_for_being_marked_after_the_session(gallery, session, at, statuses):
    close_session(gallery.database, session.id, at(60))
    mark(gallery.database, session.id, "Ann", now=at(90))
    mark(gallery.database, session.id, "Ben", at=at(30), now=at(90))
    assert statuses(session.id, at(90)) == {"Ann": "present", "Ben": "late", "Cy": "absent"}
    for outside in (at(-1), at(61)):
        with pytest.raises(EventsError, match="not going on"):
            mark(gallery.database, session.id, "Cy", at=outside, now=at(90))


def test_who_is_marked_before_the_session_came_at_its_start(gallery, session, at):
    (ann, *_) = mark(gallery.database, session.id, "Ann", now=at(-5)).attendees
    assert (ann.status, ann.first_seen) == ("present", at(0))


def test_merging_joins_entries(gallery, session, see, at, statuses):
    see("Ann", 3)
    see("Ben", 1)
    close_session(gallery.database, session.id, at(20))
    gallery.merge(["Ann"], "Ben")
    report = report_session(gallery.database, session.id, at(30))
    assert [(a.name, a.status, a.first_seen) for a in report.attendees] == [
        ("Ben", "present", at(1)),
        ("Cy", "absent", None),
    ]


def test_merging_keeps_what_the_list_says(gallery, at, see):
    session = open_session(gallery.database, "Gala", guests=[Guest("Eve", None, {"table": "1"})], start=at(0))
    gallery.add_person("Eve")
    see("Ann", 2)
    close_session(gallery.database, session.id, at(3))
    gallery.merge(["Eve"], "Ann")
    (only,) = report_session(gallery.database, session.id, at(5)).attendees
    assert (only.name, only.facts, only.listed, only.status) == ("Eve", {"table": "1"}, True, "present")


def test_deleting_a_session_leaves_the_sightings(gallery, session, see, log):
    see("Ann", 1)
    delete_session(gallery.database, session.id)
    assert log.count() == 1
    with pytest.raises(UnknownSessionError):
        report_session(gallery.database, session.id)
