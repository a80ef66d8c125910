"""What comes out of a stream that is watched."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias

from knownface.liveness.challenge import Challenge
from knownface.media.doubts import DoubtKind
from knownface.tracking import TrackedFace, TrackSummary
from knownface.types import Box, Frame, finite

EventKind: TypeAlias = Literal["named", "unknown", "unsure", "left", "lost", "connected", "ended", "alert", "challenge"]
"""``named``: a face got a name, or another one. ``unknown``: a face is nobody of the gallery. ``unsure``: a name was
taken back. ``left``: a face that had an answer is gone. ``lost``, ``connected``, ``ended``: what became of the source.
``alert``: a rule for a group has struck. ``challenge``: a face was asked for a turn of the head, passed or failed."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """Something that happened.

    Attributes:
        kind: What.
        source: Where, without passwords.
        at: Wall-clock time, timezone-aware UTC; None in a file of which nobody said when it was recorded.
        time: Stream seconds; None where there is no frame yet.
        track_id: Of the face; None for what the source does.
        label: Whom it is about: a name or ``Unknown 3``; empty for what the source does.
        person_id: Of the person named, or None.
        unknown: Number of the Unknown, or None.
        since: Stream seconds when the face was first seen.
        distance: To the person's nearest templates, 0 to 2; of an Unknown to anybody's; None where not known.
        frames: How many frames showed the face, where it has left.
        box: Where the face is, in pixels of the frame.
        why: A sentence.
        liveness: How live the face looks by all its pictures, 0 to 1; None where that is not checked.
    """

    kind: EventKind
    source: str
    at: datetime | None = None
    time: float | None = None
    track_id: int | None = None
    label: str = ""
    person_id: int | None = None
    unknown: int | None = None
    since: float | None = None
    distance: float | None = None
    frames: int | None = None
    box: Box | None = None
    why: str = ""
    liveness: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """As written to files and sent to programs: what is not known is left out."""
        values = {
            "event": self.kind,
            "source": self.source,
            "at": None if self.at is None else self.at.isoformat(timespec="milliseconds"),
            "time": None if self.time is None else round(self.time, 3),
            "track": self.track_id,
            "name": self.label or None,
            "person_id": self.person_id,
            "unknown": self.unknown,
            "since": None if self.since is None else round(self.since, 3),
            "distance": None if self.distance is None or self.distance > 2 else round(self.distance, 4),
            "frames": self.frames,
            "box": None if self.box is None else self.box.as_list(),
            "why": self.why or None,
            "liveness": finite(self.liveness),
        }
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """What is known after a frame, or when a stream ends.

    Attributes:
        frame: The frame; None where a result only holds events.
        faces: The faces of this frame, with the names known so far.
        events: What happened since the last result.
        ended: Tracks that ended since the last result.
        present: All tracks of the moment, every half second of the stream; else None.
        detected: Whether the detector ran on this frame.
        began: Wall-clock time of the stream's second 0, timezone-aware UTC; None where nobody knows.
        challenges: By track, how far the faces of this frame are with what they were asked; none where nothing is.
    """

    frame: Frame | None
    faces: tuple[TrackedFace, ...] = ()
    events: tuple[LiveEvent, ...] = ()
    ended: tuple[TrackSummary, ...] = ()
    present: tuple[TrackSummary, ...] | None = None
    detected: bool = False
    began: datetime | None = None
    challenges: Mapping[int, Challenge] = field(default_factory=dict)


class Sink(AbstractContextManager[Any], Protocol):
    """Somewhere results go. It is entered before the first result and left after the last one, on one thread.

    A sink that derives from this class and has nothing to open or to finish need only define :meth:`take`.
    One that has an attribute ``wants_frames = False`` does without the frames of results; if all do, a file that is
    told in hindsight is not read a second time for them.
    """

    def take(self, result: FrameResult) -> None:
        """Takes the next result; those of a live source may come without their pictures when a sink is too slow.

        Raises:
            KnownFaceError: It cannot go on; watching ends then.
        """
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Finishes what was begun."""
        return


WatchState: TypeAlias = Literal["connecting", "running", "reconnecting", "writing", "ended", "failed"]
"""``writing``: a file has been read, and is told in hindsight."""


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """How watching goes.

    Attributes:
        state: What the source does.
        source: Its name, without passwords.
        frames: Frames processed so far.
        fps_in: Frames a second that the source gave, over the last seconds.
        fps_out: Frames a second that were processed.
        latency_p50: Seconds from a frame's arrival to its boxes, median over the last seconds; None before the first.
        latency_p95: The same, 95th percentile.
        faces: Faces in the last frame.
        names: Who they are, as far as known.
        queue: Pictures and faces that wait: for being processed, for their names, for the sinks.
        dropped: Frames of a live source that were skipped because newer ones had come.
        reconnects: How often the source was lost and came back.
        last_error: What went wrong last, or empty.
        error_code: The same as the code of an error, or empty.
        doubt: What the pictures have been for long: exactly equal (``still``), of one colour (``blank``), or None.
        started: When watching began, timezone-aware UTC; None before that.
    """

    state: WatchState
    source: str
    frames: int = 0
    fps_in: float = 0.0
    fps_out: float = 0.0
    latency_p50: float | None = None
    latency_p95: float | None = None
    faces: int = 0
    names: tuple[str, ...] = ()
    queue: int = 0
    dropped: int = 0
    reconnects: int = 0
    last_error: str = ""
    error_code: str = ""
    doubt: DoubtKind | None = None
    started: datetime | None = None
