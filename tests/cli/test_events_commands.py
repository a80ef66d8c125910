"""The commands about what was seen, as a user types them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.cli.seen import clock, when
from knownface.events import Alerts, RetentionPolicy, SampleCandidate, SeenTrack, SightingLog, offer_sample
from knownface.gallery import Gallery, NewTemplate
from knownface.types import DecisionRule, EmbedderContract

CONTRACT = EmbedderContract("net", 8, "aligned", "c" * 64, "Apache-2.0", DecisionRule(1, 3, 1.0), True)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def face(angle):
    """Unit vectors on a circle."""
    return np.array([np.cos(angle), np.sin(angle), *[0.0] * 6], dtype=np.float32)


@pytest.fixture
def seen(alone):
    """Ann at the door at noon and one, Ben late in the yard, a stranger twice."""
    with Gallery.open(os.environ["KNOWNFACE_GALLERY"]) as gallery:
        gallery.bind(CONTRACT)
        for number, name in enumerate(("Ann", "Ben")):
            gallery.add_templates(name, [NewTemplate(face(1.5 * number), f"/{name}.jpg", name * 20)])
        gallery.add_person("Ann", external_id="s-ann", groups=["class"])
        gallery.add_person("Ben", groups=["class"])
        ids = {p.name: p.id for p in gallery.people()}
        log = SightingLog(gallery, RetentionPolicy(pictures=True, unknown_faces=True))
        picture = np.zeros((20, 20, 3), np.uint8)
        tracks = [
            SeenTrack("1", "door", ids["Ann"], None, NOON, NOON + timedelta(minutes=5), frames=9, picture=picture),
            SeenTrack("2", "door", ids["Ann"], None, NOON + timedelta(hours=1), NOON + timedelta(hours=2)),
            SeenTrack("3", "yard", ids["Ben"], None, NOON + timedelta(minutes=30), NOON + timedelta(minutes=31)),
            *(
                SeenTrack(f"u{n}", "door", None, log.new_unknown_number(), t, t, embedding=face(4 + 0.05 * n))
                for n, t in enumerate((NOON, NOON + timedelta(hours=1)))
            ),
        ]
        log.record(tracks)
        candidate = SampleCandidate(ids["Ann"], "door", datetime.now(UTC), face(-0.6), picture, 0.9, 9, 0)
        assert offer_sample(gallery, candidate, 1.0) == "offered"
    return alone


def lines(ran):
    assert ran.status == 0, ran.err
    return [line.rstrip() for line in ran.out.splitlines()]


def test_sightings_are_listed_and_filtered(seen, knownface):
    assert len(lines(knownface("sightings", "list"))) == 6
    (_, only) = lines(knownface("sightings", "list", "--person", "ann", "--until", "2026-03-02T12:30+00:00"))
    assert only.split()[1:4] == ["Ann", "door", "2026-03-02"]
    berlin = knownface("sightings", "list", "--source", "yard", "--time-zone", "Europe/Berlin")
    assert "13:30:00" in lines(berlin)[1]
    assert len(lines(knownface("sightings", "list", "--group", "class"))) == 4
    few = knownface("sightings", "list", "--limit", "2")
    assert len(lines(few)) == 3
    assert "2 of 5" in few.err


@pytest.mark.parametrize(
    "wrong", [("--from", "nonsense"), ("--from", "2999-01-01"), ("--time-zone", "Mars/X"), ("--limit", "0")]
)
def test_wrong_filters_are_wrong_usage(seen, knownface, wrong):
    assert knownface("sightings", "list", *wrong).status == 2


def test_export_as_csv_json_and_excel(seen, knownface):
    rows = list(csv.DictReader(knownface("sightings", "export", "-", "--time-zone", "UTC").out.splitlines()))
    assert [row["person"] or f"U{row['unknown']}" for row in rows] == ["U2", "U1", "Ben", "Ann", "Ann"]
    assert rows[-1]["first_seen"] == "2026-03-02T12:00:00+00:00"
    assert knownface("sightings", "export", "s.json", "--unknown").status == 0
    assert [row["unknown"] for row in json.loads((seen / "s.json").read_text())] == [2, 1]
    assert knownface("sightings", "export", "s.xls").status == 11
    assert not (seen / "s.xls").exists()
    pytest.importorskip("xlsxwriter", reason="the extra xlsx is not installed")
    assert knownface("sightings", "export", "s.xlsx").status == 0
    assert (seen / "s.xlsx").read_bytes()[:2] == b"PK"


def test_unknowns_are_grouped_named_and_dismissed(seen, knownface):
    assert lines(knownface("sightings", "unknowns"))[1].startswith("1 2")
    told = lines(knownface("sightings", "name", "1", "2", "--as", "Cy"))
    assert told == ["2 sightings are Cy's now, who has 2 templates (2 new)."]
    assert len(lines(knownface("sightings", "list", "--person", "Cy"))) == 3
    assert knownface("sightings", "name", "9", "--as", "Cy").status == 13
    assert lines(knownface("sightings", "dismiss", "1", "2")) == ["2 sightings dismissed."]


def test_deleting_asks_and_wants_to_know_what(seen, knownface):
    assert knownface("sightings", "delete").status == 2
    assert knownface("sightings", "delete", "--all", "--unknown").status == 2
    assert lines(knownface("sightings", "delete", "--unknown", "--yes")) == ["2 sightings deleted."]
    assert lines(knownface("sightings", "delete", "--all", "--yes")) == ["3 sightings deleted."]


def test_the_setting_deletes_by_itself(seen, knownface, monkeypatch):
    monkeypatch.setenv("KNOWNFACE_RETENTION_DAYS", "1")
    assert len(lines(knownface("sightings", "list"))) == 1
    monkeypatch.setenv("KNOWNFACE_RETENTION_DAYS", "0")
    assert knownface("sightings", "list").status == 8


def test_a_picture_can_be_taken_out(seen, knownface):
    assert knownface("sightings", "picture", "1", "p.jpg").status == 0
    assert (seen / "p.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert knownface("sightings", "picture", "2", "q.jpg").status == 13
    assert knownface("sightings", "picture", "99", "q.jpg").status == 13
    assert not (seen / "q.jpg").exists()


SESSION = ("attendance", "open", "Maths", "--group", "class", "--from", "2026-03-02T11:55+00:00", "--time-zone", "UTC")


def test_a_session_from_opening_to_moodle(seen, knownface):
    assert lines(knownface(*SESSION)) == ["Maths is open; 2 people are expected."]
    assert knownface(*SESSION).status == 13
    told = lines(knownface("attendance", "report", "maths", "--time-zone", "UTC"))
    assert [line.split()[:2] for line in told[1:3]] == [["Ann", "present"], ["Ben", "late"]]
    assert told[-1].endswith("open: 1 present, 1 late, 2 strangers.")
    assert lines(knownface("attendance", "mark", "Maths", "Ben", "--absent"))
    assert knownface("attendance", "mark", "Maths", "Ben", "--absent", "--at", "12:00").status == 2
    assert lines(knownface("attendance", "close", "Maths")) == ["Maths is closed: 1 present, 1 absent, 2 strangers."]
    moodle = knownface("attendance", "report", "Maths", "--moodle", "m.csv")
    assert "Ben" in moodle.err
    assert (seen / "m.csv").read_text() == "user,scantime,status\ns-ann,,P\n"
    wrong = knownface("attendance", "report", "Maths", "--moodle", "m.csv", "--moodle-user", "mail")
    assert wrong.status == 13
    assert "no column 'mail'" in wrong.err
    late = knownface("attendance", "mark", "Maths", "Ben", "--at", "2026-03-02T12:30+00:00")
    assert lines(late) == ["Ben is marked. 1 present, 1 late, 2 strangers."]
    assert knownface("attendance", "mark", "Maths", "Ben", "--absent").status == 0
    assert knownface("attendance", "report", "Maths", "--out", "r.csv").status == 0
    (ann, ben) = csv.DictReader((seen / "r.csv").read_text().splitlines())
    assert (ann["status"], ben["status"], ben["by_hand"]) == ("present", "absent", "yes")
    assert lines(knownface("attendance", "list"))[1].split()[1] == "Maths"
    assert knownface("attendance", "delete", "Maths", "--yes").status == 0
    assert knownface("attendance", "report", "Maths").status == 13


def test_guests_are_greeted_once(seen, knownface):
    (seen / "g.csv").write_text("name,email,table\nAnn,ann@x.org,5\nZoe,,1\n")
    until = ("--until", "2026-03-02T14:00+00:00")
    opened = knownface("attendance", "open", "Gala", "--guests", "g.csv", "--from", "2026-03-02T11:00+00:00", *until)
    assert "Zoe" in opened.err
    told = lines(knownface("attendance", "greet", "Gala"))
    assert [line.split("  ")[1] for line in told] == [
        "Welcome, Ann. Email: ann@x.org. Table: 5.",
        "Welcome, Ben. You are not on the list.",
    ]
    knownface("attendance", "report", "Gala", "--moodle", "m.csv", "--moodle-user", "email")
    assert (seen / "m.csv").read_text().splitlines()[1:] == ["ann@x.org,,L"]


@pytest.mark.slow
def test_greeting_goes_on_until_it_is_stopped(seen, knownface):
    assert knownface("attendance", "open", "Now", "--people", "Ann").status == 0
    program = subprocess.Popen(
        [sys.executable, "-m", "knownface", "attendance", "greet", "Now", "--every", "0.1"], stdout=subprocess.PIPE
    )
    with Gallery.open(os.environ["KNOWNFACE_GALLERY"], create=False) as gallery:
        now = datetime.now(UTC)
        SightingLog(gallery).record([SeenTrack("9", "door", gallery.person("Ann").id, None, now, now)])
    assert program.stdout.readline().endswith(b"Welcome, Ann.\n")
    program.terminate()
    program.communicate()


def test_hours(seen, knownface):
    asked = ("attendance", "hours", "--from", "2026-03-01", "--until", "2026-03-03", "--time-zone", "UTC")
    assert [line.split()[-1] for line in lines(knownface(*asked))[1:]] == ["2:00", "0:01"]
    assert [line.split()[-1] for line in lines(knownface(*asked, "--breaks", "30"))[1:]] == ["1:05", "0:01"]
    weeks = lines(knownface(*asked, "--weeks", "--person", "Ann"))
    assert [line.split()[-3:] for line in weeks[1:]] == [["2026-W10", "1", "2:00"], ["total", "1", "2:00"]]
    assert knownface(*asked, "--out", "h.csv").status == 0
    (ann, _) = csv.DictReader((seen / "h.csv").read_text().splitlines())
    assert (ann["first_in"], ann["worked"], ann["external_id"]) == ("2026-03-02T12:00:00+00:00", "2.00", "s-ann")
    assert knownface("attendance", "hours", "--from", "yesterday").status == 2
    assert knownface(*asked, "--day-starts", "25:00").status == 2
    assert knownface("attendance", "hours", "--from", "2026-03-03", "--until", "2026-03-01").status == 13


def test_alerts_are_confirmed_and_rejected(seen, knownface, tmp_path):
    ran = tmp_path / "ran"
    words = f"open({str(ran)!r}, 'w').write('x')"
    rule = ("alerts", "add", "vip", "--when", "seen", "--confirm", "1", "--confirm-within", "5")
    lines(knownface(*rule, "--", sys.executable, "-c", words))
    assert "once confirmed by 1" in lines(knownface("alerts", "list"))[1]
    with Gallery.open(os.environ["KNOWNFACE_GALLERY"]) as gallery, Alerts(gallery.database) as alerts:
        now = datetime.now(UTC)
        for key, name in (("1", "Ann"), ("3", "Ben")):
            person = gallery.person(name)
            assert alerts.evaluate([SeenTrack(key, "door", person.id, None, now, now)]) == []
    waiting = lines(knownface("alerts", "pending", "--pictures", "looks", "--json"))
    assert [json.loads(line)["name"] for line in waiting] == ["Ann", "Ben"]
    assert [path.name for path in Path("looks").glob("*.jpg")] == ["1.jpg"]
    assert not ran.exists()
    assert lines(knownface("alerts", "confirm", "1")) == ["Confirmed and passed on: Ann seen at door (1 frames)."]
    assert ran.exists()
    assert knownface("alerts", "confirm", "1").status == 13
    assert lines(knownface("alerts", "reject", "2")) == ["Rejected: Ben seen at door (1 frames)."]
    assert len(lines(knownface("alerts", "log"))) == 2
    (decided,) = lines(knownface("alerts", "pending", "--decided", "--json"))
    assert (json.loads(decided)["name"], json.loads(decided)["state"]) == ("Ben", "rejected")
    assert "alert.reject" in knownface("audit").out


def test_rules_of_alerts(seen, knownface):
    added = knownface("alerts", "add", "vip", "--when", "seen", "--group", "class", "--", sys.executable, "-c", "")
    assert lines(added) == ["The rule vip is in force."]
    assert knownface("alerts", "add", "VIP", "--when", "seen").status == 13
    late = ("alerts", "add", "late", "--when", "missing", "--group", "class", "--by", "09:00", "--days", "mon,tue")
    assert knownface(*late).status == 0
    assert knownface("alerts", "add", "x", "--when", "missing").status == 13
    assert knownface("alerts", "add", "x", "--when", "seen", "--by", "9").status == 2
    told = lines(knownface("alerts", "list"))
    assert "missing by 09:00 on mon, tue" in told[1]
    assert told[2].split()[:3] == ["vip", "seen", "class"]
    assert lines(knownface("alerts", "test", "VIP")) == [f"{sys.executable} ended with 0"]
    assert knownface("alerts", "test", "nobody").status == 13
    assert len(lines(knownface("alerts", "log"))) == 1
    assert knownface("alerts", "log", "--json", "-").out == ""
    assert lines(knownface("alerts", "remove", "vip")) == ["The rule vip is removed."]
    assert knownface("alerts", "remove", "vip").status == 13


def test_a_rule_that_may_never_tell_is_accepted_and_that_is_said(seen, knownface):
    added = knownface(
        "alerts", "add", "a", "--when", "seen", "--group", "clas", "--sound", "ding.wav", "--", "./no-such"
    )
    assert added.status == 0
    for part in ("Nobody is in the group clas", f"no file {seen}/ding.wav", f"no program {seen}/no-such"):
        assert part in added.err
    assert f"sound {seen}/ding.wav; {seen}/no-such" in lines(knownface("alerts", "list"))[1]
    assert "\\b" not in knownface("alerts", "add", "--help").out


def test_samples_are_looked_at_and_accepted_or_rejected(seen, knownface):
    told = lines(knownface("samples", "list", "--pictures", "pics"))
    assert told[1].split()[:2] == ["1", "Ann"]
    assert (seen / "pics" / "1.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert lines(knownface("samples", "accept", "1")) == ["1 template added."]
    assert knownface("samples", "reject", "1").status == 13
    assert len(lines(knownface("samples", "list"))) == 1


def test_samples_of_somebody_else_become_counter_examples(seen, knownface):
    assert lines(knownface("samples", "reject", "1", "--not-them")) == ["1 rejected."]
    assert "is not this person" in knownface("people", "show", "Ann").out


def test_without_a_gallery_each_says_so(alone, knownface):
    for asked in (("sightings", "list"), ("attendance", "list"), ("alerts", "list"), ("samples", "list")):
        assert knownface(*asked).status == 7


def test_a_photo_of_the_class_says_who_is_there(knownface, enrolled_toys):
    pictures = [enrolled_toys / "Ben" / "one.png", enrolled_toys / "Zoë" / "one.png"]
    (enrolled_toys / "Ben" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    assert knownface("attendance", "open", "Class", "--people", "Ben", "--people", "Eileen Collins").status == 0
    ran = knownface(
        "attendance", "photo", "Class", *pictures, enrolled_toys / "Ben" / "broken.jpg", "--annotate", "out"
    )
    assert ran.status == 1
    assert "broken.jpg" in ran.err
    assert "Came by these pictures (2): Ben, Zoë" in ran.out
    assert "On the list, not here yet (1): Eileen Collins" in ran.out
    assert len(list(Path("out").rglob("*.png"))) == 2
    inside = knownface("attendance", "photo", "Class", enrolled_toys, "--annotate", enrolled_toys / "labelled")
    assert len(list(enrolled_toys.rglob("labelled/**/*.png"))) == 4, inside
    knownface("attendance", "photo", "Class", enrolled_toys, "--annotate", enrolled_toys / "labelled")
    assert len(list(enrolled_toys.rglob("labelled/**/*.png"))) == 4, "labelled copies are no input"
    again = json.loads(knownface("attendance", "photo", "Class", pictures[0], "--json").out)
    assert (again["came"], again["there"], again["faces"][0]["name"]) == ([], ["Ben"], "Ben")
    assert {a["name"]: a["status"] for a in again["attendees"]}["Zoë"] == "walk-in"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-03-29T02:30", "does not exist in Europe/Berlin"),
        ("2026-10-25T02:30", r"say .*02:30\+02:00 or .*02:30\+01:00"),
    ],
)
def test_a_time_that_clocks_skip_or_show_twice_is_refused(text, told):
    with pytest.raises(click.BadParameter, match=told):
        when(text, ZoneInfo("Europe/Berlin"), option="--from")
    assert when(f"{text}+01:00", ZoneInfo("Europe/Berlin"), option="--from") == datetime.fromisoformat(f"{text}+01:00")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "UTC"]),
)
def test_a_time_is_the_one_that_the_zones_clocks_show(shown, name):
    zone = ZoneInfo(name)
    shown = shown.replace(microsecond=0)
    try:
        moment = when(shown.isoformat(), zone, option="--from")
    except click.BadParameter:
        assert shown.month in {3, 10}
        return
    assert clock(moment, zone) == f"{shown:%Y-%m-%d %H:%M:%S}"


def test_sessions_end_at_midnight_or_past_it():
    begins = when("20:00", UTC, option="--from")
    ends = [when(text, UTC, option="--until", after=begins) for text in ("22:30", "24:00", "00:00", "02:00")]
    assert [(end - begins) / timedelta(hours=1) for end in ends] == [2.5, 4, 4, 6]
    assert when("2026-03-02T24:00", UTC, option="--until") == datetime(2026, 3, 3, tzinfo=UTC)


def test_the_doubled_hour_is_shown_with_its_offset():
    zone = ZoneInfo("Europe/Berlin")
    moments = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
    assert [clock(moment, zone)[11:] for moment in moments] == ["02:30:00 +02:00", "02:30:00 +01:00", "03:30:00"]
