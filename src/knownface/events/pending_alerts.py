"""Alerts that wait for people: until enough have confirmed one, it stands in no table that anything is sent from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, or_, select, update

from knownface.errors import AlertDecidedError, UnknownAlertError
from knownface.events.alert_log import Alert, alert_of
from knownface.events.recording import as_utc
from knownface.events.rules import AlertRule, read_rules
from knownface.gallery.consents import permitted
from knownface.storage import Database, insert_one
from knownface.storage.events_schema import alert_confirmations, events, pending_alerts, sightings
from knownface.storage.schema import people
from knownface.storage.statements import chunks, storable

State: TypeAlias = Literal["waiting", "rejected", "expired"]

_MOVED = tuple(column.name for column in events.c if column.name in pending_alerts.c and column.name != "id")


@dataclass(frozen=True, slots=True)
class Confirmer:
    """Somebody who confirms or rejects.

    Attributes:
        who: Tells them apart from others, such as ``key 3``; confirmations of one count once.
        name: What they are called.
    """

    who: str
    name: str


@dataclass(frozen=True, slots=True)
class PendingAlert:
    """An alert that waits for people, or that nobody let out.

    Attributes:
        alert: What would be told; its id is the number to confirm or reject it by.
        needed: How many different people must confirm it.
        confirmed_by: Who has, in the order in which they did.
        expires: When it can be confirmed no more; UTC.
        state: What became of it.
        decided_by: Who rejected it.
        sighting_id: Of the sighting that raised it.
        has_picture: Whether a picture of that sighting is kept.
    """

    alert: Alert
    needed: int
    confirmed_by: tuple[str, ...]
    expires: datetime
    state: State
    decided_by: str | None
    sighting_id: int | None
    has_picture: bool

    def facts(self) -> dict[str, Any]:
        """The same for other programs: plain values, times by ISO 8601."""
        return {
            **self.alert.facts(),
            "needed": self.needed,
            "confirmed_by": list(self.confirmed_by),
            "expires": self.expires.isoformat(),
            "state": self.state,
            "decided_by": self.decided_by,
            "sighting_id": self.sighting_id,
            "has_picture": self.has_picture,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What a confirmation or rejection did.

    Attributes:
        pending: The alert after it.
        passed_on: The alert as it stands in the log from now on; None where it is not let out.
        rule: What is to be done then; None where nothing is, or the rule was removed.
    """

    pending: PendingAlert
    passed_on: Alert | None = None
    rule: AlertRule | None = None


def hold_alert(connection: Connection, rule: AlertRule, values: Mapping[str, Any]) -> None:
    """Have an alert wait, in the caller's transaction, with the values that its row in the log would have."""
    expires = values["at"] + rule.confirm_within
    waiting = {"needed": rule.confirm, "expires": expires, "state": "waiting"}
    connection.execute(insert(pending_alerts), {**values, **waiting})


def list_pending(
    database: Database,
    *,
    decided: bool = False,
    beyond: int | None = None,
    limit: int | None = None,
    now: datetime | None = None,
) -> list[PendingAlert]:
    """Alerts that wait, the oldest first; without those about people who may not be named.

    Args:
        database: The gallery's.
        decided: Those that were rejected or expired instead, the newest first.
        beyond: Only those that come after the alert of this number.
        limit: How many at most.
        now: Timezone-aware; None is the clock's time.
    """
    time, number = as_utc(now), pending_alerts.c.id
    with database.reading() as connection:
        query = _query(connection).where(~_waits(time) if decided else _waits(time)).limit(limit)
        if beyond is not None:
            query = query.where(number < beyond if decided else number > beyond)
        rows = connection.execute(query.order_by(number.desc() if decided else number)).all()
        confirmed = _confirmations(connection, [row.id for row in rows])
    return [_pending(row, confirmed.get(row.id, ()), time) for row in rows]


def count_pending(database: Database) -> int:
    """How many alerts wait."""
    with database.reading() as connection:
        waiting = _query(connection).where(_waits(as_utc(None))).subquery()
        return connection.scalar(select(func.count()).select_from(waiting)) or 0


