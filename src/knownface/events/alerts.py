"""Raising alerts: rules applied to what is seen. Alerts are durable; commands and sounds run on other threads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Self

from sqlalchemy import Connection, func, select

from knownface.events.actions import Actions
from knownface.events.alert_log import Alert, note_outcome
from knownface.events.pending_alerts import hold_alert
from knownface.events.recording import as_utc
from knownface.events.rules import WEEKDAYS, AlertRule, read_rules
from knownface.events.values import SeenTrack
from knownface.gallery.consents import permitted
from knownface.gallery.names import label_key
from knownface.storage import Database, insert_one
from knownface.storage.events_schema import events, pending_alerts, sightings
from knownface.storage.schema import groups, people, person_groups
from knownface.storage.sealing.columns import readable
from knownface.storage.statements import chunks

_log = logging.getLogger(__name__)

_RAISED = (events, pending_alerts)


class Alerts:
    """Applies the rules of a gallery to what is seen; for one thread at a time, as a context manager.

    Alerts are durable and ordered; of two programs that see the same person one raises the alert. Commands and sounds
    run on threads of their own.

    Args:
        database: The gallery's, which holds rules and events; must stay open.
        threshold: Returns the decision threshold in force, which every alert carries.

    Example:
        >>> with Alerts(gallery.database, lambda: recognizer.rule.threshold) as alerts:  # doctest: +SKIP
        ...     for alert in alerts.evaluate(seen, datetime.now(UTC)):
        ...         print(alert.sentence)
    """

    def __init__(self, database: Database, threshold: Callable[[], float] | None = None) -> None:
        self._threshold = threshold
        self._database = database
        self._actions = Actions()
        self._last_raised: dict[tuple[int, int | str], datetime] = {}
        self._checked: dict[int, datetime] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End; commands that still run get a few seconds."""
        self._actions.close()

    def evaluate(self, seen: Sequence[SeenTrack], now: datetime | None = None) -> list[Alert]:
        """Raises the alerts that are due: stores them and starts the rules' commands and sounds.

        Alerts of a rule that demands confirmation are stored apart, and not returned: nothing follows from them yet.

        Call it about once a second, also when nobody is there, for rules about missing people.

        Args:
            seen: Whom the cameras see now; record them first, so that the alert goes with the sighting.
            now: Timezone-aware; None is the clock's time.

        Raises:
            GalleryLockedError, OutputError: It could not be stored; no alert is raised.
        """
        time_now = as_utc(now)
        with self._database.reading() as connection:
            rules = read_rules(connection)
            members = _members(connection, rules)
        due = [(rule, track) for rule in rules for track in self._of_tracks(rule, seen, members, time_now)]
        overdue = [rule for rule in rules if self._is_overdue(rule, time_now)]
        if not overdue and not due:
            return []
        raised: list[tuple[AlertRule, Alert]] = []
        last: dict[tuple[int, int | str], datetime] = {}
        with self._database.writing() as connection:
            for rule, track in due:
                alert, last[rule.id, _subject(track)] = self._raise_seen(connection, rule, track, time_now)
                raised += [(rule, alert)] if alert is not None else []
            for rule in overdue:
                raised += [(rule, alert) for alert in _raise_missing(connection, rule, members, time_now)]
        # Only now it is certain: what could not be stored is tried again at the next call.
        self._last_raised |= last
        self._checked |= {rule.id: _deadline(rule, time_now) for rule in overdue}
        for rule, alert in raised:
            if rule.confirm:
                _log.warning("An alert of the rule %r waits to be confirmed: `knownface alerts pending`.", rule.name)
            elif rule.acts:
                self._actions.start(rule, alert.id, alert.facts(), self._note)
        return [alert for rule, alert in raised if not rule.confirm]

    def _of_tracks(
        self, rule: AlertRule, seen: Iterable[SeenTrack], members: Mapping[str, set[int]], now: datetime
    ) -> Iterator[SeenTrack]:
        for track in seen if rule.kind != "missing" else ():
            if rule.source is not None and track.source != rule.source:
                continue
            if (rule.kind == "unknown") != (track.unknown is not None):
                continue
            if rule.group is not None and track.person_id not in members[label_key(rule.group)]:
                continue
            if not _cooling(self._last_raised.get((rule.id, _subject(track))), now, rule.cooldown):
                yield track

    def _raise_seen(
        self, connection: Connection, rule: AlertRule, track: SeenTrack, now: datetime
    ) -> tuple[Alert | None, datetime]:
        """The alert, unless another program raised it or the person was removed; and when it was last raised."""
        last = _when_last_raised(connection, rule, track)
        if last is not None and _cooling(last, now, rule.cooldown):
            return None, last
        of_person = people.c.id == track.person_id, permitted(connection, people.c.id, "live")
        name = connection.scalar(select(people.c.name).where(*of_person))
        if track.person_id is not None and name is None:
            return None, now
        alert = Alert(
            id=0,
            kind=rule.kind,
            rule=rule.name,
            at=now,
            person_id=track.person_id,
            name=name,
            unknown=track.unknown,
            source=track.source,
            distance=track.best_distance,
            threshold=None if self._threshold is None else self._threshold(),
            frames=track.frames,
        )
        return _write(connection, rule, alert, track.key), now

    def _is_overdue(self, rule: AlertRule, now: datetime) -> bool:
        if rule.kind != "missing":
            return False
        deadline = _deadline(rule, now)
        if self._checked.get(rule.id) == deadline or (rule.days and WEEKDAYS[deadline.weekday()] not in rule.days):
            return False
        return now >= deadline

    def _note(self, event_id: int, outcome: str) -> None:
        note_outcome(self._database, event_id, outcome)


