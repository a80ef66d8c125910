from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import EventsError
from knownface.events import SightingFilter, read_hours, work_days, work_weeks
from knownface.events.hours import _begin

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    None,
    UTC,
    BERLIN,
    *map(ZoneInfo, ("America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe")),
]


def berlin(day, clock):
    return datetime.combine(date(2026, *day), time.fromisoformat(clock), tzinfo=BERLIN)


def stay(day, came, left):
    return berlin(day, came), berlin(day, left)


def told(days, zone=BERLIN):
    return [
        (f"{d.day}", [(f"{a.astimezone(zone):%H:%M}", f"{b.astimezone(zone):%H:%M}") for a, b in d.present], d.worked)
        for d in days
    ]


H, M = timedelta(hours=1), timedelta(minutes=1)


def test_first_in_last_out_for_a_camera_at_the_door():
    days = work_days([stay((3, 2), "17:00", "17:01"), stay((3, 2), "08:00", "08:01")], BERLIN)
    assert told(days) == [("2026-03-02", [("08:00", "17:01")], 9 * H + M)]
    assert days[0].breaks == ()


def test_breaks_are_what_is_longer_than_allowed():
    stays = [stay((3, 2), "08:00", "10:00"), stay((3, 2), "10:15", "12:00"), stay((3, 2), "12:45", "17:00")]
    (day,) = work_days(stays, BERLIN, breaks_after=15 * M)
    assert told([day]) == [("2026-03-02", [("08:00", "12:00"), ("12:45", "17:00")], 8 * H + 15 * M)]
    assert (day.away, len(day.breaks)) == (45 * M, 1)


def test_work_over_midnight_is_parted_or_kept_whole_as_asked():
    night = [(berlin((3, 2), "22:00"), berlin((3, 3), "06:00"))]
    assert told(work_days(night, BERLIN)) == [
        ("2026-03-02", [("22:00", "00:00")], 2 * H),
        ("2026-03-03", [("00:00", "06:00")], 6 * H),
    ]
    assert told(work_days(night, BERLIN, day_starts=time(12))) == [("2026-03-02", [("22:00", "06:00")], 8 * H)]


def test_a_door_camera_at_night_needs_only_another_start_of_the_day():
    seen = [stay((3, 2), "22:00", "22:00"), stay((3, 3), "06:00", "06:00")]
    assert [d.worked for d in work_days(seen, BERLIN)] == [timedelta(), timedelta()]
    assert [d.worked for d in work_days(seen, BERLIN, day_starts=time(12))] == [8 * H]


def test_the_clocks_change_and_hours_stay_as_long_as_they_were():
    spring = (berlin((3, 28), "22:00"), berlin((3, 29), "06:00"))
    autumn = (berlin((10, 24), "22:00"), berlin((10, 25), "06:00"))
    worked = [sum((d.worked for d in work_days([night], BERLIN)), timedelta()) for night in (spring, autumn)]
    assert worked == [7 * H, 9 * H]


def test_the_same_instants_are_other_days_elsewhere():
    late = [(datetime(2026, 3, 2, 23, 30, tzinfo=UTC), datetime(2026, 3, 2, 23, 40, tzinfo=UTC))]
    assert [d.day for d in work_days(late, UTC)] == [date(2026, 3, 2)]
    assert [d.day for d in work_days(late, BERLIN)] == [date(2026, 3, 3)]
    assert [d.day for d in work_days(late, timezone(timedelta(hours=-12)))] == [date(2026, 3, 2)]


def test_weeks_are_those_of_iso_8601():
    stays = [stay((1, d), "08:00", "10:00") for d in (2, 4, 5, 11)]
    assert [(w.year, w.week, w.days, w.worked) for w in work_weeks(work_days(stays, BERLIN))] == [
        (2026, 1, 2, 4 * H),
        (2026, 2, 2, 4 * H),
    ]


MOMENTS = st.datetimes(datetime(2011, 12, 20), datetime(2030, 1, 1), timezones=st.just(UTC))
STAYS = st.lists(
    st.tuples(
        MOMENTS | st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31), timezones=st.just(UTC)),
        st.timedeltas(timedelta(), timedelta(days=3)),
    ).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=8,
)
STARTS = st.sampled_from([time(), time(2, 30), time(12), time(23, 59)])


@given(STAYS, st.sampled_from(ZONES), STARTS, st.timedeltas(timedelta(minutes=1), timedelta(hours=12)))
def test_no_minute_is_lost_or_counted_twice(stays, zone, starts, gap):
    days = work_days(stays, zone, breaks_after=gap, day_starts=starts)
    assert [d.day for d in days] == sorted({d.day for d in days})
    present = [interval for d in days for interval in d.present]
    assert all(a <= b for a, b in present)
    assert all(one[1] <= other[0] for one, other in pairwise(present))
    for d in days:
        begin, end = _begin(d.day, zone, starts), _begin(d.day + timedelta(days=1), zone, starts)
        assert all(begin <= a and b <= end for a, b in d.present)
        assert d.worked + d.away == d.last_out - d.first_in
        assert all(back - left > gap for left, back in d.breaks)
    for came, left in stays:
        inside = sum((max(timedelta(), min(left, b) - max(came, a)) for a, b in present), timedelta())
        assert inside == left - came


@given(STAYS, st.sampled_from(ZONES), STARTS)
def test_without_breaks_a_day_is_one_stretch_around_everything(stays, zone, starts):
    days = work_days(stays, zone, day_starts=starts)
    assert all(len(d.present) == 1 and not d.away for d in days)
    fine = {d.day: d for d in work_days(stays, zone, breaks_after=timedelta(microseconds=1), day_starts=starts)}
    assert {d.day: (d.first_in, d.last_out) for d in days} == {k: (d.first_in, d.last_out) for k, d in fine.items()}


def test_hours_of_a_gallery(gallery, see):
    see("Ben", 0, 60)
    see("Ann", 0, 30)
    see("Ann", 120, 180, source="yard")
    see("Ann", 60 * 24, 60 * 25)
    see(1, 0, 600)
    day = date(2026, 3, 2)
    hours = read_hours(gallery.database, day, day, zone=UTC)
    assert [(p.name, [d.worked for d in days]) for p, days in hours] == [("Ann", [3 * H]), ("Ben", [H])]
    (ann,) = read_hours(
        gallery.database, day, date(2026, 3, 3), where=SightingFilter(person="ann"), zone=UTC, breaks_after=10 * M
    )
    assert [(d.worked, d.away) for d in ann[1]] == [(H + 30 * M, 90 * M), (H, timedelta())]
    assert read_hours(gallery.database, day, day, where=SightingFilter(source="yard"), zone=UTC)[0][1][0].worked == H
    assert read_hours(gallery.database, date(2026, 3, 5), date(2026, 3, 6), zone=UTC) == []


def test_a_stay_over_the_edge_is_counted_up_to_it(gallery, see):
    see("Ann", 0, 60 * 20)
    second = date(2026, 3, 3)
    ((_, days),) = read_hours(gallery.database, second, second, zone=UTC)
    assert [d.worked for d in days] == [8 * H]


@pytest.mark.parametrize(
    ("first", "last", "gap"),
    [
        (date(2026, 3, 3), date(2026, 3, 2), None),
        (date(1, 1, 1), date(2026, 1, 1), None),
        (date(2026, 1, 1), date(9999, 12, 31), None),
        (date(2026, 1, 1), date(2026, 1, 2), timedelta()),
    ],
)
def test_what_makes_no_sense_is_refused(gallery, first, last, gap):
    with pytest.raises(EventsError):
        read_hours(gallery.database, first, last, breaks_after=gap)
