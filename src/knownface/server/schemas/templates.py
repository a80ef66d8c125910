"""Templates: the faces that people are enrolled with, and what came of pictures sent for enrolment."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from knownface.gallery import Template
from knownface.server.schemas.common import BoxSchema, Schema, ShortSource
from knownface.server.schemas.faces import ReviewedFace
from knownface.server.schemas.people import PersonRef, TemplateIds


class TemplateSchema(Schema):
    """One face that a person was enrolled from."""

    id: int
    person_id: int
    source: ShortSource = Field(
        description="Where it came from: the end of a file's path, or `upload:` and what the file was called."
    )
    sha256: str = Field(description="Of the file.")
    frame_time: float | None = Field(description="Seconds from the start of a video.")
    box: BoxSchema | None
    quality: float | None = Field(description="0 to 1.")
    counter_example: bool = Field(description="Whether it says who this is not.")
    created: datetime

    @classmethod
    def of(cls, template: Template) -> TemplateSchema:
        """From the library's value."""
        return cls(**template.to_dict())


class EnrolledPicture(Schema):
    """What came of one picture."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "file": "ada.jpg",
                    "status": "refused",
                    "code": "too-blurred",
                    "message": "The face is too blurred (sharpness 0.011, 0.020 is needed).",
                    "hint": "Use a larger, sharper or better lit picture of the face.",
                    "templates": [],
                    "faces": [],
                }
            ]
        }
    )

    file: str = Field(description="What the upload was called.")
    status: Literal["enrolled", "known", "held", "refused"] = Field(
        description="`known`: this very file was enrolled for the person before; nothing was added. `held`: it may "
        "show somebody else, and waits for a decision."
    )
    code: str = Field(description="Why it was refused or held back: a stable word; else empty.")
    message: str
    hint: str
    details: dict[str, Any] | None = Field(default=None, description="As of an error.")
    templates: list[int] = Field(description="Ids of the templates added, or there already.")
    faces: list[ReviewedFace] = Field(description="Every face found, the largest first.")


class EnrolledPictures(Schema):
    """What came of all pictures of a request, in their order."""

    added: int = Field(description="Templates added.")
    pictures: list[EnrolledPicture]


class Move(Schema):
    """Whom templates show."""

    templates: TemplateIds = Field(description="Ids of templates of one person.")
    to: PersonRef = Field(description="Id or name of the person whom they show.")
    create: bool = Field(default=False, description="Make somebody of this name if there is nobody.")


class Forgotten(Schema):
    """Templates that are wrong."""

    templates: TemplateIds


class ExclusionSchema(Schema):
    """A file that was taken out of a person's: enrolling a folder does not bring it back."""

    id: int
    person_id: int
    name: str = Field(description="The person's.")
    source: ShortSource = Field(description="Where it was: the end of its path.")
    source_sha256: str
    created: datetime
