"""What can be set about watching. The defaults were measured; see ``docs/live.md``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from knownface.media import Source
from knownface.tracking import IN_HINDSIGHT, TrackingOptions


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How the frames of a stream are processed.

    Attributes:
        detect_side: The detector is given the frame reduced to this longest side, in pixels. None takes half of the
            frame's own, at least 480 and at most 640; ``docs/live.md`` says how small a face may be then.
        detect_every: The detector runs on every n-th frame; in between faces are shown where their motion puts them.
            None runs it on as many frames as leave the rest of the work its time, on 20 a second at most and on four in
            any case.
        wait_for_names: Whether a frame waits until its faces are embedded. With it the result depends on nothing but
            the frames; without it no frame waits for recognition, and names come some frames later.
        names_two_looks_later: Where frames wait: whether it is the second one thereafter in which the detector runs, so
            that faces are embedded beside what comes between. The result still depends on nothing but the frames.
        tracking: How faces are tracked, when they are embedded and how sure a name must be.
    """

    detect_side: int | None = None
    detect_every: int | None = None
    wait_for_names: bool = False
    names_two_looks_later: bool = False
    tracking: TrackingOptions = field(default_factory=TrackingOptions)

    def __post_init__(self) -> None:
        if self.detect_side is not None and not 64 <= self.detect_side <= 8192:
            raise ValueError(f"detect_side must lie between 64 and 8192 pixels, got {self.detect_side}")
        if self.detect_every is not None and not 1 <= self.detect_every <= 100:
            raise ValueError(f"detect_every must lie between 1 and 100, got {self.detect_every}")


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a source is watched.

    Attributes:
        every: Seconds of the stream between two frames that are processed; None takes all.
        max_fps: Frames a second of real time that are processed, at most; None is no limit. Of a live source the
            others are dropped, a file is read no faster.
        fps: Frames a second of a folder of frames.
        pixel_aspect: Width of a pixel over its height where the source does not say it, as some recorders; 1/4 to 4.
        turn: Degrees, clockwise, by which pictures are turned: 0, 90, 180 or 270. None turns a file or stream that lies
            on its side or stands on its head, as its first faces tell; a live one only if no sink wants its frames.
        began: When a file was recorded, timezone-aware: gives its frames their wall-clock time.
        hindsight: Whether a file is told only when it has been read to its end, with every face named from its first
            frame on; else as it happens, like a live source.
        keep_trying: Whether a live source that is not there at the start is waited for, as one is that was lost.
        resolve: Called with the source just before it is opened, each time; returns what is opened, or raises a
            :class:`~knownface.errors.KnownFaceError`.
        discreet: Whether status and events say only that the source cannot be read, and not why, and of a stream that
            never could be only after as long as the slowest reason takes; the log says why.
        detect_side: See :class:`SessionOptions`.
        tracking: See :class:`SessionOptions`; None takes the defaults, or :data:`knownface.tracking.IN_HINDSIGHT`.
        detect_every: See :class:`SessionOptions`; None detects in ten frames for each second of a file.
    """

    every: float | None = None
    max_fps: float | None = None
    fps: float = 25.0
    pixel_aspect: float = 1.0
    turn: int | None = None
    began: datetime | None = None
    hindsight: bool = False
    keep_trying: bool = False
    resolve: Callable[[Source], Source] = field(default=lambda source: source)
    discreet: bool = False
    detect_side: int | None = None
    detect_every: int | None = None
    tracking: TrackingOptions | None = None

    def __post_init__(self) -> None:
        for name in ("every", "max_fps", "fps"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a positive number, got {value}")
        if not 1 / 4 <= self.pixel_aspect <= 4:
            raise ValueError(f"pixel_aspect must lie between 1/4 and 4, got {self.pixel_aspect}")
        if self.turn not in {None, 0, 90, 180, 270}:
            raise ValueError(f"turn must be 0, 90, 180 or 270 degrees, got {self.turn}")
        if self.began is not None and self.began.tzinfo is None:
            raise ValueError("began must carry a time zone")

    def session(self, *, live: bool, likely_score: float | None = None) -> SessionOptions:
        """How its frames are processed.

        Args:
            live: Whether it is told as it happens.
            likely_score: The detector's, from which a face is most likely one.
        """
        hindsight = self.hindsight and not live
        by_default = replace(IN_HINDSIGHT, doubtful=likely_score) if hindsight else TrackingOptions()
        return SessionOptions(
            self.detect_side,
            self.detect_every,
            wait_for_names=not live,
            names_two_looks_later=hindsight,
            tracking=replace(self.tracking or by_default, trajectories=hindsight),
        )
