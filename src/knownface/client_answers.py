"""What the service answers to :mod:`knownface.client`: plain dictionaries with known keys."""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class Problem(TypedDict):
    """Why one thing of several failed."""

    code: str
    message: str
    hint: str
    details: dict[str, Any] | None


class Box(TypedDict):
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float


class Candidate(TypedDict):
    """A person considered for a face."""

    person_id: int
    name: str | None
    distance: float
    votes: int


class Face(TypedDict):
    """A face and who it is."""

    box: Box
    landmarks: list[list[float]] | None
    quality: dict[str, float | None]
    person_id: int | None
    name: str | None
    distance: float | None
    votes: int
    stage: int
    reason: str
    candidates: list[Candidate]


class Picture(TypedDict):
    """A picture and who is on it."""

    width: int
    height: int
    faces: list[Face]


class BatchItem(TypedDict):
    """One picture of several."""

    file: str
    picture: Picture | None
    error: Problem | None


class Verification(TypedDict):
    """Whether two are one person."""

    same: bool
    distance: float
    threshold: float
    reason: str


class Person(TypedDict):
    """Somebody known."""

    id: int
    name: str
    external_id: str | None
    groups: list[str]
    threshold: float | None
    templates: int
    created: str


class Template(TypedDict):
    """One face that a person was enrolled from."""

    id: int
    person_id: int
    source: str
    sha256: str
    frame_time: float | None
    box: Box | None
    quality: float | None
    counter_example: bool
    created: str


class EnrolledPicture(TypedDict):
    """What came of one picture that a person was to be enrolled from."""

    file: str
    status: Literal["enrolled", "known", "held", "refused"]
    code: str
    message: str
    hint: str
    templates: list[int]
    faces: list[dict[str, Any]]


class Enrolled(TypedDict):
    """What came of all of them."""

    added: int
    pictures: list[EnrolledPicture]


class Job(TypedDict):
    """Something that runs in the background."""

    id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed"]
    created: str
    finished: str | None
    result: dict[str, Any] | None
    problem: Problem | None
