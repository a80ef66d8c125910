"""Values of the sighting log: what is recorded, what is read, which are selected, what is retained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from knownface.gallery.values import PersonKey
from knownface.settings import Settings
from knownface.types import Image, finite

Embedding = npt.NDArray[np.float32]
"""One unit vector: float32, shape (dim,)."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenTrack:
    """Somebody in front of a camera or in a video, as known so far; recorded again while they stay.

    Attributes:
        key: One for each track and name it had, unique over all runs; recorded again, it replaces the earlier record.
        source: Where: a camera's name or a file. Addresses must come without a password.
        person_id: Who it is, or None.
        unknown: Number of an Unknown (see :meth:`SightingLog.new_unknown_number`), or None. Exactly one of the two
            is set: a track that is not yet decided is nobody's sighting.
        first_seen: Wall-clock time, timezone-aware.
        last_seen: The same; not before ``first_seen``, unless the clock was set back.
        first_time: Seconds from the start of a video, or None.
        last_time: The same.
        best_distance: Smallest distance of the track to this person's templates, or of an Unknown to anybody's.
        frames: In how many frames the face was found.
        quality: Of the best picture, 0 to 1, or None.
        liveness: How live the face looks by all pictures, 0 to 1; None where that is not checked.
        embedding: The track's evidence, float32, shape (dim,), unit norm, or None.
        picture: The best picture of the face, RGB, or None.
        fingerprint: Of the embedder that made the embedding; empty is the gallery's.

    Raises:
        ValueError: Not exactly one of person and number is set, or a time carries no zone.
    """

    key: str
    source: str
    person_id: int | None
    unknown: int | None
    first_seen: datetime
    last_seen: datetime
    first_time: float | None = None
    last_time: float | None = None
    best_distance: float | None = None
    frames: int = 1
    quality: float | None = None
    liveness: float | None = None
    embedding: Embedding | None = None
    picture: Image | None = None
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if (self.person_id is None) == (self.unknown is None):
            raise ValueError(
                f"a sighting is of a person or of an Unknown, got person_id={self.person_id}, unknown={self.unknown}"
            )
        if self.first_seen.tzinfo is None or self.last_seen.tzinfo is None:
            raise ValueError("first_seen and last_seen must carry a time zone")


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """What is kept of the faces seen, and for how long; nothing but names and times unless asked for.

    Attributes:
        pictures: The best picture of each sighting, as JPEG.
        unknown_faces: The evidence embedding of each Unknown: needed to find the same stranger again and to enrol
            one who is named. It is biometric data of people who have not agreed to anything.
        days: Sightings and what hangs on them go by themselves after so many days; None keeps them.
    """

    pictures: bool = False
    unknown_faces: bool = False
    days: float | None = None

    def __post_init__(self) -> None:
        if self.days is not None and not self.days > 0:
            raise ValueError(f"days must be above 0, got {self.days}")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """What the user's settings say."""
        return cls(settings.keep_pictures, settings.keep_unknown_faces, settings.retention_days)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One stay of somebody in front of one source.

    Attributes:
        id: In the order in which they began to be recorded.
        key: As in :class:`SeenTrack`.
        person_id: Who, or None.
        name: The person's name, or None.
        unknown: Number of the Unknown; together with a person it says that somebody named this Unknown.
        source: Where.
        first_seen: UTC.
        last_seen: UTC.
        first_time: Seconds from the start of a video, or None.
        last_time: The same.
        best_distance: 0 to 2, or None.
        frames: In how many frames.
        quality: Of the best picture, or None.
        liveness: How live the face looked, 0 to 1; None where that was not checked.
        dismissed: Whether somebody said that this Unknown does not matter.
        has_picture: Whether a picture is kept.
        has_face: Whether it is an Unknown's whose embedding is kept.
    """

    id: int
    key: str
    person_id: int | None
    name: str | None
    unknown: int | None
    source: str
    first_seen: datetime
    last_seen: datetime
    first_time: float | None
    last_time: float | None
    best_distance: float | None
    frames: int
    quality: float | None
    liveness: float | None
    dismissed: bool
    has_picture: bool
    has_face: bool

    @property
    def label(self) -> str:
        """The name, or ``Unknown 7``."""
        return self.name if self.name is not None else f"Unknown {self.unknown}"

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        shown = {name: value for name, value in asdict(self).items() if name not in {"key", "has_face"}}
        rounded = {
            name: finite(shown[name]) for name in ("first_time", "last_time", "best_distance", "quality", "liveness")
        }
        return {**shown, **rounded}


@dataclass(frozen=True, slots=True)
class SightingFilter:
    """Selects sightings; everything given must hold.

    Attributes:
        person: Name of a person, whatever its letter case, or the id.
        group: Name of a group.
        unknown: True for those of Unknowns, False for those of people.
        numbers: Numbers of Unknowns.
        source: Exactly this source, or one of these.
        after: Seen at this time or later, timezone-aware.
        before: Begun before this time, timezone-aware.
        dismissed: False leaves out the Unknowns that were dismissed.
    """

    person: PersonKey | None = None
    group: str | None = None
    unknown: bool | None = None
    numbers: tuple[int, ...] | None = None
    source: str | tuple[str, ...] | None = None
    after: datetime | None = None
    before: datetime | None = None
    dismissed: bool | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is given."""
        return self == SightingFilter()
