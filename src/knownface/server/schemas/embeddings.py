"""Faces without names: where they are, and the vectors that they are compared by."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from knownface.server.schemas.common import Schema
from knownface.server.schemas.faces import CandidateSchema, FoundFace

_LONGEST = 8192
Coordinate: TypeAlias = Annotated[float, Field(ge=-1e6, le=1e6)]
_NETWORK = "Fingerprint of the network and its crops: vectors can be compared where it is the same."


class DetectedPicture(Schema):
    """A picture and where faces are on it."""

    width: int = Field(description="In pixels, upright.")
    height: int
    faces: list[FoundFace] = Field(description="The largest first.")


class EmbeddedFace(FoundFace):
    """A face and its embedding."""

    embedding: list[float] = Field(description="Unit vector.")


class EmbeddedPicture(Schema):
    """A picture and the embeddings of its faces."""

    width: int = Field(description="In pixels, upright.")
    height: int
    embedder: str = Field(examples=["sface-int8bq"])
    contract: str = Field(description=_NETWORK)
    faces: list[EmbeddedFace] = Field(description="The largest first.")


class EmbeddingSearch(Schema):
    """An embedding whose person is looked for."""

    embedding: Annotated[list[Coordinate], Field(min_length=1, max_length=_LONGEST)] = Field(
        description="As `POST /v1/embeddings` answers it; scaled to length 1."
    )
    contract: str = Field(max_length=100, description=_NETWORK)
    top: int = Field(default=5, ge=0, le=20, description="How many candidates are listed.")


class FoundPerson(Schema):
    """Who a face is, by its embedding."""

    person_id: int | None = Field(description="Null: Unknown.")
    name: str | None = Field(description="Null: Unknown.")
    distance: float | None = Field(description="As of `POST /v1/identify`.")
    votes: int
    stage: Literal[0, 1, 2]
    reason: Literal["named", "too far", "margin", "taken", "not this person", "empty gallery", "not live", "no consent"]
    candidates: list[CandidateSchema] = Field(description="Who was considered, nearest first.")
