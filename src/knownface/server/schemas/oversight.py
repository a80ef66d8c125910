"""Alerts that wait for people, as they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from knownface.events import Decision, PendingAlert
from knownface.events.rules import Kind
from knownface.server.schemas.common import Schema


class PendingAlertSchema(Schema):
    """An alert that nothing follows from until people have confirmed it."""

    id: int = Field(description="To confirm or reject it by.")
    kind: Kind
    rule: str | None
    at: datetime
    person_id: int | None
    name: str | None
    unknown: int | None
    source: str | None
    distance: float | None
    threshold: float | None
    frames: int | None
    sentence: str
    needed: int = Field(description="How many different keys or users must confirm it.")
    confirmed_by: list[str]
    expires: datetime = Field(description="When it can be confirmed no more.")
    state: Literal["waiting", "rejected", "expired"]
    decided_by: str | None = Field(description="Who rejected it.")
    sighting_id: int | None = Field(description="`/v1/sightings/{id}/picture` is what was seen, where `has_picture`.")
    has_picture: bool

    @classmethod
    def of(cls, pending: PendingAlert) -> PendingAlertSchema:
        """From the library's value."""
        return cls(**pending.facts())


class DecisionSchema(Schema):
    """What a confirmation or rejection did."""

    confirmed_by: list[str]
    needed: int
    event_id: int | None = Field(description="The alert's number in `/v1/events`, once it is passed on.")

    @classmethod
    def of(cls, decision: Decision) -> DecisionSchema:
        """From the library's value."""
        passed_on, pending = decision.passed_on, decision.pending
        return cls(
            confirmed_by=list(pending.confirmed_by),
            needed=pending.needed,
            event_id=None if passed_on is None else passed_on.id,
        )
