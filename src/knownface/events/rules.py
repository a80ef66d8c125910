"""Alert rules: what raises an alert, and what is done then."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Literal, TypeAlias, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, Row, delete, insert, select, update

from knownface.errors import AlertRuleError, UnknownAlertRuleError
from knownface.gallery.names import clean_group, clean_label, label_key
from knownface.storage import Database
from knownface.storage.events_schema import alert_rules
from knownface.storage.statements import storable

Kind: TypeAlias = Literal["seen", "missing", "unknown"]
"""``seen``: somebody of the group; ``missing``: somebody of the group was not seen by a time of day; ``unknown``: a
stranger."""

RuleKey: TypeAlias = str | int
"""The name of a rule, whatever its letter case, or its id."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BELL = "bell"
"""The sound of the terminal that the program was started from."""

MAX_TIMEOUT = 600.0
MOST_CONFIRMATIONS = 2

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When to raise an alert, and what to do then. An event is stored in any case.

    Attributes:
        name: Unique, whatever its letter case.
        kind: See :data:`Kind`.
        group: Of the people meant; None is everybody. Not for ``unknown``.
        source: Only what is seen there; None is everywhere.
        by: ``missing`` only: a time of day; when it has passed, whoever was not seen since midnight raises an alert,
            once a day.
        days: ``missing`` only: on which days of the week, such as ``("mon", "fri")``; empty is every day.
        time_zone: Of ``by``, such as ``Europe/Berlin``; None is this machine's.
        cooldown: How long no further alert is raised for the same person, or for Unknowns at the same source.
        command: Program and arguments to run, or empty. No shell: nothing that was seen is ever part of a command
            line. It gets the facts as ``KNOWNFACE_ALERT_…`` variables and as JSON on its standard input.
        timeout: Seconds after which the command is ended.
        sound: ``bell``, a sound file, or None.
        confirm: How many different people must confirm an alert before anything is sent or done: 0, 1 or 2.
        confirm_within: After which an alert that was not confirmed expires.
        id: Given when it is stored.

    Raises:
        AlertRuleError: The parts contradict each other.
    """

    name: str
    kind: Kind
    group: str | None = None
    source: str | None = None
    by: time | None = None
    days: tuple[str, ...] = ()
    time_zone: str | None = None
    cooldown: timedelta = timedelta(minutes=5)
    command: tuple[str, ...] = ()
    timeout: float = 30.0
    sound: str | None = None
    confirm: int = 0
    confirm_within: timedelta = timedelta(hours=1)
    id: int = 0

    def __post_init__(self) -> None:
        if self.kind == "missing":
            if self.group is None or self.by is None:
                raise AlertRuleError(
                    "A rule for missing people needs a group and a time.", "Give both, the time of day such as 09:00."
                )
        elif self.by is not None or self.days or self.time_zone is not None:
            raise AlertRuleError("A time of day, days and a time zone are for missing people only.", "Leave them out.")
        if self.kind == "unknown" and self.group is not None:
            raise AlertRuleError("Unknowns belong to no group.", "Leave the group out.")
        if not set(self.days) <= set(WEEKDAYS):
            raise AlertRuleError(f"{', '.join(self.days)} are not days.", f"Name some of {', '.join(WEEKDAYS)}.")
        if not timedelta() <= self.cooldown <= timedelta(days=366):
            raise AlertRuleError(f"A cool-down of {self.cooldown} makes no sense.", "Give 0 seconds to a year.")
        if not 0 < self.timeout <= MAX_TIMEOUT:
            raise AlertRuleError(f"A time-out of {self.timeout} s makes no sense.", f"Give up to {MAX_TIMEOUT:.0f} s.")
        if not 0 <= self.confirm <= MOST_CONFIRMATIONS:
            raise AlertRuleError(f"{self.confirm} confirmations make no sense.", "Give 0, 1 or 2.")
        if not timedelta(seconds=10) <= self.confirm_within <= timedelta(days=7):
            raise AlertRuleError(f"A time of {self.confirm_within} to confirm makes no sense.", "Give up to a week.")
        if any("\0" in part for part in self.command) or (self.command and not self.command[0]):
            raise AlertRuleError("That is no command.", "Give a program and its arguments.")
        self.zone()

    @property
    def acts(self) -> bool:
        """Whether it runs a command or a sound."""
        return bool(self.command) or self.sound is not None

    def zone(self) -> tzinfo | None:
        """The time zone of ``by``; None is this machine's.

        Raises:
            AlertRuleError: There is no such zone.
        """
        try:
            return None if self.time_zone is None else find_zone(self.time_zone)
        except ValueError as error:
            raise AlertRuleError(str(error), "Name one such as Europe/Berlin.") from error


def find_zone(name: str) -> ZoneInfo:
    """A time zone of the IANA database.

    Raises:
        ValueError: There is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"There is no time zone {name!r}.") from error


