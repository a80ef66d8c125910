"""What goes into and comes out of tracking faces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from knownface.quality import Covered, FaceQuality
from knownface.tracking.trajectory import Trajectory
from knownface.types import Box, Decision, Embeddings, Face, Image, Liveness

RequestReason: TypeAlias = Literal["new", "uncertain", "check", "better"]
"""Why a face is worth embedding now. ``new``: nothing is known of the track yet. ``uncertain``: too few pictures, or
pictures that disagree. ``check``: another face was near, or a while has passed. ``better``: the picture is clearly
better than those before."""

State: TypeAlias = Literal["pending", "named", "unknown"]
"""``pending``: not decided yet. ``named``: a person of the gallery. ``unknown``: nobody of the gallery."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture of a track, embedded.

    Attributes:
        track_id: Of the :class:`EmbeddingRequest` that it answers.
        time: Stream seconds of the picture, as in :class:`EmbeddingRequest`.
        embedding: Unit vector, float32, shape (dim,).
        quality: Of the picture, as in :class:`EmbeddingRequest`.
        live: How live the face looks, 0 to 1; None where that was not asked for.
        fingerprint: Of the embedder that made it.
        covered: What of the face seems to be covered; None where nothing does.
    """

    track_id: int
    time: float
    embedding: Embeddings
    quality: FaceQuality
    live: float | None = None
    fingerprint: str = ""
    covered: Covered | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingRequest:
    """A face of the frame just observed that is worth embedding now.

    Attributes:
        track_id: Whose picture it is.
        time: Stream seconds of the frame.
        face: In pixels of that frame.
        quality: Of the face.
        reason: What makes it worth it.
        score: Whether it is worth being scored for liveness too, where that is checked.
    """

    track_id: int
    time: float
    face: Face
    quality: FaceQuality
    reason: RequestReason
    score: bool = True


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is.

    Attributes:
        state: Whether that is decided.
        person_id: Of the gallery; None unless ``named``.
        name: The person's; None unless ``named``.
        unknown: Number of an Unknown, from 1, the same when the face comes back; None unless ``unknown``.
    """

    state: State = "pending"
    person_id: int | None = None
    name: str | None = None
    unknown: int | None = None

    @property
    def label(self) -> str:
        """What users read: the name, ``Unknown 3``, or nothing while pending."""
        if self.state == "named":
            return self.name or ""
        return f"Unknown {self.unknown}" if self.state == "unknown" else ""


@dataclass(frozen=True, slots=True)
class TrackIdentity(Identity):
    """Who a track is, so far, and what that stands on.

    Attributes:
        decision: The last decision on the track's evidence; None before the first.
        samples: Pictures that the decision stands on.
        singly: So many of them name the person one by one, where together they name nobody; else 0.
        changes: How often the answer was another one before, the first answer not counted.
        liveness: Whether the face looks alive by all pictures together; None where that is not checked.
        alike: Distance, 0 to 2, to the other tracks of the same person, where these say who it is; else None.
    """

    decision: Decision | None = None
    samples: int = 0
    singly: int = 0
    changes: int = 0
    liveness: Liveness | None = None
    alike: float | None = None

    @property
    def is_barred(self) -> bool:
        """Whether it gets no name since it does not look alive."""
        return self.decision is not None and self.decision.reason == "not live"

    @property
    def label(self) -> str:
        """What users read: as of :class:`Identity`, or that it is not live."""
        # Not super(): a slotted dataclass is another class than the one that its methods were compiled in.
        return "Not live" if self.is_barred else Identity.label.fget(self)  # type: ignore[attr-defined]

    @property
    def why(self) -> str:
        """The answer in a sentence."""
        if self.decision is None:
            return "No picture of this face was good enough to tell yet."
        of = f"{self.samples} picture{'s' if self.samples != 1 else ''}"
        decision = self.decision
        if self.is_barred:
            return "Its pictures together look like a photo or a screen, not like a living face."
        if decision.name is not None:
            second = decision.runner_up
            rest = f"; the next person is {second.distance:.2f} away" if second else ""
            lie = f"{self.singly} of {of}" if self.singly else f"{of} together"
            said = f"{lie} lie {decision.distance:.2f}{' or more' if self.singly else ''} from {decision.name}{rest}"
        else:
            near = f", nearest template {decision.distance:.2f} away" if decision.candidates else ""
            said = f"{of} together: {decision.reason}{near}"
        if self.alike is not None:
            return f"{said}; {self.alike:.2f} from the other pictures of {self.label} here."
        if self.state == "pending":
            return f"{said}; not enough to be sure yet."
        if decision.person_id != self.person_id:
            return f"{said}; {self.label} stays until more pictures say so."
        return f"{said}."


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """What one frame shows of a track.

    Attributes:
        track_id: From 1, never used twice by a tracker.
        box: Where the face is, in pixels of the frame.
        detected: Whether the detector found it in this frame; else the box is where it should be by its motion.
        identity: Who it is, so far.
        covered: What of the face is covered, by its last pictures; None where nothing seems to be.
    """

    track_id: int
    box: Box
    detected: bool
    identity: TrackIdentity
    covered: Covered | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a track in which its answer stayed the same.

    Attributes:
        identity: The answer.
        first_time: Stream seconds at which the answer was given; for a track's first answer, when it was first seen.
        last_time: Stream seconds when the face was last seen with this answer.
        frames: Frames in which the face was visible with this answer.
        best_distance: Smallest distance of the decisions for it, 0 to 2; None while pending.
    """

    identity: Identity
    first_time: float
    last_time: float
    frames: int
    best_distance: float | None


@dataclass(frozen=True, slots=True, eq=False)
class TrackSummary:
    """A whole track: what becomes a sighting.

    Attributes:
        track_id: As in :class:`TrackedFace`.
        identity: The last answer.
        first_time: Stream seconds when the face was first found.
        last_time: Stream seconds when it was last found.
        frames: Frames in which it was visible.
        embedding: The evidence combined, a unit vector of shape (dim,); None without evidence.
        picture: The best picture of the evidence, with some of what is around the face, longer side at most 192
            pixels; None without evidence.
        segments: The answers one after another, at least one; the last one is ``identity``'s.
        evidence: The pictures that the answer stands on, the best first: what to enrol when a user names the track.
        trajectory: Where the face was; None where that is not kept (:attr:`TrackingOptions.trajectories`).
        pictures: What each of the evidence shows, as ``picture``.
    """

    track_id: int
    identity: TrackIdentity
    first_time: float
    last_time: float
    frames: int
    embedding: Embeddings | None = field(repr=False)
    picture: Image | None = field(repr=False)
    segments: tuple[Segment, ...]
    evidence: tuple[Sample, ...] = field(default=(), repr=False)
    trajectory: Trajectory | None = field(default=None, repr=False)
    pictures: tuple[Image | None, ...] = field(default=(), repr=False)

    @property
    def best_distance(self) -> float | None:
        """Smallest distance of the decisions that gave the last answer, 0 to 2; None while pending."""
        return self.segments[-1].best_distance

    @property
    def best_quality(self) -> float | None:
        """Score of the best picture of the evidence, 0 to 1; None without evidence."""
        return self.evidence[0].quality.score if self.evidence else None

    @property
    def fingerprint(self) -> str:
        """Of the embedder that made the evidence; empty without any."""
        return self.evidence[0].fingerprint if self.evidence else ""
