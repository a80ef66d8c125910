"""Alerts that wait for people: what lets them out, what does not, and who is told."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select, update

from knownface.errors import AlertDecidedError, AlertRuleError, UnknownAlertError
from knownface.events import (
    AlertRule,
    Alerts,
    SightingFilter,
    add_rule,
    list_pending,
    list_rules,
    read_alerts,
    remove_rule,
)
from knownface.events.pending_alerts import expire_alerts
from knownface.events.retention import purge
from knownface.law.audit import Actor, AuditLog
from knownface.law.oversight import confirm, expire, reject
from knownface.storage.events_schema import alert_rules

ANN, BEN, LOCAL = (Actor(None, name, "local") for name in ("ann", "ben", "root"))


@pytest.fixture
def alerts(gallery):
    with Alerts(gallery.database, lambda: 1.0) as opened:
        yield opened


@pytest.fixture
def now():
    return datetime.now(UTC)


def rule(confirm=1, **more):
    return AlertRule(**{"name": "staff", "kind": "seen", "confirm": confirm, "command": ("true",), **more})


def test_nothing_is_told_before_two_different_people_confirmed_it(gallery, alerts, see, now):
    database = gallery.database
    add_rule(database, rule(2))
    assert [r.confirm for r in list_rules(database)] == [2]
    track = see("Ann", best_distance=0.5, frames=12)
    assert alerts.evaluate([track], now) == []
    (waiting,) = list_pending(database)
    assert (waiting.alert.name, waiting.alert.distance, waiting.needed, waiting.state) == ("Ann", 0.5, 2, "waiting")
    assert waiting.expires == now + timedelta(hours=1)
    number = waiting.alert.id
    first = confirm(database, number, ANN)
    assert (first.passed_on, first.rule, first.pending.confirmed_by) == (None, None, ("ann",))
    with pytest.raises(AlertDecidedError, match="already"):
        confirm(database, number, ANN)
    assert read_alerts(database) == []
    done = confirm(database, number, LOCAL)
    assert done.rule is not None
    assert done.rule.command == ("true",)
    (told,) = read_alerts(database)
    assert told == done.passed_on
    assert (told.at, told.name, told.confirmed_by) == (now, "Ann", "ann, root")
    assert list_pending(database) == []
    with pytest.raises(UnknownAlertError):
        reject(database, number, BEN)
    noted = AuditLog(database).page(action="alert.")
    assert [(e.actor.name, e.subject_id, e.details["given"], e.details["event"]) for e in noted] == [
        ("root", number, 2, told.id),
        ("ann", number, 1, None),
    ]
    assert AuditLog(database).check().broken is None


def test_what_waits_or_was_rejected_counts_for_the_cool_down(gallery, alerts, see, now, place):
    add_rule(gallery.database, rule(cooldown=timedelta(minutes=5)))
    add_rule(gallery.database, AlertRule("strangers", "unknown", confirm=1))
    tracks = [see("Ann"), see(7)]
    for minute in (0, 1, 4):
        alerts.evaluate(tracks, now + timedelta(minutes=minute))
        with Alerts(gallery.database) as second:
            second.evaluate([*tracks, see(8)], now + timedelta(minutes=minute))
    assert [p.alert.name or p.alert.unknown for p in list_pending(gallery.database, now=now)] == ["Ann", 7]
    reject(gallery.database, 1, ANN)
    with Alerts(gallery.database) as restarted:
        restarted.evaluate(tracks, now + timedelta(minutes=4.5))
    assert len(list_pending(gallery.database)) == 1
    (rejected,) = list_pending(gallery.database, decided=True)
    assert (rejected.state, rejected.decided_by) == ("rejected", "ann")
    with pytest.raises(AlertDecidedError, match="ann has rejected"):
        confirm(gallery.database, 1, BEN)
    alerts.evaluate(tracks[:1], now + timedelta(minutes=6))
    assert len(list_pending(gallery.database)) == 2


def test_who_is_missing_waits_once_a_day(gallery, alerts, made):
    missing = AlertRule("late", "missing", group="staff", by=time(12, 30), time_zone="UTC", confirm=1)
    add_rule(gallery.database, missing)
    for minute in (45, 46):
        assert alerts.evaluate([], made.noon + timedelta(minutes=minute)) == []
        with Alerts(gallery.database) as restarted:
            restarted.evaluate([], made.noon + timedelta(minutes=minute))
    waiting = list_pending(gallery.database, now=made.noon + timedelta(minutes=50))
    assert [p.alert.name for p in waiting] == ["Ann", "Ben", "Cy"]
    later = list_pending(gallery.database, beyond=waiting[0].alert.id, limit=1, now=made.noon)
    assert [p.alert.name for p in later] == ["Ben"]
    over = list_pending(gallery.database, decided=True, beyond=waiting[2].alert.id)
    assert [p.alert.name for p in over] == ["Ben", "Ann"]


def test_what_nobody_confirms_in_time_expires_and_that_is_said(gallery, alerts, see, now, caplog):
    add_rule(gallery.database, rule(confirm_within=timedelta(minutes=1)))
    alerts.evaluate([see("Ann")], now - timedelta(minutes=2))
    assert list_pending(gallery.database) == []
    with pytest.raises(AlertDecidedError, match="in time"):
        confirm(gallery.database, 1, ANN)
    with caplog.at_level(logging.WARNING):
        assert (expire(gallery.database), expire(gallery.database)) == (1, 0)
    assert "The alert 1 of the rule 'staff' has expired" in caplog.text
    assert "Ann" not in caplog.text
    assert [(e.action, e.subject_id) for e in AuditLog(gallery.database).page()] == [("alert.expire", 1)]
    assert [p.state for p in list_pending(gallery.database, decided=True)] == ["expired"]
    assert read_alerts(gallery.database) == []


@pytest.mark.parametrize("weakened", [True, False])
def test_a_rule_that_is_weakened_or_removed_lets_nothing_out(gallery, alerts, see, now, weakened):
    add_rule(gallery.database, rule(2))
    alerts.evaluate([see("Ann")], now)
    if weakened:
        with gallery.database.writing() as connection:
            connection.execute(update(alert_rules).values(confirm=0))
    else:
        remove_rule(gallery.database, "staff")
    assert read_alerts(gallery.database) == []
    assert confirm(gallery.database, 1, ANN).passed_on is None
    done = confirm(gallery.database, 1, BEN)
    assert (done.passed_on is not None, done.rule is not None) == (True, weakened)


def test_what_waits_goes_and_moves_with_people_and_sightings(gallery, alerts, see, now, log):
    add_rule(gallery.database, rule())
    alerts.evaluate([see("Ann"), see("Ben"), see("Cy", source="yard"), see("Dan")], now)
    log.delete(SightingFilter(source="yard"))
    gallery.remove("Dan")
    assert [p.alert.name for p in list_pending(gallery.database)] == ["Ann", "Ben"]
    gallery.merge(["Ann"], "Cy")
    assert [p.alert.name for p in list_pending(gallery.database)] == ["Cy", "Ben"]
    gallery.history.undo()
    assert [p.alert.name for p in list_pending(gallery.database)] == ["Ann", "Ben"]
    gallery.consents.require()
    assert list_pending(gallery.database) == []
    with pytest.raises(UnknownAlertError):
        confirm(gallery.database, 1, ANN)
    with gallery.database.writing() as connection:
        assert expire_alerts(connection, now + timedelta(hours=2)) == [(1, "staff"), (2, "staff")]
        assert purge(connection, now + timedelta(seconds=1)) >= 2
        assert connection.scalars(select(alert_rules.c.id)).all() == [1]
    assert list_pending(gallery.database, decided=True) == []


@pytest.mark.parametrize("wrong", [{"confirm": 3}, {"confirm": -1}, {"confirm_within": timedelta()}])
def test_rules_ask_for_what_can_be_given(wrong):
    with pytest.raises(AlertRuleError):
        rule(**wrong)
