"""The log of alerts: durable, in the order in which they happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Row, or_, select, update

from knownface.events.rules import Kind
from knownface.gallery.consents import permitted
from knownface.gallery.names import label_key
from knownface.storage import Database
from knownface.storage.events_schema import alert_rules, events
from knownface.storage.schema import people


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that a rule raised, as it stands in the log.

    Attributes:
        id: Ascending in the order in which it happened; 0 before it is written.
        kind: See :data:`knownface.events.rules.Kind`.
        rule: The rule's name.
        at: UTC.
        person_id: Who, or None for an Unknown.
        name: The person's name as it is now.
        unknown: Number of the Unknown.
        source: Where; None for missing people.
        distance: How near the face was, 0 to 2, where it is known.
        threshold: The largest distance at which a name is given.
        frames: In how many frames the face had been found by then.
        outcome: What became of the rule's command and sound; None while it is not known, or where there is none.
        confirmed_by: Who confirmed it, where the rule demands that.
    """

    id: int
    kind: Kind
    rule: str
    at: datetime
    person_id: int | None
    name: str | None
    unknown: int | None
    source: str | None
    distance: float | None
    threshold: float | None
    frames: int | None
    outcome: str | None = None
    confirmed_by: str | None = None

    @property
    def sentence(self) -> str:
        """What happened, and how sure it is."""
        if self.kind == "missing":
            return f"{self.name} has not been seen by now."
        who = self.name if self.kind == "seen" else f"Unknown {self.unknown}"
        sure = [] if self.distance is None else [f"distance {self.distance:.2f}"]
        if sure and self.threshold is not None:
            sure[0] += f", a name is given up to {self.threshold:.2f}"
        if self.frames is not None:
            sure.append(f"{self.frames} frames")
        how = f" ({'; '.join(sure)})" if sure else ""
        return f"{who} seen at {self.source}{how}."

    def facts(self) -> dict[str, Any]:
        """The same for other programs: plain values, the time by ISO 8601."""
        return {
            "id": self.id,
            "kind": self.kind,
            "rule": self.rule,
            "at": self.at.isoformat(),
            "person_id": self.person_id,
            "name": self.name,
            "unknown": self.unknown,
            "source": self.source,
            "distance": self.distance,
            "threshold": self.threshold,
            "frames": self.frames,
            "sentence": self.sentence,
            **({} if self.confirmed_by is None else {"confirmed_by": self.confirmed_by}),
        }


def read_alerts(
    database: Database, *, after: int = 0, limit: int | None = None, newest: bool = False, rule: str | None = None
) -> list[Alert]:
    """The log of alerts, oldest first; without those about people who may not be named, where consent is demanded.

    Args:
        database: The gallery's.
        after: Only those with a greater id: whoever passes them on remembers the last id that was delivered.
        limit: How many at most.
        newest: Whether the limit takes the newest instead of the oldest.
        rule: Only those of the rule of this name.
    """
    query = select(events, people.c.name).outerjoin(people, people.c.id == events.c.person_id)
    query = query.where(events.c.id > after, events.c.kind.in_(get_args(Kind))).limit(limit)
    query = query.order_by(events.c.id.desc() if newest else events.c.id)
    if rule is not None:
        of_name = select(alert_rules.c.id).where(alert_rules.c.name_key == label_key(rule))
        query = query.where(events.c.rule_id.in_(of_name))
    with database.reading() as connection:
        allowed = or_(events.c.person_id.is_(None), permitted(connection, events.c.person_id, "live"))
        found = [alert_of(row) for row in connection.execute(query.where(allowed))]
    return found[::-1] if newest else found


def note_outcome(database: Database, event_id: int, outcome: str) -> None:
    """Write down what became of a rule's command and sound."""
    with database.writing() as connection:
        connection.execute(update(events).where(events.c.id == event_id).values(outcome=outcome))


def alert_of(row: Row[Any]) -> Alert:
    """An alert from a row of the log, or of those that wait, with the person's name."""
    return Alert(
        id=row.id,
        kind=row.kind,
        rule=row.rule_name,
        at=row.at,
        person_id=row.person_id,
        name=row.name,
        unknown=row.unknown,
        source=row.source,
        distance=row.distance,
        threshold=row.threshold,
        frames=row.frames,
        outcome=getattr(row, "outcome", None),
        confirmed_by=getattr(row, "confirmed_by", None),
    )