def _subject(track: SeenTrack) -> int | str:
    # The same stranger gets another number each time, so that Unknowns cool down by place.
    return track.source if track.person_id is None else track.person_id


def _cooling(last: datetime | None, now: datetime, cooldown: timedelta) -> bool:
    # A clock that was set back must not silence a rule until it has caught up.
    return last is not None and timedelta() <= now - last < cooldown


def _deadline(rule: AlertRule, now: datetime) -> datetime:
    zone = rule.zone()
    today = now.astimezone(zone).date()
    return datetime.combine(today, rule.by or time(), tzinfo=zone).astimezone(zone)


def _members(connection: Connection, rules: Sequence[AlertRule]) -> dict[str, set[int]]:
    members: dict[str, set[int]] = {label_key(rule.group): set() for rule in rules if rule.group is not None}
    query = select(groups.c.name_key, person_groups.c.person_id).join(person_groups)
    for key, person_id in connection.execute(query.where(groups.c.name_key.in_(members))):
        members[key].add(person_id)
    return members


def _when_last_raised(connection: Connection, rule: AlertRule, track: SeenTrack) -> datetime | None:
    times = [
        connection.scalar(
            select(func.max(told.c.at)).where(
                told.c.rule_id == rule.id,
                told.c.source == track.source if track.person_id is None else told.c.person_id == track.person_id,
            )
        )
        for told in _RAISED
    ]
    return max((time for time in times if time is not None), default=None)


def _raise_missing(
    connection: Connection, rule: AlertRule, members: Mapping[str, set[int]], now: datetime
) -> Iterator[Alert]:
    deadline = _deadline(rule, now)
    midnight = datetime.combine(deadline.date(), time(), tzinfo=rule.zone())
    seen = select(sightings.c.person_id).where(sightings.c.last_seen >= midnight, sightings.c.first_seen < deadline)
    if rule.source is not None:
        seen = seen.where(sightings.c.source == rule.source)
    done = set(connection.scalars(seen))
    for told in _RAISED:
        of_today = told.c.rule_id == rule.id, told.c.at >= deadline, told.c.at <= now
        done.update(connection.scalars(select(told.c.person_id).where(*of_today)))
    missing = sorted(members[label_key(rule.group or "")] - done)
    for chunk in chunks(missing):
        of_chunk = people.c.id.in_(chunk), permitted(connection, people.c.id, "live")
        names = select(people.c.id, people.c.name).where(*of_chunk).order_by(readable(people.c.name_key))
        for person_id, name in connection.execute(names).all():
            alert = Alert(0, rule.kind, rule.name, now, person_id, name, None, rule.source, None, None, None)
            yield _write(connection, rule, alert, None)


def _write(connection: Connection, rule: AlertRule, alert: Alert, key: str | None) -> Alert:
    values = {
        "kind": alert.kind,
        "at": alert.at,
        "rule_id": rule.id,
        "rule_name": rule.name,
        "person_id": alert.person_id,
        "unknown": alert.unknown,
        "sighting_id": None if key is None else connection.scalar(select(sightings.c.id).where(sightings.c.key == key)),
        "source": alert.source,
        "distance": alert.distance,
        "threshold": alert.threshold,
        "frames": alert.frames,
    }
    if rule.confirm:
        hold_alert(connection, rule, values)
        return alert
    return replace(alert, id=insert_one(connection, events, values))
