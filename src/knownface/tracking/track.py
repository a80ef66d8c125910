"""One face over time: where it is, what its pictures say, and who it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from knownface.tracking.answer import Answer
from knownface.tracking.appearance import Appearance
from knownface.tracking.evidence import Evidence
from knownface.tracking.motion import Motion
from knownface.tracking.portrait import portrait
from knownface.tracking.requests import Requests
from knownface.tracking.trajectory import Trajectory
from knownface.tracking.values import EmbeddingRequest, TrackedFace, TrackIdentity, TrackSummary
from knownface.types import Face, Image


@dataclass(slots=True, eq=False)
class Track:
    """A tracked face. Only the tracker writes to it.

    Attributes:
        track_id: Its number.
        motion: Where it is.
        answer: Who it is.
        evidence: Its pictures.
        requests: What was asked of the embedder.
        ambiguous_with: Numbers of the tracks that occluded it, or that it occluded, as long as no picture has
            shown which of them is seen.
    """

    track_id: int
    motion: Motion
    answer: Answer
    evidence: Evidence = field(default_factory=Evidence)
    requests: Requests = field(default_factory=Requests)
    ambiguous_with: set[int] = field(default_factory=set)

    @classmethod
    def begin(
        cls, track_id: int, face: Face, appearance: Appearance, time: float, trajectory: Trajectory | None = None
    ) -> Track:
        """The track of a face detected for the first time; see :meth:`Motion.begin`."""
        return cls(track_id, Motion.begin(face, appearance, time, trajectory), Answer(since=time, last_time=time))

    def detect(self, face: Face, appearance: Appearance, time: float) -> None:
        """Takes a detection in the present frame."""
        self.requests.urgent = self.motion.detect(face, appearance, time)
        if self.requests.urgent:  # it may be somebody else who took the place
            self.requests.check, self.evidence.verified = True, False

    def count_frame(self) -> None:
        """Counts a frame in which it is visible."""
        self.motion.count_frame()
        self.answer.count_frame(self.motion.last_time)

    def request(self, image: Image, request: EmbeddingRequest) -> None:
        """Notes that the embedding of its picture in this frame is requested, and keeps the picture."""
        self.requests.sent(request.time, request.quality.score, scored=request.score)
        self.evidence.portraits[request.time] = portrait(image, request.face.box)

    def split(self, track_id: int, detections: int) -> Track:
        """The track of somebody else who has taken this one's place, as its doubts show; this one is out of sight.

        Args:
            track_id: Of the new track.
            detections: That it begins with.
        """
        began = self.evidence.doubts[0].time
        other = Track(
            track_id,
            self.motion.split(began, detections),
            Answer(since=began, last_time=self.motion.last_time),
            self.evidence.split(),
            self.requests.split(),
        )
        last = max((sample.time for sample in self.evidence.samples), default=self.motion.first_time)
        self.motion.last_time = min(self.motion.last_time, last)
        self.motion.hide()
        return other

    def resume(self, newer: Track, most_samples: int) -> None:
        """Goes on where a newer track found the same face again, with the evidence of both."""
        self.evidence.merge(newer.evidence, most_samples)
        self.requests.merge(newer.requests)
        self.answer.resume(newer.motion.frames, self.motion.coasted, newer.motion.last_time)
        self.motion.resume(newer.motion)

    @property
    def is_ambiguous(self) -> bool:
        """Whether it has no label until a picture shows who it is."""
        return bool(self.ambiguous_with)

    @property
    def identity(self) -> TrackIdentity:
        """The answer, with what it stands on."""
        answer, given = self.answer, self.answer.identity
        return TrackIdentity(
            given.state,
            given.person_id,
            given.name,
            given.unknown,
            decision=answer.decision,
            samples=len(self.evidence.samples),
            singly=answer.singly,
            changes=answer.changes,
            liveness=answer.liveness,
        )

    @property
    def as_seen(self) -> TrackedFace:
        """What the frame observed last shows of it."""
        identity = self.identity
        if self.is_ambiguous:
            identity = replace(identity, state="pending", person_id=None, name=None, unknown=None)
        detected = self.motion.face is not None
        return TrackedFace(self.track_id, self.motion.box, detected, identity, self.evidence.covered)

    @property
    def summary(self) -> TrackSummary:
        """The whole track so far."""
        evidence = self.evidence.ranked()
        pictures = tuple(self.evidence.portraits.get(sample.time) for sample in evidence)
        return TrackSummary(
            track_id=self.track_id,
            identity=self.identity,
            first_time=self.motion.first_time,
            last_time=self.motion.last_time,
            frames=self.motion.frames,
            embedding=self.evidence.embedding,
            picture=pictures[0] if pictures else None,
            segments=self.answer.segments(),
            evidence=evidence,
            trajectory=self.motion.trajectory,
            pictures=pictures,
        )
