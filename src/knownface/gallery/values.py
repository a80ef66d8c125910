"""What goes into a gallery and comes out of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from knownface.media.face_picture import FacePicture
from knownface.types import Box, EmbedderContract, Embeddings, Ids


class Unset(enum.Enum):
    """The type of :data:`UNSET`: an argument that was not given, so that what is stored stays; None clears it."""

    UNSET = enum.auto()


UNSET = Unset.UNSET

PersonKey: TypeAlias = str | int
"""How a person is meant: by the name, whatever its letter case, or by the id, which outlives renaming."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody known.

    Attributes:
        id: Never given to anybody else, not even after this person is removed.
        name: Unique; two names that differ only in letter case are one.
        external_id: A number of another system, such as a student number; unique.
        groups: Names of the groups the person belongs to, in alphabetical order.
        threshold: This person's own, 0 to 2, instead of the rule's.
        templates: How many there are, counter-examples aside.
        created: UTC.
        until: The last day, after which the person goes by themselves; None is for good.
    """

    id: int
    name: str
    external_id: str | None
    groups: tuple[str, ...]
    threshold: float | None
    templates: int
    created: datetime
    until: date | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        return {**asdict(self), "groups": list(self.groups)}


@dataclass(frozen=True, slots=True, eq=False)
class NewTemplate:
    """One face to enrol a person from.

    Attributes:
        vector: Its embedding, float32, shape (dim,), unit norm.
        source: Where it came from, a path as a rule; shown to users, never opened.
        source_sha256: Hex digest of the source's content; with frame time and face index it says whether the same
            face is enrolled already.
        frame_time: Seconds from the start of a video, kept to the microsecond; None for a still photo.
        face_index: Which face of the picture.
        box: Where it was.
        quality: 0 to 1.
        negative: A counter-example: this is *not* the person.
        picture: The face itself, if it is to be kept with the template; see the setting ``keep_crops``.
        fingerprint: Of the embedder that made the vector; a gallery of another one refuses it. Empty is not checked.
    """

    vector: Embeddings
    source: str
    source_sha256: str
    frame_time: float | None = None
    face_index: int = 0
    box: Box | None = None
    quality: float | None = None
    negative: bool = False
    picture: FacePicture | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """One face that a person was enrolled from; see :class:`NewTemplate` for the rest.

    Attributes:
        id: Never given to another template.
        person_id: Whose it is.
        created: UTC.
    """

    id: int
    person_id: int
    source: str
    source_sha256: str
    frame_time: float | None
    face_index: int
    box: Box | None
    quality: float | None
    negative: bool
    created: datetime

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        return {
            "id": self.id,
            "person_id": self.person_id,
            "source": self.source,
            "sha256": self.source_sha256,
            "frame_time": self.frame_time,
            "box": None if self.box is None else self.box.to_dict(),
            "quality": self.quality,
            "counter_example": self.negative,
            "created": self.created,
        }


@dataclass(frozen=True, slots=True, eq=False)
class NewHeld:
    """A face that is held back from enrolment until somebody decides.

    Attributes:
        template: What it becomes if it is accepted.
        reason: A stable word, such as ``odd-picture``.
        detail: A sentence for people.
        picture: The face, JPEG; None where there is none to keep.
    """

    template: NewTemplate
    reason: str
    detail: str
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """A file whose faces are held back.

    Attributes:
        id: Of the first of its faces; never given to another.
        person_id: Whose it is meant to be.
        name: The person's.
        source: Where it came from.
        source_sha256: Hex digest of its content.
        faces: How many of its faces are held; of a video, several.
        quality: Of the first, 0 to 1.
        reason: A stable word, such as ``odd-picture``.
        detail: A sentence for people.
        held_at: UTC.
    """

    id: int
    person_id: int
    name: str
    source: str
    source_sha256: str
    faces: int
    quality: float | None
    reason: str
    detail: str
    held_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SetAsideTemplate:
    """A template of a network before, whose face was not found again for the one in use: not searched, not lost.

    Attributes:
        template: As it was, with its id.
        network: The embedder that it is of.
        reason: Why it could not be brought over, a sentence.
    """

    template: Template
    network: str
    reason: str


@dataclass(frozen=True, slots=True)
class OtherNetwork:
    """An embedder that is not in use, of which the gallery holds vectors.

    Attributes:
        name: Of the embedder.
        fingerprint: Of its contract.
        templates: So many of the gallery's have a vector of it: all, where the gallery can go back to it at once;
            fewer where a migration to it was not finished, or templates were added since.
    """

    name: str
    fingerprint: str
    templates: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was reviewed at enrolment and not used, remembered so that the next run need not look again.

    Attributes:
        source: Its path.
        sha256: Hex digest of its content.
        review_key: Digest of the rules it was reviewed by; by others it is looked at again.
        reason: A stable word, such as ``no-face``.
        detail: A sentence for people.
    """

    source: str
    sha256: str
    review_key: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What one transaction of enrolment did.

    Attributes:
        added: Templates that were not there already, for each name key and file (by its SHA-256).
        people_of_files: For each file, by its SHA-256, the names of all people for whom it is now enrolled.
    """

    added: dict[tuple[str, str], int]
    people_of_files: dict[str, list[str]]


@dataclass(frozen=True, slots=True, eq=False)
class GalleryVectors:
    """Every template's embedding, in the order of the template ids; counter-examples aside.

    Attributes:
        embeddings: Float32, shape (n, dim).
        templates: Their ids, int64, shape (n,).
        people: Whose they are, int64, shape (n,).
    """

    embeddings: Embeddings
    templates: Ids
    people: Ids


@dataclass(frozen=True, slots=True)
class GalleryInfo:
    """A gallery in figures.

    Attributes:
        location: Its file, or its URL without the password.
        people: How many.
        templates: How many, counter-examples aside.
        negatives: How many counter-examples.
        groups: How many.
        contract: Of the embedder that filled it, or None.
        generation: One higher after every change.
        encrypted: Whether its records are sealed.
        schema: Revision of the database's schema.
        size: Bytes of the database with its side files; None on a server and in memory.
        index: What searches it, for users.
        index_saved: Whether the next start finds a saved index that it can use; None where another program searches.
    """

    location: str
    people: int
    templates: int
    negatives: int
    groups: int
    contract: EmbedderContract | None
    generation: int
    encrypted: bool
    schema: str
    size: int | None
    index: str
    index_saved: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Its figures, the embedder by name, fingerprint, length of a vector and licence; for JSON."""
        contract = self.contract
        embedder = contract and {key: getattr(contract, key) for key in ("name", "dim", "fingerprint", "licence")}
        return {
            "location": self.location,
            "people": self.people,
            "templates": self.templates,
            "counter_examples": self.negatives,
            "groups": self.groups,
            "embedder": embedder,
            "generation": self.generation,
            "encrypted": self.encrypted,
            "schema": self.schema,
            "bytes": self.size,
            "index": self.index,
            "index_saved": self.index_saved,
        }


@dataclass(frozen=True, slots=True)
class PeopleImport:
    """What a CSV file of people changed.

    Attributes:
        created: People added.
        updated: People known before whose entry differed.
    """

    created: int
    updated: int


@dataclass(frozen=True, slots=True)
class RemovedPerson:
    """Somebody who was removed, or would be, and what goes along.

    Attributes:
        person: As they were; None where only refused files of this name were remembered.
        name: Theirs.
        counts: How many rows of each kind: ``templates``, ``counter_examples``, ``pictures``, ``sightings``, … ; kinds
            without any are 0.
    """

    person: Person | None
    name: str
    counts: Mapping[str, int]
