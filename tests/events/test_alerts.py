from __future__ import annotations

import json
import sys
import threading
from datetime import time, timedelta

import pytest

from knownface.errors import AlertRuleError, BadNameError
from knownface.events import AlertRule, Alerts, SightingLog, add_rule, list_rules, read_alerts, remove_rule
from knownface.gallery import Gallery


@pytest.fixture
def at(made):
    return lambda minutes: made.noon + timedelta(minutes=minutes)


@pytest.fixture
def alerts(gallery):
    with Alerts(gallery.database, lambda: 1.0) as opened:
        yield opened


def seen_rule(**more):
    return AlertRule(**{"name": "staff", "kind": "seen", "group": "staff", **more})


def test_somebody_of_the_group_is_told_with_how_sure_it_is(gallery, alerts, see, at):
    add_rule(gallery.database, seen_rule())
    tracks = [see("Ann", best_distance=0.5, frames=12), see("Dan"), see(1)]
    (alert,) = alerts.evaluate(tracks, at(0))
    assert (alert.rule, alert.kind, alert.name, alert.at) == ("staff", "seen", "Ann", at(0))
    assert (alert.distance, alert.threshold, alert.frames) == (0.5, 1.0, 12)
    assert alert.sentence == "Ann seen at door (distance 0.50, a name is given up to 1.00; 12 frames)."
    assert read_alerts(gallery.database) == [alert]


def test_nobody_is_told_twice_within_the_cool_down(gallery, alerts, see, at):
    add_rule(gallery.database, seen_rule(cooldown=timedelta(minutes=5)))
    tracks = [see("Ann"), see("Ben")]
    told = [[a.name for a in alerts.evaluate(tracks, at(minute))] for minute in (0, 1, 4.9, 5, 6, 10)]
    assert told == [["Ann", "Ben"], [], [], ["Ann", "Ben"], [], ["Ann", "Ben"]]


def test_a_second_program_does_not_tell_it_again(gallery, alerts, see, at, place):
    add_rule(gallery.database, seen_rule())
    tracks = [see("Ann")]
    assert alerts.evaluate(tracks, at(0))
    with Gallery.open(place, create=False) as other, Alerts(other.database) as second:
        assert second.evaluate(tracks, at(1)) == []
        assert [a.name for a in second.evaluate(tracks, at(6))] == ["Ann"]
    assert len(read_alerts(gallery.database)) == 2


def test_a_clock_that_was_set_back_silences_nobody(gallery, alerts, see, at):
    add_rule(gallery.database, seen_rule())
    tracks = [see("Ann")]
    assert alerts.evaluate(tracks, at(60))
    assert alerts.evaluate(tracks, at(0))


def test_unknowns_cool_down_by_place(gallery, alerts, see, at):
    add_rule(gallery.database, AlertRule("strangers", "unknown", source="door"))
    first = alerts.evaluate([see(1), see(2), see(3, source="yard"), see("Ann")], at(0))
    assert [(a.unknown, a.source) for a in first] == [(1, "door")]
    assert first[0].sentence.startswith("Unknown 1 seen at door")
    assert alerts.evaluate([see(4)], at(1)) == []
    assert [a.unknown for a in alerts.evaluate([see(5)], at(6))] == [5]


def test_who_is_missing_is_told_once_a_day(gallery, alerts, see, at, made):
    add_rule(gallery.database, AlertRule("late", "missing", group="staff", by=time(12, 30), time_zone="UTC"))
    see("Ann", 5)
    see("Ben", 40)  # too late
    assert alerts.evaluate([], at(29)) == []
    told = alerts.evaluate([], at(45))
    assert [a.name for a in told] == ["Ben", "Cy"]
    assert told[0].sentence == "Ben has not been seen by now."
    assert alerts.evaluate([], at(46)) == []
    with Alerts(gallery.database) as restarted:
        assert restarted.evaluate([], at(50)) == []
    see("Cy", 60 * 24 - 300)
    assert [a.name for a in alerts.evaluate([], at(60 * 24 + 31))] == ["Ann", "Ben"]


def test_missing_people_are_told_on_the_days_asked_for(gallery, alerts, at):
    add_rule(
        gallery.database, AlertRule("late", "missing", group="staff", by=time(9), days=("sat", "sun"), time_zone="UTC")
    )
    days = [day for day in range(7) if alerts.evaluate([], at(60 * 24 * day))]
    assert days == [5, 6]  # noon is a Monday's


def test_a_removed_person_is_told_of_no_more_and_their_alerts_go(gallery, alerts, see, at, ids):
    add_rule(gallery.database, seen_rule(group=None))
    track = see("Ann")
    alerts.evaluate([track, see("Ben")], at(0))
    gallery.remove("Ann")
    assert alerts.evaluate([track], at(10)) == []
    assert [a.name for a in read_alerts(gallery.database)] == ["Ben"]


def test_deleted_sightings_take_their_alerts_along_and_merged_people_theirs(gallery, alerts, see, at, log):
    from knownface.events import SightingFilter

    add_rule(gallery.database, seen_rule())
    alerts.evaluate([see("Ann"), see("Ben", source="yard")], at(0))
    log.delete(SightingFilter(source="yard"))
    assert [a.name for a in read_alerts(gallery.database)] == ["Ann"]
    gallery.merge(["Ann"], "Cy")
    assert [a.name for a in read_alerts(gallery.database)] == ["Cy"]


