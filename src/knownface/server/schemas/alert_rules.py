"""Alert rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from knownface.events import AlertRule
from knownface.events.rules import MOST_CONFIRMATIONS, Kind, time_of_day
from knownface.server.schemas.common import Schema

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_LATE: JsonDict = {
    "name": "late",
    "kind": "missing",
    "group": "staff",
    "by": "09:00",
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "time_zone": "Europe/Berlin",
}
_WEEK = 7 * 86_400
_YEAR = 366 * 86_400


class AlertRuleRequest(Schema):
    """When an alert is to be raised."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LATE]})

    name: str = Field(min_length=1, max_length=200)
    kind: Kind = Field(description="Somebody is `seen`, `missing` by a time of day, or is an `unknown`.")
    group: str | None = Field(
        default=None, max_length=200, description="Of the people meant; null: everybody. Needed for `missing`."
    )
    source: str | None = Field(default=None, max_length=1000, description="Only what is seen there; null: everywhere.")
    by: str | None = Field(
        default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="For `missing`: the time of day, `HH:MM`."
    )
    days: Annotated[list[Weekday], Field(max_length=7)] = Field(
        default_factory=list, description="For `missing`: only on these; empty: every day."
    )
    time_zone: str | None = Field(
        default=None, max_length=100, description="Of `by`, such as `Europe/Berlin`; null: the service's machine's."
    )
    cooldown_seconds: float = Field(
        default=300.0, ge=0, le=_YEAR, description="No further alert for the same person, or place of an Unknown."
    )
    confirm: int = Field(
        default=0, ge=0, le=MOST_CONFIRMATIONS, description="How many people must confirm an alert before it is sent."
    )
    confirm_seconds: float = Field(
        default=3600.0, ge=10, le=_WEEK, description="In which they must; then the alert expires."
    )

    @model_validator(mode="before")
    @classmethod
    def _runs_nothing(cls, asked: object) -> object:
        if isinstance(asked, dict) and asked.keys() & {"command", "sound"}:
            raise ValueError("what runs a command or a sound is made on the service's machine: `knownface alerts add`")
        return asked

    def rule(self, rule_id: int = 0) -> AlertRule:
        """As the library's value."""
        return AlertRule(
            name=self.name,
            kind=self.kind,
            group=self.group,
            source=self.source,
            by=None if self.by is None else time_of_day(self.by),
            days=tuple(self.days),
            time_zone=self.time_zone,
            cooldown=timedelta(seconds=self.cooldown_seconds),
            confirm=self.confirm,
            confirm_within=timedelta(seconds=self.confirm_seconds),
            id=rule_id,
        )


class AlertRuleSchema(Schema):
    """A rule in force."""

    id: int
    name: str
    kind: Kind
    group: str | None
    source: str | None
    by: str | None
    days: list[Weekday]
    time_zone: str | None
    cooldown_seconds: float
    confirm: int
    confirm_seconds: float
    acts: bool = Field(description="Whether it runs a command or a sound, which only the command line can change.")

    @classmethod
    def of(cls, rule: AlertRule) -> AlertRuleSchema:
        """From the library's value."""
        return cls(
            id=rule.id,
            name=rule.name,
            kind=rule.kind,
            group=rule.group,
            source=rule.source,
            by=None if rule.by is None else f"{rule.by:%H:%M}",
            days=list(rule.days),  # type: ignore[arg-type]  # checked by the rule
            time_zone=rule.time_zone,
            cooldown_seconds=rule.cooldown.total_seconds(),
            confirm=rule.confirm,
            confirm_seconds=rule.confirm_within.total_seconds(),
            acts=rule.acts,
        )
