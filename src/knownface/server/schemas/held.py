"""Pictures held back from enrolment."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from knownface.server.schemas.common import Schema, ShortSource
from knownface.server.schemas.seen import Ids


class HeldSchema(Schema):
    """A picture that waits for somebody's decision."""

    id: int
    person_id: int
    name: str = Field(description="Of the person it is meant for.")
    source: ShortSource
    source_sha256: str
    faces: int = Field(description="How many of its faces are held back; of a video, several.")
    quality: float | None = Field(description="0 to 1.")
    reason: str = Field(description="A stable word, such as `odd-picture` or `looks-like-other`.")
    detail: str = Field(description="A sentence for people.")
    held_at: datetime


class HeldIds(Schema):
    """Which pictures are meant."""

    held: Ids