def confirm_alert(connection: Connection, alert_id: int, by: Confirmer, now: datetime | None = None) -> Decision:
    """Confirm an alert, in the caller's transaction; with the last confirmation it needs it moves to the log.

    Whatever follows the log tells it then. What the rule does is the caller's to start, after the transaction.

    Raises:
        UnknownAlertError: There is no such alert.
        AlertDecidedError: It was rejected or expired, or the same one confirmed it before.
    """
    time = as_utc(now)
    row = _waiting(connection, alert_id, time)
    given = select(alert_confirmations.c.who).where(alert_confirmations.c.alert_id == alert_id)
    if by.who in set(connection.scalars(given)):
        raise AlertDecidedError(f"{by.name} has confirmed the alert {alert_id} already.", "Somebody else must, too.")
    new = {"alert_id": alert_id, "who": storable(by.who)[:250], "name": storable(by.name), "at": time}
    connection.execute(insert(alert_confirmations), new)
    pending = _pending(row, _confirmations(connection, [alert_id])[alert_id], time)
    if len(pending.confirmed_by) < pending.needed:
        return Decision(pending)
    connection.execute(delete(pending_alerts).where(pending_alerts.c.id == alert_id))
    moved = {name: getattr(row, name) for name in _MOVED}
    confirmed_by = ", ".join(pending.confirmed_by)
    event_id = insert_one(connection, events, {**moved, "confirmed_by": confirmed_by})
    rule = next((rule for rule in read_rules(connection) if rule.id == row.rule_id), None)
    passed_on = replace(pending.alert, id=event_id, confirmed_by=confirmed_by)
    return Decision(pending, passed_on, rule if rule and (rule.command or rule.sound) else None)


def reject_alert(connection: Connection, alert_id: int, by: Confirmer, now: datetime | None = None) -> Decision:
    """Reject an alert, in the caller's transaction: nothing is ever sent or done.

    Raises:
        UnknownAlertError: There is no such alert.
        AlertDecidedError: It was rejected or expired before.
    """
    time = as_utc(now)
    row = _waiting(connection, alert_id, time)
    changed = {"state": "rejected", "decided_by": storable(by.name)}
    connection.execute(update(pending_alerts).where(pending_alerts.c.id == alert_id).values(changed))
    confirmed_by = _confirmations(connection, [alert_id]).get(alert_id, ())
    return Decision(replace(_pending(row, confirmed_by, time), state="rejected", decided_by=by.name))


def has_expired(connection: Connection, now: datetime | None = None) -> bool:
    """Whether there are alerts that nobody confirmed in time, and that nobody has been told of."""
    over = select(pending_alerts.c.id).where(_over(as_utc(now)))
    return connection.scalar(over.limit(1)) is not None


def expire_alerts(connection: Connection, now: datetime | None = None) -> list[tuple[int, str]]:
    """Mark alerts that nobody confirmed in time, in the caller's transaction; returns their numbers and rules.

    They could not be confirmed any more before: this is for whoever has to be told.
    """
    over = _over(as_utc(now))
    rows = connection.execute(select(pending_alerts.c.id, pending_alerts.c.rule_name).where(over).order_by("id")).all()
    connection.execute(update(pending_alerts).where(over).values(state="expired"))
    return [(row.id, row.rule_name) for row in rows]


def _waits(now: datetime) -> ColumnElement[bool]:
    return (pending_alerts.c.state == "waiting") & (pending_alerts.c.expires > now)


def _over(now: datetime) -> ColumnElement[bool]:
    return (pending_alerts.c.state == "waiting") & (pending_alerts.c.expires <= now)


def _query(connection: Connection) -> Select[Any]:
    alert = pending_alerts
    whole = select(alert, people.c.name, sightings.c.picture.is_not(None).label("has_picture"))
    joined = whole.outerjoin(people, people.c.id == alert.c.person_id).outerjoin(
        sightings, sightings.c.id == alert.c.sighting_id
    )
    return joined.where(or_(alert.c.person_id.is_(None), permitted(connection, alert.c.person_id, "live")))


def _waiting(connection: Connection, alert_id: int, now: datetime) -> Row[Any]:
    """The row of an alert that can be decided on."""
    row = connection.execute(_query(connection).where(pending_alerts.c.id == alert_id)).one_or_none()
    if row is None:
        raise UnknownAlertError(f"No alert {alert_id} waits for a confirmation.")
    state = _state(row, now)
    if state != "waiting":
        raise AlertDecidedError(
            f"The alert {alert_id} was not confirmed in time."
            if state == "expired"
            else f"{row.decided_by} has rejected the alert {alert_id}."
        )
    return row


def _state(row: Row[Any], now: datetime) -> State:
    return "expired" if row.state == "waiting" and row.expires <= now else cast("State", row.state)


def _confirmations(connection: Connection, ids: list[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for chunk in chunks(ids):
        query = select(alert_confirmations).where(alert_confirmations.c.alert_id.in_(chunk))
        for row in connection.execute(query.order_by(alert_confirmations.c.id)):
            found[row.alert_id] = (*found.get(row.alert_id, ()), row.name)
    return found


def _pending(row: Row[Any], confirmed_by: tuple[str, ...], now: datetime) -> PendingAlert:
    return PendingAlert(
        alert=alert_of(row),
        needed=row.needed,
        confirmed_by=confirmed_by,
        expires=row.expires,
        state=_state(row, now),
        decided_by=row.decided_by,
        sighting_id=row.sighting_id,
        has_picture=row.has_picture,
    )
