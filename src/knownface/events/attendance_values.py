"""Sessions of attendance and who came to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

Status: TypeAlias = Literal["present", "late", "expected", "absent", "walk-in"]
"""``expected``: on the list and not seen, while the session goes on; ``absent``: the same once it has ended;
``walk-in``: seen, but on no list."""


@dataclass(frozen=True, slots=True)
class Session:
    """A stretch of time with people who are expected.

    Attributes:
        id: Never given to another session.
        name: Of a lesson or an event; several sessions may have it, one after the other.
        opened: UTC.
        closed: UTC, when it ended or will end; None while it is open without an end.
        grace: Who is first seen later than this after the start is late.
        sources: What is seen there counts; everywhere where it is empty.
        columns: The guest list's further columns.
    """

    id: int
    name: str
    opened: datetime
    closed: datetime | None
    grace: timedelta
    sources: tuple[str, ...]
    columns: tuple[str, ...]

    def is_open(self, now: datetime) -> bool:
        """Whether it goes on at a time, timezone-aware."""
        return self.closed is None or now < self.closed

    def to_dict(self, now: datetime) -> dict[str, Any]:
        """As the REST service answers it at a time, timezone-aware."""
        return {
            "id": self.id,
            "name": self.name,
            "opened": self.opened,
            "closed": self.closed,
            "is_open": self.is_open(now),
            "grace_minutes": self.grace / timedelta(minutes=1),
            "sources": list(self.sources),
            "columns": list(self.columns),
        }


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who was expected or came.

    Attributes:
        person_id: In the gallery; None for a guest whom it does not hold.
        name: As the list has it, else as the gallery has it.
        external_id: The same.
        facts: What the guest list says besides.
        listed: Whether they were expected.
        status: See :data:`Status`.
        first_seen: UTC, within the session; None where they did not come.
        last_seen: The same.
        source: Where they were seen first; None where it was marked by hand.
        by_hand: Whether somebody said so, which counts more than what was seen.
    """

    person_id: int | None
    name: str
    external_id: str | None
    facts: Mapping[str, str]
    listed: bool
    status: Status
    first_seen: datetime | None
    last_seen: datetime | None
    source: str | None
    by_hand: bool

    @property
    def greeting(self) -> str:
        """What a screen says when they arrive, such as ``Welcome, Ann Lee. Table: 5.`` of a list with tables."""
        facts = "".join(f" {column.capitalize()}: {text.rstrip('.')}." for column, text in self.facts.items())
        return f"Welcome, {self.name}.{facts}{'' if self.listed else ' You are not on the list.'}"

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**own, "facts": dict(self.facts), "greeting": self.greeting}


@dataclass(frozen=True, slots=True)
class SessionReport:
    """Who came to a session.

    Attributes:
        session: Which.
        at: When this was so, UTC.
        attendees: Everybody listed, then walk-ins, each in the order of their names.
        strangers: How many Unknowns were seen; nobody of the list is among them as far as is known.
    """

    session: Session
    at: datetime
    attendees: tuple[Attendee, ...]
    strangers: int

    @property
    def counts(self) -> Mapping[str, int]:
        """How many people have each status."""
        return Counter(attendee.status for attendee in self.attendees)

    @property
    def arrivals(self) -> list[Attendee]:
        """Those who came, the latest first."""
        came = [(attendee.first_seen, attendee) for attendee in self.attendees if attendee.first_seen is not None]
        return [attendee for _, attendee in sorted(came, key=lambda pair: pair[0], reverse=True)]

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        return {
            "session": self.session.to_dict(self.at),
            "at": self.at,
            "counts": dict(self.counts),
            "strangers": self.strangers,
            "attendees": [attendee.to_dict() for attendee in self.attendees],
        }
