"""Who was seen: sightings, Unknowns, offered samples, alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field

from knownface.events import Alert, SampleOffer, Sighting, UnknownGroup
from knownface.events.rules import Kind
from knownface.server.error_responses import Problem
from knownface.server.schemas.common import Schema, ShortSource, short_source
from knownface.server.schemas.people import NameText, PersonSchema
from knownface.types import finite

Numbers: TypeAlias = Annotated[
    list[Annotated[int, Field(ge=1, le=2**31 - 1)]], Field(min_length=1, max_length=1000, description="Of Unknowns.")
]
Ids: TypeAlias = Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1)]], Field(min_length=1, max_length=1000)]


class SightingSchema(Schema):
    """One stay of somebody in front of one source."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 12,
                    "person_id": 7,
                    "name": "Ada Lovelace",
                    "unknown": None,
                    "source": "front door",
                    "first_seen": "2026-03-02T07:58:10Z",
                    "last_seen": "2026-03-02T07:58:31Z",
                    "first_time": None,
                    "last_time": None,
                    "best_distance": 0.64,
                    "frames": 41,
                    "quality": 0.71,
                    "liveness": None,
                    "dismissed": False,
                    "has_picture": True,
                }
            ]
        }
    )

    id: int
    person_id: int | None
    name: str | None
    unknown: int | None = Field(description="Number of an Unknown; beside a person: somebody named this Unknown.")
    source: ShortSource
    first_seen: datetime
    last_seen: datetime
    first_time: float | None = Field(description="Seconds from the start of a video.")
    last_time: float | None
    best_distance: float | None
    frames: int
    quality: float | None
    liveness: float | None = Field(description="0 (surely an attack) to 1 (surely live); null: not checked.")
    dismissed: bool
    has_picture: bool

    @classmethod
    def of(cls, seen: Sighting) -> SightingSchema:
        """From the library's value."""
        return cls(**seen.to_dict())


class Deleted(Schema):
    """How many were deleted."""

    deleted: int


class UnknownSchema(Schema):
    """Unknowns who look alike: probably one stranger, seen several times."""

    numbers: list[int]
    first_seen: datetime
    last_seen: datetime
    sources: list[ShortSource]
    can_be_enrolled: bool = Field(description="Whether their faces were kept, so that naming them also teaches them.")
    sightings: list[SightingSchema] = Field(description="The newest first.")

    @classmethod
    def of(cls, group: UnknownGroup) -> UnknownSchema:
        """From the library's value."""
        return cls(
            numbers=list(group.numbers),
            first_seen=group.first_seen,
            last_seen=group.last_seen,
            sources=sorted({short_source(seen.source) for seen in group.sightings}),
            can_be_enrolled=any(seen.has_face for seen in group.sightings),
            sightings=[SightingSchema.of(seen) for seen in group.sightings],
        )


class UnknownName(Schema):
    """Who Unknowns are."""

    numbers: Numbers
    name: NameText = Field(description="Of somebody known, or of a new person.")
    enrol: bool = Field(default=True, description="Whether they shall be recognised by these faces from now on.")


class NamedUnknown(Schema):
    """What naming Unknowns did."""

    person: PersonSchema
    sightings: int = Field(description="How many became the person's.")
    enrolled: int = Field(description="Templates that the person got.")
    held: int = Field(description="Faces held back until somebody decides.")
    refused: int = Field(description="Faces that were refused.")
    reasons: list[str] = Field(description="Why, a sentence each.")


class Dismissal(Schema):
    """Unknowns who do not matter, or do after all."""

    numbers: Numbers
    dismissed: bool = True


class OfferSchema(Schema):
    """A new picture of a known person that may become a template."""

    id: int
    person_id: int
    name: str
    source: ShortSource
    seen_at: datetime
    distance: float
    rival_distance: float | None = Field(description="To anybody else's nearest template.")
    quality: float

    @classmethod
    def of(cls, offer: SampleOffer) -> OfferSchema:
        """From the library's value."""
        return cls(
            id=offer.id,
            person_id=offer.person_id,
            name=offer.name,
            source=offer.source,
            seen_at=offer.seen_at,
            distance=round(offer.distance, 4),
            rival_distance=finite(offer.rival_distance),
            quality=round(offer.quality, 4),
        )


class OfferIds(Schema):
    """Which offers are meant."""

    offers: Ids


class Counted(Schema):
    """How many it concerned."""

    count: int


class LearntSchema(Schema):
    """What became of offers that were accepted."""

    count: int = Field(description="Templates added.")
    held: int = Field(description="Held back until somebody decides (`/v1/held`).")
    refused: int
    reasons: list[str] = Field(description="Why, a sentence each; those of what is held back come first.")
    problems: list[Problem] = Field(default=[], description="The same, with codes.")


class AlertSchema(Schema):
    """An alert that a rule raised."""

    id: int = Field(description="Ascending in the order in which it happened.")
    kind: Kind
    rule: str | None
    at: datetime
    person_id: int | None
    name: str | None
    unknown: int | None
    source: ShortSource | None
    distance: float | None
    threshold: float | None
    frames: int | None
    sentence: str
    confirmed_by: str | None = Field(default=None, description="Who confirmed it, where the rule demands that.")
    outcome: str | None = Field(description="What became of the rule's command and sound.")

    @classmethod
    def of(cls, alert: Alert) -> AlertSchema:
        """From the library's value."""
        sentence = alert.sentence.replace(alert.source, short_source(alert.source)) if alert.source else alert.sentence
        return cls(**{**alert.facts(), "sentence": sentence}, outcome=alert.outcome)
