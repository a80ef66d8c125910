"""Faces in pictures: who they are, and how good they are."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from knownface.answers import Identification
from knownface.pipeline import ExaminedFace
from knownface.quality import Covered
from knownface.server.error_responses import Problem
from knownface.server.schemas.common import BoxSchema, Schema

_QUALITY: JsonDict = {
    "score": 0.83,
    "size": 98.2,
    "sharpness": 0.12,
    "brightness": 0.46,
    "contrast": 0.2,
    "turn": 0.04,
    "cut_off": 0.0,
    "detector_score": 0.93,
}
_CANDIDATE: JsonDict = {"person_id": 7, "name": "Ada Lovelace", "distance": 0.71, "votes": 1}
_LIVENESS: JsonDict = {"live": True, "score": 0.98, "threshold": 0.85}
_FACE: JsonDict = {
    "box": {"x": 184.0, "y": 61.5, "width": 98.2, "height": 131.0},
    "landmarks": [[207.1, 118.0], [255.9, 117.2], [231.0, 143.8], [212.3, 168.4], [251.0, 167.9]],
    "quality": _QUALITY,
    "person_id": 7,
    "name": "Ada Lovelace",
    "distance": 0.71,
    "votes": 1,
    "stage": 1,
    "reason": "named",
    "candidates": [_CANDIDATE],
    "liveness": _LIVENESS,
}


class QualitySchema(Schema):
    """How good a picture of a face is."""

    model_config = ConfigDict(json_schema_extra={"examples": [_QUALITY]})

    score: float = Field(description="0 (useless) to 1 (ideal).")
    size: float = Field(description="Shorter side of the box, in pixels.")
    sharpness: float = Field(description="0.02 is badly blurred, 0.1 and more sharp.")
    brightness: float = Field(description="Mean grey value, 0 to 1.")
    contrast: float = Field(description="Standard deviation of the grey values, 0 to 0.5.")
    turn: float | None = Field(description="0 from the front, 0.5 and more in profile; null: not known.")
    cut_off: float = Field(description="Share of the face outside the picture.")
    detector_score: float = Field(description="The detector's confidence.")


class CandidateSchema(Schema):
    """A person considered for a face."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CANDIDATE]})

    person_id: int
    name: str | None = Field(description="Null: removed a moment ago.")
    distance: float = Field(description="To this person's nearest template, 0 to 2; smaller is nearer.")
    votes: int = Field(description="Templates of this person that voted.")


class FoundFace(Schema):
    """Where a face is, and how good its picture."""

    box: BoxSchema
    landmarks: list[tuple[float, float]] | None = Field(
        description="Left eye, right eye, nose, left and right mouth corner as the viewer sees them; null: not known."
    )
    quality: QualitySchema


class LivenessSchema(Schema):
    """Whether a face looks alive."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LIVENESS]})

    live: bool
    score: float = Field(description="0 (surely a print or a screen) to 1 (surely live).")
    threshold: float = Field(description="The smallest score that counts as live.")


class AccuracySchema(Schema):
    """How often a stranger would get a name too."""

    strangers_as_near: float | None = Field(
        description="At most about this share of strangers is as near to somebody, always estimated; 0.0001 is that or "
        "less; null: not known."
    )
    strangers_named: float | None = Field(description="Share of strangers who get a name at the threshold in force.")
    by: Literal["calibrated", "estimated", "unknown"] = Field(
        description="Who says how many are named: a calibration measured it, or it is only estimated."
    )
    confidence: float | None = Field(description="Of a calibration.")


class NamedFace(FoundFace):
    """A face and who it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FACE]})

    person_id: int | None = Field(description="Null: Unknown.")
    name: str | None = Field(description="Null: Unknown.")
    distance: float | None = Field(
        description="To the nearest template of the person named, or of anybody when Unknown; null: nobody is "
        "enrolled, or the key is a `device`'s and the face Unknown."
    )
    votes: int
    stage: Literal[0, 1, 2] = Field(description="The vote that decided; 0 when Unknown.")
    reason: Literal["named", "too far", "margin", "taken", "not this person", "empty gallery", "not live", "no consent"]
    candidates: list[CandidateSchema] = Field(description="Who was considered, nearest first; not for `device` keys.")
    liveness: LivenessSchema | None = Field(description="Null: not checked.")
    accuracy: AccuracySchema | None = Field(
        default=None, description="Where the setting `show_accuracy` asks for it and there is a name."
    )


class NamedPicture(Schema):
    """A picture and who is on it."""

    width: int = Field(description="In pixels, upright.")
    height: int
    faces: list[NamedFace] = Field(description="The largest first.")


class BatchItem(Schema):
    """What came of one picture of several: the answer or the error."""

    file: str = Field(description="What the upload was called.")
    picture: NamedPicture | None
    error: Problem | None


class BatchAnswer(Schema):
    """What came of several pictures, in their order."""

    pictures: list[BatchItem]


class VerificationSchema(Schema):
    """Whether two pictures, or a picture and a person, are one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "same": True,
                    "distance": 0.71,
                    "threshold": 1.04,
                    "reason": "The distance 0.710 is within the threshold 1.040.",
                    "liveness": None,
                }
            ]
        }
    )

    same: bool
    distance: float
    threshold: float
    reason: str
    liveness: LivenessSchema | None = Field(description="Of the first picture; null: not checked.")
    accuracy: AccuracySchema | None = Field(
        default=None, description="Which shares of strangers would pass, where the setting `show_accuracy` asks for it."
    )


class ReviewedFace(FoundFace):
    """A face of a picture that somebody may be enrolled from."""

    chosen: bool = Field(description="Whether a person would be enrolled from it.")
    covered: Covered | None = Field(default=None, description="What of it seems to be covered; null: nothing.")


class ReviewSchema(Schema):
    """What a picture is good for: nothing is stored."""

    width: int
    height: int
    faces: list[ReviewedFace]
    problem: Problem | None = Field(description="Why nobody would be enrolled from it; null: somebody would.")
    note: str = Field(default="", description="What to know about it; mostly empty.")


class ReviewBatchItem(Schema):
    """What came of one picture of several: the review or the error."""

    file: str = Field(description="What the upload was called.")
    review: ReviewSchema | None
    error: Problem | None


class ReviewBatch(Schema):
    """What came of several pictures, in their order."""

    pictures: list[ReviewBatchItem]


def named_face(found: Identification, top: int, *, names_only: bool = False) -> NamedFace:
    """A face and who it is, with so many candidates, or with nothing about anybody who is not named."""
    answer = found.to_dict()
    if names_only and answer["name"] is None:
        answer["distance"] = None
    return NamedFace(**{**answer, "candidates": [] if names_only else answer["candidates"][:top]})


def reviewed_face(face: ExaminedFace, *, chosen: bool) -> ReviewedFace:
    """A face of a reviewed picture."""
    told = {**face.face.to_dict(), "quality": face.quality.to_dict()}
    return ReviewedFace(**told, chosen=chosen, covered=face.covered)
