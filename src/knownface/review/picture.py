"""One picture by itself: which face is meant, and is it good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from knownface.errors import FaceError, NoFaceError, SeveralFacesError
from knownface.pipeline import ExaminedFace
from knownface.quality import QualityLimits, shortcomings

FacePolicy: TypeAlias = Literal["dominant", "largest", "only", "all-same-person"]
"""Which faces of a picture are the person. ``dominant``: the only one, or one that is clearly larger than all others;
``largest``: the largest, however close the next; ``only``: the picture must show one face; ``all-same-person``: every
face is the person, as in a contact sheet."""

DOMINANCE = 2.25
"""How many times the area of the next face the dominant one covers: one and a half times its side."""


class PoorPictureError(FaceError):
    """A face that is too poor to enrol a person from.

    Attributes:
        reason: The stable word of the first shortcoming, such as ``too-blurred``.
    """

    code = "poor-picture"
    default_hint = "Use a larger, sharper or better lit picture of the face."

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    @classmethod
    def of_score(cls, score: float, limits: QualityLimits) -> PoorPictureError:
        """The error of a face of which only the score is known."""
        return cls(f"The picture is too poor (quality {score:.2f}, {limits.score:.2f} is needed).", "too-poor")


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """How enrolment pictures are reviewed; its text is part of what a remembered refusal depends on."""

    policy: FacePolicy = "dominant"
    limits: QualityLimits = field(default_factory=QualityLimits)


def select_faces(faces: Sequence[ExaminedFace], policy: FacePolicy) -> list[ExaminedFace]:
    """The faces that are the person meant; ``faces`` are in the order of size, largest first.

    Raises:
        NoFaceError: There is no face.
        SeveralFacesError: The policy does not decide which face is meant.
    """
    if not faces:
        raise NoFaceError("No face was found.")
    if policy == "all-same-person":
        return list(faces)
    if len(faces) > 1 and policy != "largest":
        ratio = faces[0].face.box.area / max(faces[1].face.box.area, 1e-9)
        if policy == "only" or ratio < DOMINANCE:
            raise SeveralFacesError(f"{len(faces)} faces, and none is clearly the one meant.")
    return [faces[0]]


def candidates(faces: Sequence[ExaminedFace], rules: ReviewRules) -> list[ExaminedFace]:
    """The faces of a picture among which one is the person meant, where the others of the person must tell which.

    None where the rules ask for one face, or where none is good enough.
    """
    if rules.policy != "dominant":
        return []
    return [face for face in faces if not shortcomings(face.quality, rules.limits)]


def review(faces: Sequence[ExaminedFace], rules: ReviewRules) -> list[ExaminedFace]:
    """The faces of a picture that a person may be enrolled from.

    Raises:
        NoFaceError: There is no face.
        SeveralFacesError: The policy does not decide which face is meant.
        PoorPictureError: Every face meant is too poor; the sentence says how.
    """
    chosen = select_faces(faces, rules.policy)
    faults = [shortcomings(face.quality, rules.limits) for face in chosen]
    good = [face for face, found in zip(chosen, faults, strict=True) if not found]
    if not good:
        first = faults[0]
        raise PoorPictureError("; ".join(fault.text for fault in first).capitalize() + ".", first[0].code)
    return good
