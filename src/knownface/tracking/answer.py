"""The answers that a track gives one after another."""

from __future__ import annotations

from dataclasses import dataclass, field

from knownface.tracking.identity import Estimate
from knownface.tracking.values import Identity, Segment
from knownface.types import Decision, Liveness


@dataclass(slots=True, eq=False)
class Answer:
    """Who a track is, so far, and was before.

    Attributes:
        since: Stream seconds from which on the present answer holds.
        last_time: Stream seconds when the face was last seen with it.
        frames: Frames in which the face was visible with it.
        best_distance: Smallest distance of the decisions for it; None while pending.
        identity: The present answer.
        estimate: What it follows from.
        decision: The last decision on the evidence; None before the first.
        far: Whether that lies clearly beyond the threshold.
        singly: Pictures that gave it one by one; 0 where all together did.
        changes: How often the answer was another one before, the first answer not counted.
        liveness: Whether the face looks alive by all pictures together; None where that is not checked.
        past: The segments with earlier answers.
    """

    since: float
    last_time: float
    frames: int = 0
    best_distance: float | None = None
    identity: Identity = field(default_factory=Identity)
    estimate: Estimate = field(default_factory=Estimate)
    decision: Decision | None = None
    far: bool = False
    singly: int = 0
    changes: int = 0
    liveness: Liveness | None = None
    past: list[Segment] = field(default_factory=list)

    def give(self, estimate: Estimate, name: str | None, unknown: int | None) -> None:
        """Gives another answer, or the same one with another name.

        Args:
            estimate: State and person.
            name: The person's, where it is named.
            unknown: The number, where it is Unknown.
        """
        before, self.estimate = self.identity, estimate
        self.identity = Identity(estimate.state, estimate.person_id, name, unknown)
        if self.identity == before:
            return
        # What it was before the first answer belongs to that answer.
        if self.past or before.state != "pending":
            if self.frames:
                self.past.append(self._segment(before))
            self.since, self.frames = self.last_time, 0
            self.changes += before.state != "pending"
        self.best_distance = None

    def note(self, distance: float) -> None:
        """Takes the distance of a decision that gives the present answer into account."""
        self.best_distance = distance if self.best_distance is None else min(distance, self.best_distance)

    def count_frame(self, last_time: float) -> None:
        """Counts a frame in which the face is visible; it was detected last at ``last_time``."""
        self.frames += 1
        self.last_time = max(self.last_time, last_time)

    def resume(self, frames: int, coasted: int, last_time: float) -> None:
        """Goes on where a newer track found the same face again.

        Args:
            frames: Of the newer track.
            coasted: Frames counted here in which the face was in truth the newer track's.
            last_time: Stream seconds when the newer track was detected last.
        """
        self.frames = max(0, self.frames - coasted) + frames
        self.last_time = last_time

    def segments(self) -> tuple[Segment, ...]:
        """The answers one after another, the present one last."""
        return (*self.past, self._segment(self.identity))

    def _segment(self, identity: Identity) -> Segment:
        return Segment(identity, self.since, self.last_time, self.frames, self.best_distance)
