"""Attendance and check-in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from knownface.events import Guest, Session, SessionReport, Status
from knownface.events.hours import WorkDay
from knownface.gallery import Person
from knownface.server.schemas.common import Schema, ShortSource
from knownface.server.schemas.faces import BatchItem
from knownface.server.schemas.people import NameText


class GuestSchema(Schema):
    """One line of a guest list."""

    name: NameText
    external_id: Annotated[str, Field(max_length=400)] | None = None
    facts: dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=2000)]] = Field(
        default_factory=dict,
        description="What the greeting says besides the name, such as a table.",
        examples=[{"table": "5"}],
    )

    def guest(self) -> Guest:
        """As the library takes it."""
        return Guest(self.name, self.external_id, self.facts)


class NewSession(Schema):
    """A session to be opened: who is expected is named by people, a group, or a guest list."""

    name: NameText
    people: Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1)]], Field(max_length=100_000)] = Field(
        default_factory=list, description="Ids."
    )
    everybody: bool = Field(default=False, description="Whether everybody who is enrolled now is expected.")
    group: Annotated[str, Field(max_length=400)] | None = None
    guests: Annotated[list[GuestSchema], Field(max_length=100_000)] = Field(default_factory=list)
    sources: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=100)] = Field(
        default_factory=list, description="Only what these saw counts; empty: all."
    )
    grace_minutes: float = Field(default=10, ge=0, le=1440, description="Who is seen later than this is late.")
    start: datetime | None = Field(default=None, description="Null: now. Without a time zone UTC is meant.")
    until: datetime | None = Field(default=None, description="Null: until it is closed.")


class AttendanceSessionSchema(Schema):
    """A session of attendance."""

    id: int
    name: str
    opened: datetime
    closed: datetime | None
    is_open: bool
    grace_minutes: float
    sources: list[ShortSource]
    columns: list[str] = Field(description="Of the guest list, besides name and external id.")

    @classmethod
    def of(cls, session: Session, now: datetime) -> AttendanceSessionSchema:
        """From the library's value."""
        return cls(**session.to_dict(now))


class AttendeeSchema(Schema):
    """Somebody who was expected or came."""

    person_id: int | None
    name: str
    external_id: str | None
    facts: dict[str, str]
    listed: bool
    status: Status
    first_seen: datetime | None
    last_seen: datetime | None
    source: ShortSource | None
    by_hand: bool
    greeting: str


class ReportSchema(Schema):
    """Who came to a session."""

    session: AttendanceSessionSchema
    at: datetime
    counts: dict[str, int]
    strangers: int
    attendees: list[AttendeeSchema]

    @classmethod
    def of(cls, report: SessionReport) -> ReportSchema:
        """From the library's value."""
        return cls(**report.to_dict())


class PhotographedSchema(Schema):
    """What came of photos of those who are there."""

    came: list[str] = Field(description="Who is marked by them now.")
    there: list[str] = Field(description="Who had come already.")
    denied: list[str] = Field(description="Who is on them, but was marked by hand as absent, which stays so.")
    pictures: list[BatchItem]
    report: ReportSchema


class Mark(Schema):
    """Said by hand: somebody has come, or has not."""

    name: NameText = Field(description="Of somebody on the list or known, or a guest's external id; else a walk-in.")
    absent: bool = False
    walk_in: bool = Field(True, description="Whether a name that is neither on the list nor known is a walk-in's.")


class IntervalSchema(Schema):
    """From when to when."""

    start: datetime
    end: datetime


class WorkDaySchema(Schema):
    """A person's day."""

    day: date = Field(description="On which it began, in the time zone asked for.")
    first_in: datetime
    last_out: datetime
    breaks: list[IntervalSchema]
    worked_seconds: float = Field(description="From first in to last out, less the breaks.")


class HoursSchema(Schema):
    """A person's working hours."""

    person_id: int
    name: str
    external_id: str | None
    days: list[WorkDaySchema]
    worked_seconds: float

    @classmethod
    def of(cls, person: Person, days: Sequence[WorkDay]) -> HoursSchema:
        """From the library's values."""
        return cls(
            person_id=person.id,
            name=person.name,
            external_id=person.external_id,
            days=[
                WorkDaySchema(
                    day=day.day,
                    first_in=day.first_in,
                    last_out=day.last_out,
                    breaks=[IntervalSchema(start=left, end=back) for left, back in day.breaks],
                    worked_seconds=day.worked.total_seconds(),
                )
                for day in days
            ],
            worked_seconds=sum(day.worked.total_seconds() for day in days),
        )
