"""People who may be one."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from knownface.server.schemas.common import Schema
from knownface.server.schemas.people import PersonRefs


class AlikeSchema(Schema):
    """Two people who may be one, enrolled under two names."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"first": "Ada Lovelace", "second": "Ada King", "first_id": 7, "second_id": 31, "distance": 0.5}
            ]
        }
    )

    first: str = Field(description="The name of who has been enrolled longer.")
    second: str
    first_id: int
    second_id: int
    distance: float = Field(description="Between the means of their templates, 0 to 2.")


class Different(Schema):
    """Who this person is not."""

    people: PersonRefs = Field(description="Ids or names of others who look alike.")
