"""One face over time: what is known of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from knownface.quality import FaceQuality
from knownface.tracking.appearance import ODD, Appearance, blended, likeness
from knownface.tracking.evidence import combined, kept
from knownface.tracking.identity import Standing
from knownface.tracking.motion import Motion
from knownface.tracking.values import Sample, Segment, TrackedFace, TrackIdentity, TrackSummary
from knownface.types import Box, Decision, Embeddings, Face, Image

_PICTURE_SIDE = 192
_MARGIN = 0.35
"""What is kept around a face in a summary's picture, in units of the box's longer side."""


@dataclass(slots=True, eq=False)
class Track:
    """A face followed. Only the follower writes to it.

    Attributes:
        track_id: Its number.
        motion: Filter of its box.
        first_time, last_time: Stream seconds when it was first and last found.
        box: In the frame observed last.
        face: What the detector found in the frame observed last, or None.
        looks: What its pictures looked like lately.
        shown: Whether it is in the frame observed last, found or expected.
        lost: Whether it has been out of sight so long that only a picture can find it again.
        missed: Whether the detector did not find it when it looked last.
        mistakable: Numbers of the tracks that hid it, or that it hid, as long as no picture has told which of them is
            seen.
        verified: Whether a picture has shown the same face since the last occasion to be mistaken.
        hits: How often it was found.
        frames: In how many frames it was shown.
        coasted: In how many of these since it was found last.
        near: Whether another face is so near that they may be taken for each other.
        crowded: Whether another face is so near that pictures may show both.
        check: Whether there was such an occasion since its last picture.
        began_at: Where it was when it was first found.
        suspect: Whether it looked so different when it was last found that a picture should tell at once.
        samples: The evidence.
        doubts: The last pictures, if they contradict the evidence.
        opinions: Decisions on single pictures of the evidence, by their times.
        embedding: The evidence combined; None without any.
        standing: The answer.
        decision: The last decision on the evidence.
        far: Whether that lies clearly beyond the threshold.
        singly: Pictures that gave it one by one; 0 where all together did.
        name: Of the person that the answer names.
        unknown: Number, if the answer is Unknown.
        changes: See :class:`knownface.tracking.values.TrackIdentity`.
        asked: Stream seconds when a picture was last wanted.
        measured: Stream seconds when its quality was last measured.
        waiting: EmbeddingRequest pictures whose embeddings have not come.
        best_score: Quality of the best picture that was wanted.
        portraits: What the pictures of the evidence, and those whose embeddings have not come, show; by their times.
    """

    track_id: int
    motion: Motion
    first_time: float
    last_time: float
    began_at: Box
    box: Box
    face: Face | None
    looks: Appearance
    shown: bool = True
    lost: bool = False
    missed: bool = False
    mistakable: set[int] = field(default_factory=set)
    verified: bool = True
    hits: int = 1
    frames: int = 0
    coasted: int = 0
    near: bool = False
    crowded: bool = False
    check: bool = False
    suspect: bool = False
    samples: tuple[Sample, ...] = ()
    doubts: tuple[Sample, ...] = ()
    opinions: dict[float, Decision] = field(default_factory=dict)
    embedding: Embeddings | None = None
    standing: Standing = field(default_factory=Standing)
    decision: Decision | None = None
    far: bool = False
    singly: int = 0
    name: str | None = None
    unknown: int | None = None
    changes: int = 0
    asked: float = -math.inf
    measured: float = -math.inf
    waiting: int = 0
    best_score: float | None = None
    portraits: dict[float, Image | None] = field(default_factory=dict)
    past: list[Segment] = field(default_factory=list)
    since: float = 0.0
    stretch_frames: int = 0
    stretch_last: float = 0.0
    best_distance: float | None = None

    @classmethod
    def begin(cls, track_id: int, face: Face, looks: Appearance, time: float) -> Track:
        """A track of a face found for the first time."""
        track = cls(track_id, Motion(face.box, time), time, time, face.box, face.box, face, looks)
        track.since = track.stretch_last = time
        return track

    def found(self, face: Face, looks: Appearance, time: float) -> None:
        """The detector found it."""
        # Something that looks very different may be somebody else who took the place.
        self.suspect = likeness(self.looks, looks) < ODD
        if self.suspect:
            self.check = True
            self.verified &= not self.missed
        self.missed, self.coasted = False, 0
        if not self.crowded:
            self.looks = blended(self.looks, looks)
        self.motion.update(face.box, time)
        self.box, self.face, self.last_time = face.box, face, time
        self.hits += 1

    def hide(self) -> None:
        """It is out of sight."""
        self.lost, self.shown, self.face = True, False, None

    @classmethod
    def parted(cls, track_id: int, track: Track) -> Track:
        """A track of somebody who took the place of another one, from the first picture that showed it."""
        began = track.doubts[0].time
        other = cls(track_id, track.motion, began, track.last_time, track.box, track.box, track.face, track.looks)
        other.since = began
        other.stretch_last, other.asked, other.waiting = track.last_time, track.asked, track.waiting
        return other

    def resume(self, track: Track, most_samples: int) -> None:
        """Go on where a new track shows the face, with the evidence of both."""
        self.portraits |= track.portraits
        self.learn(kept((*self.samples, *track.samples), most_samples))
        self.motion, self.box, self.face, self.looks = track.motion, track.box, track.face, track.looks
        self.shown, self.lost, self.verified = track.shown, track.lost, True
        self.last_time = self.stretch_last = track.last_time
        self.hits += track.hits
        # Where its box went on, the face was not: it is in the frames of the new track.
        self.frames += track.frames - self.coasted
        self.stretch_frames = max(0, self.stretch_frames - self.coasted) + track.frames
        self.coasted = track.coasted
        self.asked, self.waiting = track.asked, self.waiting + track.waiting
        if track.best_score is not None:
            self.best_score = max(track.best_score, self.best_score or 0.0)

    def show(self) -> None:
        """Count a frame in which it is visible."""
        self.frames += 1
        self.coasted += self.face is None
        self.stretch_frames += 1
        self.stretch_last = max(self.stretch_last, self.last_time)

    def learn(self, samples: tuple[Sample, ...]) -> None:
        """Replace the evidence."""
        self.samples = samples
        times = {sample.time for sample in samples} | {sample.time for sample in self.doubts}
        self.opinions = {time: opinion for time, opinion in self.opinions.items() if time in times}
        newest = max(times, default=-math.inf)
        self.portraits = {time: portrait for time, portrait in self.portraits.items() if time in times or time > newest}
        self.embedding = combined(samples) if samples else None

    def photograph(self, image: Image, face: Face, quality: FaceQuality, time: float) -> None:
        """Keep a picture that is about to be embedded."""
        self.best_score = max(quality.score, self.best_score or 0.0)
        self.portraits[time] = _portrait(image, face.box)

    def answer(self, standing: Standing, name: str | None, unknown: int | None) -> None:
        """Give another answer, or the same one with another name."""
        before = self._key
        first = not self.past and self.standing.state == "pending"
        self.standing, self.name, self.unknown = standing, name, unknown
        if self._key == before:
            return
        # What it was before the first answer belongs to that answer.
        if not first and self.stretch_frames:
            self.past.append(self._stretch(before))
        if not first:
            self.since, self.stretch_frames = self.stretch_last, 0
            self.changes += before[0] != "pending"
        self.best_distance = None

    def note(self, distance: float) -> None:
        """Take the distance of a decision that gives the present answer into account."""
        self.best_distance = distance if self.best_distance is None else min(distance, self.best_distance)

    @property
    def veiled(self) -> bool:
        """Whether it has no label until a picture tells who it is."""
        return bool(self.mistakable)

    @property
    def _key(self) -> tuple[str, int | None, str | None, int | None]:
        return self.standing.state, self.standing.person_id, self.name, self.unknown

    def _stretch(self, key: tuple[str, int | None, str | None, int | None]) -> Segment:
        state, person_id, name, unknown = key
        return Segment(
            state,  # type: ignore[arg-type]
            person_id,
            name,
            unknown,
            self.since,
            self.stretch_last,
            self.stretch_frames,
            self.best_distance,
        )

    @property
    def identity(self) -> TrackIdentity:
        """The answer, as shown."""
        return TrackIdentity(
            state=self.standing.state,
            person_id=self.standing.person_id,
            name=self.name,
            unknown=self.unknown,
            decision=self.decision,
            samples=len(self.samples),
            singly=self.singly,
            changes=self.changes,
        )

    @property
    def as_seen(self) -> TrackedFace:
        """What the frame observed last shows of it."""
        identity = self.identity
        if self.veiled:
            identity = replace(identity, state="pending", person_id=None, name=None, unknown=None)
        return TrackedFace(self.track_id, self.box, self.face is not None, identity)

    @property
    def summary(self) -> TrackSummary:
        """The whole track so far."""
        evidence = tuple(sorted(self.samples, key=lambda sample: -sample.quality.score))
        return TrackSummary(
            track_id=self.track_id,
            identity=self.identity,
            first_time=self.first_time,
            last_time=self.last_time,
            frames=self.frames,
            embedding=self.embedding,
            picture=self.portraits.get(evidence[0].time) if evidence else None,
            segments=(*self.past, self._stretch(self._key)),
            evidence=evidence,
        )


def _portrait(image: Image, box: Box) -> Image | None:
    margin = _MARGIN * max(box.width, box.height)
    height, width = image.shape[:2]
    left, right = max(0, round(box.x - margin)), min(width, round(box.right + margin))
    top, bottom = max(0, round(box.y - margin)), min(height, round(box.bottom + margin))
    if left >= right or top >= bottom:
        return None
    part = image[top:bottom, left:right]
    scale = _PICTURE_SIDE / max(part.shape[:2])
    if scale >= 1:
        return part.copy()
    size = max(1, round(scale * part.shape[1])), max(1, round(scale * part.shape[0]))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