def time_of_day(text: str) -> time:
    """``HH:MM``.

    Raises:
        ValueError: It is not.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time of day such as 09:00.")
    return time(int(match[1]), int(match[2]))


def add_rule(database: Database, rule: AlertRule) -> AlertRule:
    """Store a rule; running programs follow it from their next look on.

    Raises:
        AlertRuleError: There is a rule of this name.
        BadNameError: The name cannot be a rule's, or the group's not a group's.
    """
    values = _values(rule)
    with database.writing() as connection:
        _check_free(connection, values["name"])
        connection.execute(insert(alert_rules), {**values, "created": datetime.now(UTC)})
        return _rule(_row(connection, values["name"]))


def change_rule(database: Database, rule: AlertRule) -> AlertRule:
    """Put a rule in the place of the one of its id; running programs follow it from their next look on.

    Raises:
        UnknownAlertRuleError: There is none of this id.
        AlertRuleError: Another one has the name.
        BadNameError: As :func:`add_rule`.
    """
    values = _values(rule)
    with database.writing() as connection:
        _row(connection, rule.id)
        _check_free(connection, values["name"], rule.id)
        connection.execute(update(alert_rules).where(alert_rules.c.id == rule.id).values(values))
        return _rule(_row(connection, rule.id))


def get_rule(database: Database, rule: RuleKey) -> AlertRule:
    """One rule.

    Raises:
        UnknownAlertRuleError: There is none of this name or id.
    """
    with database.reading() as connection:
        return _rule(_row(connection, rule))


def list_rules(database: Database) -> list[AlertRule]:
    """Every rule, in the order of their names."""
    with database.reading() as connection:
        return read_rules(connection)


def remove_rule(database: Database, rule: RuleKey) -> None:
    """Remove a rule; its alerts stay in the log.

    Raises:
        UnknownAlertRuleError: There is none of this name or id.
    """
    with database.writing() as connection:
        connection.execute(delete(alert_rules).where(alert_rules.c.id == _row(connection, rule).id))


def read_rules(connection: Connection) -> list[AlertRule]:
    """Every rule, in the order of their names."""
    return [_rule(row) for row in connection.execute(select(alert_rules).order_by(alert_rules.c.name_key))]


def _row(connection: Connection, rule: RuleKey) -> Row[Any]:
    table = alert_rules
    which = table.c.id == rule if isinstance(rule, int) else table.c.name_key == label_key(rule)
    row = connection.execute(select(table).where(which)).one_or_none()
    if row is None:
        raise UnknownAlertRuleError(f"There is no rule {rule!r}.")
    return row


def _check_free(connection: Connection, name: str, own_id: int = 0) -> None:
    taken = select(alert_rules.c.id).where(alert_rules.c.name_key == label_key(name), alert_rules.c.id != own_id)
    if connection.scalar(taken) is not None:
        raise AlertRuleError(f"There is a rule {name!r}.", "Remove it first, or choose another name.")


def _values(rule: AlertRule) -> dict[str, Any]:
    label, group = clean_label(rule.name, "rule's name"), None if rule.group is None else clean_group(rule.group)
    return {
        "name": label,
        "name_key": label_key(label),
        "kind": rule.kind,
        "group_name": group,
        "group_key": None if group is None else label_key(group),
        "source": None if rule.source is None else storable(rule.source),
        "by_time": None if rule.by is None else f"{rule.by:%H:%M}",
        "days": ",".join(rule.days) or None,
        "time_zone": rule.time_zone,
        "cooldown_seconds": rule.cooldown.total_seconds(),
        "command": json.dumps(list(rule.command)) if rule.command else None,
        "timeout_seconds": rule.timeout,
        "sound": None if rule.sound is None else storable(rule.sound),
        "confirm": rule.confirm,
        "confirm_seconds": rule.confirm_within.total_seconds(),
    }


def _rule(row: Row[Any]) -> AlertRule:
    return AlertRule(
        name=row.name,
        kind=cast("Kind", row.kind),
        group=row.group_name,
        source=row.source,
        by=None if row.by_time is None else time_of_day(row.by_time),
        days=tuple(row.days.split(",")) if row.days else (),
        time_zone=row.time_zone,
        cooldown=timedelta(seconds=row.cooldown_seconds),
        command=tuple(json.loads(row.command)) if row.command else (),
        timeout=row.timeout_seconds,
        sound=row.sound,
        confirm=row.confirm,
        confirm_within=timedelta(seconds=row.confirm_seconds),
        id=row.id,
    )