def test_the_log_is_ordered_and_can_be_followed(gallery, alerts, see, at):
    add_rule(gallery.database, seen_rule(cooldown=timedelta()))
    for minute in range(5):
        alerts.evaluate([see("Ann")], at(minute))
    everything = read_alerts(gallery.database)
    ids = [a.id for a in everything]
    assert ids == sorted(ids)
    assert read_alerts(gallery.database, after=ids[1], limit=2) == everything[2:4]
    assert read_alerts(gallery.database, limit=2, newest=True) == everything[3:]
    assert read_alerts(gallery.database, rule="STAFF") == everything
    remove_rule(gallery.database, "Staff")
    assert [a.rule for a in read_alerts(gallery.database)] == ["staff"] * 5
    assert alerts.evaluate([see("Ann")], at(9)) == []


def test_what_could_not_be_written_is_told_at_the_next_look(gallery, alerts, see, at, monkeypatch):
    from knownface.errors import GalleryLockedError

    add_rule(gallery.database, seen_rule())
    track = see("Ann")

    def locked(*_):
        raise GalleryLockedError("in use")

    with monkeypatch.context() as patched:
        patched.setattr("knownface.storage.Database.writing", locked)
        with pytest.raises(GalleryLockedError):
            alerts.evaluate([track], at(0))
    assert [a.name for a in alerts.evaluate([track], at(1))] == ["Ann"]


def test_commands_get_the_facts_and_the_log_says_what_became_of_them(gallery, see, at, tmp_path):
    note = tmp_path / "note.json"
    code = (
        "import json, os, sys; facts = json.load(sys.stdin);"
        "json.dump([facts, os.environ['KNOWNFACE_ALERT_NAME']], open(sys.argv[1], 'w')); sys.exit('bad luck')"
    )
    add_rule(gallery.database, seen_rule(command=(sys.executable, "-c", code, str(note)), sound="bell"))
    with Alerts(gallery.database, lambda: 1.0) as alerts:
        (alert,) = alerts.evaluate([see("Ann", best_distance=0.5)], at(0))
    facts, name = json.loads(note.read_text())
    assert facts == alert.facts()
    assert (name, facts["sentence"]) == ("Ann", alert.sentence)
    (logged,) = read_alerts(gallery.database)
    assert logged.outcome == f"no terminal to ring; {sys.executable} ended with 1 (bad luck)"


def test_commands_run_beside_the_thread_that_looks(gallery, see, at, tmp_path):
    gate = tmp_path / "gate"
    code = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)"
    add_rule(gallery.database, seen_rule(command=(sys.executable, "-c", code, str(gate))))
    with Alerts(gallery.database) as alerts:
        assert len(alerts.evaluate([see("Ann"), see("Ben")], at(0))) == 2  # returns while they wait
        assert [a.outcome for a in read_alerts(gallery.database)] == [None, None]
        gate.touch()
    assert all(a.outcome.endswith("ended with 0") for a in read_alerts(gallery.database))


def test_threads_of_cameras_may_each_have_their_alerts(gallery, see, at):
    add_rule(gallery.database, seen_rule(cooldown=timedelta(days=1)))
    track, told = see("Ann"), []

    def look():
        with Alerts(gallery.database) as own:
            told.extend(own.evaluate([track], at(0)))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1


def test_rules_come_back_as_they_were_added(gallery):
    rules = [
        seen_rule(source="door", command=("echo", "a b", "ü"), timeout=3.5, sound="/s.wav"),
        AlertRule("late", "missing", group="staff", by=time(9, 5), days=("mon", "fri"), time_zone="Europe/Berlin"),
        AlertRule("Zz", "unknown", cooldown=timedelta(seconds=90)),
    ]
    added = [add_rule(gallery.database, rule) for rule in rules]
    assert sorted(list_rules(gallery.database), key=lambda r: r.id) == added
    assert [(r.name, r.command, r.by, r.days, r.cooldown) for r in added] == [
        (r.name, r.command, r.by, r.days, r.cooldown) for r in rules
    ]
    with pytest.raises(AlertRuleError, match="There is a rule"):
        add_rule(gallery.database, seen_rule(name="STAFF"))
    with pytest.raises(AlertRuleError, match="no rule"):
        remove_rule(gallery.database, "none")
    with pytest.raises(BadNameError):
        add_rule(gallery.database, seen_rule(name=" "))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "missing"},
        {"kind": "missing", "group": "staff"},
        {"kind": "seen", "by": time(9)},
        {"kind": "unknown", "group": "staff"},
        {"kind": "missing", "group": "g", "by": time(9), "days": ("someday",)},
        {"kind": "missing", "group": "g", "by": time(9), "time_zone": "Mars/X"},
        {"kind": "missing", "group": "g", "by": time(9), "time_zone": "../etc/passwd"},
        {"kind": "seen", "cooldown": timedelta(seconds=-1)},
        {"kind": "seen", "timeout": 0.0},
        {"kind": "seen", "timeout": float("nan")},
        {"kind": "seen", "command": ("",)},
        {"kind": "seen", "command": ("a\0b",)},
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong):
    with pytest.raises(AlertRuleError):
        AlertRule(**{"name": "x", **wrong})


def test_a_look_without_rules_writes_nothing(gallery, alerts, see, at, monkeypatch):
    seen = see("Ann")
    monkeypatch.setattr("knownface.storage.Database.writing", None)
    assert alerts.evaluate([seen], at(0)) == []
    assert SightingLog(gallery).count() == 1
