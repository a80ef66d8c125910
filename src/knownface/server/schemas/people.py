"""People and what is done with them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self, TypeAlias

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from knownface.gallery import RemovedPerson
from knownface.server.schemas.common import Schema

NameText: TypeAlias = Annotated[str, Field(min_length=1, max_length=400, examples=["Ada Lovelace"])]
GroupNames: TypeAlias = Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=100)]
TemplateIds: TypeAlias = Annotated[
    list[Annotated[int, Field(ge=1, le=2**53 - 1)]], Field(min_length=1, max_length=10_000)
]
PersonRef: TypeAlias = Annotated[int, Field(ge=1, le=2**31 - 1)] | NameText
"""Somebody known, by id or name."""
PersonRefs: TypeAlias = Annotated[list[PersonRef], Field(min_length=1, max_length=100)]

_PERSON: JsonDict = {
    "id": 7,
    "name": "Ada Lovelace",
    "external_id": "S-1815",
    "groups": ["staff"],
    "threshold": None,
    "templates": 3,
    "created": "2026-03-01T09:30:00Z",
}


class PersonSchema(Schema):
    """Somebody known."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PERSON]})

    id: int = Field(description="Never given to anybody else.")
    name: str
    external_id: str | None = Field(description="A number of another system, such as a student number.")
    groups: list[str]
    threshold: float | None = Field(description="The person's own, instead of the rule's.")
    templates: int = Field(description="How many there are, counter-examples aside.")
    created: datetime
    until: date | None = Field(default=None, description="The last day, after which the person goes by themselves.")


class NewPerson(Schema):
    """Somebody to be made."""

    name: NameText
    external_id: str | None = Field(default=None, max_length=400)
    groups: GroupNames = Field(default_factory=list)


class PersonChanges(Schema):
    """What is to be changed; what is left out stays as it is, null clears."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada King", "groups": ["staff", "board"]}]})

    name: NameText = ""
    external_id: str | None = Field(default=None, max_length=400)
    groups: GroupNames = Field(default_factory=list)
    threshold: float | None = Field(default=None, ge=0, le=2)
    until: date | None = Field(default=None, description="The last day, after which the person goes by themselves.")


class Merge(Schema):
    """Who else this person is."""

    people: PersonRefs = Field(description="Ids or names of those who are joined into this person and go.")


class Split(Schema):
    """What is somebody else's."""

    templates: TemplateIds = Field(description="Ids of the templates that move to the new person.")
    name: NameText


class Removal(Schema):
    """What goes with a person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "person": _PERSON,
                    "templates": 3,
                    "counter_examples": 0,
                    "pictures": 3,
                    "sightings": 41,
                    "attendance": 12,
                    "events": 2,
                    "offers": 0,
                    "held": 0,
                }
            ]
        }
    )

    person: PersonSchema
    templates: int
    counter_examples: int
    pictures: int = Field(description="Small pictures kept with templates.")
    sightings: int
    attendance: int = Field(description="Entries in attendance sessions.")
    events: int = Field(description="Alerts about this person.")
    offers: int = Field(description="Offered samples.")
    held: int = Field(description="Faces held back from enrolment, or rejected.")

    @classmethod
    def of(cls, removed: RemovedPerson) -> Self:
        """As the gallery counted it."""
        counts = {kind: count for kind, count in removed.counts.items() if kind in cls.model_fields}
        return cls(person=PersonSchema.model_validate(removed.person), **counts)


class ReceiptSchema(Schema):
    """A signed receipt."""

    name: str = Field(description="A file name without suffix.")
    text: str = Field(description="A JSON file, to be kept byte for byte; `POST /v1/receipts/verify` checks it.")
    page: str = Field(description="HTML to print.")


class Removed(Removal):
    """What went with a person."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    receipt: ReceiptSchema


class GroupSchema(Schema):
    """A group and how many belong to it."""

    name: str
    people: int
