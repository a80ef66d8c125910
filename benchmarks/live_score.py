"""What was shown in each frame against the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from live_variants import Variant
from live_video import FPS, TrueFace

from knownface.tracking.assignment import assign
from knownface.types import Box, box_iou

GRACE = 0.5
"""Of live video."""
SIZES = (0, 25, 35, 45, 60, 90, 130, 400)
_SAME = 0.3
"""Least overlap (intersection over union) of a shown box and the true one."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A box with its label: a name, ``Unknown`` with or without a number, or nothing while undecided."""

    box: Box
    label: str
    track: int = 0


@dataclass(slots=True)
class Score:
    """Counts over the frames of one or more videos.

    Attributes:
        known: Face-frames of people enrolled: right, wrong, unknown, undecided, missed.
        strangers: The same of the others; a name is wrong, Unknown is right.
        by_size: Right ones of people enrolled and all of them, for each span of :data:`SIZES`, and found ones.
        changes: How often a label was replaced by another one.
        seconds: Seconds that faces were seen.
        tracks: Tracks by visit.
        to_name: Seconds from entering to the right name, for each visit of a person enrolled that had one.
        step: Seconds between the frames scored.
        grace: Seconds after entering in which an answer is not asked for yet.
    """

    step: float = 1 / FPS
    grace: float = GRACE
    known: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)
    by_size: Counter[tuple[int, str]] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    false_boxes: int = 0
    tracks: dict[int, set[int]] = field(default_factory=dict)
    visits: dict[int, bool] = field(default_factory=dict)
    wrong_visits: set[int] = field(default_factory=set)
    to_name: dict[int, float] = field(default_factory=dict)
    last_track: dict[int, int] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    offset: int = 0

    def video_ends(self) -> None:
        """Visits of the next video are others."""
        self.offset += 1_000_000

    def frame(self, truth: Sequence[TrueFace], shown: Sequence[Shown]) -> None:
        """Count what was shown in a frame."""
        matched = self._match(truth, shown)
        self.false_boxes += len(shown) - len(matched)
        for index, face in enumerate(truth):
            answer = shown[matched[index]] if index in matched else None
            self._follow(face, answer)
            if face.counted and face.age >= self.grace:
                outcome = _outcome(face, answer)
                (self.known if face.known else self.strangers)[outcome] += 1
                if not face.known and outcome == "wrong":
                    self.wrong_visits.add(face.visit + self.offset)
                if face.known:
                    span = int(np.searchsorted(SIZES, face.box.area**0.5, side="right")) - 1
                    self.by_size[span, "all"] += 1
                    self.by_size[span, "right"] += outcome == "right"
                    self.by_size[span, "found"] += outcome != "missed"

    def _match(self, truth: Sequence[TrueFace], shown: Sequence[Shown]) -> dict[int, int]:
        """As :func:`match`, but what was matched before and still overlaps stays so.

        After Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics",
        2008: faces that meet would else seem to change places.
        """
        by_track = {answer.track: j for j, answer in enumerate(shown) if answer.track}
        kept = {}
        for i, face in enumerate(truth):
            j = by_track.get(self.last_track.get(face.visit + self.offset, 0))
            if j is not None and box_iou(face.box, shown[j].box) >= _SAME:
                kept[i] = j
        rows = [i for i in range(len(truth)) if i not in kept]
        columns = [j for j in range(len(shown)) if j not in kept.values()]
        more = match([truth[i] for i in rows], [shown[j] for j in columns])
        matched = kept | {rows[i]: columns[j] for i, j in more.items()}
        self.last_track |= {truth[i].visit + self.offset: shown[j].track for i, j in matched.items()}
        return matched

    def _follow(self, face: TrueFace, answer: Shown | None) -> None:
        visit = face.visit + self.offset
        if not face.counted:
            return
        self.seconds += self.step
        self.visits[visit] = face.known
        if answer is None:
            return
        self.tracks.setdefault(visit, set()).add(answer.track)
        if answer.label:
            before = self.labels.get(visit)
            if before is not None and before != answer.label:
                self.changes["known" if face.known else "stranger"] += 1
            self.labels[visit] = answer.label
        if face.known and answer.label == face.person:
            self.to_name.setdefault(visit, face.age)


def match(truth: Sequence[TrueFace], shown: Sequence[Shown]) -> dict[int, int]:
    """Index of a true face to that of the shown box that overlaps it most, each at most once."""
    if not truth or not shown:
        return {}
    overlaps = np.array([[box_iou(face.box, answer.box) for answer in shown] for face in truth])
    return {i: j for i, j in assign(-overlaps) if overlaps[i, j] >= _SAME}


def _outcome(face: TrueFace, answer: Shown | None) -> str:
    if answer is None:
        return "missed"
    if not answer.label:
        return "undecided"
    if answer.label.startswith("Unknown"):
        return "unknown"
    return "right" if answer.label == face.person else "wrong"


@dataclass(slots=True)
class Result:
    """Of one variant.

    Attributes:
        tracks: Names by tracks, in every frame.
        compared: The same in those frames only that are named frame by frame too: in frames between two looks of
            the detector nothing can be named frame by frame.
        frames: Names frame by frame.
        hindsight: Names by tracks when the video has ended, from the first frame on.
    """

    variant: Variant
    tracks: Score = field(default_factory=Score)
    compared: Score = field(default_factory=Score)
    frames: Score = field(default_factory=Score)
    hindsight: Score = field(default_factory=lambda: Score(grace=0.0))
    count: int = 0
    embedded: int = 0
    times: list[float] = field(default_factory=list)
    follow_times: list[float] = field(default_factory=list)
    cpu: float = 0.0
