"""Who the tracks of a whole stream are, decided when all of them are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from knownface.decision.averaging import part_left
from knownface.tracking.evidence import distance, mean_length
from knownface.tracking.values import Segment, TrackIdentity, TrackSummary
from knownface.types import Embeddings

SHOWN_GAP = 1.0
"""Seconds between two detections of one face in which it is shown: in hindsight it is known to come back."""
_ENOUGH = 1.0
"""Sum of the quality scores of a face's pictures below which it is joined with no other: poor pictures are like each
other, whomever they show."""
_LIKE_PERSON = 0.98
"""Share of the threshold within which a face that nobody is named for is that of somebody named in the same stream."""
_LIKE_UNKNOWN = 0.92
"""The same of two faces that nobody is named for: nothing else says that it is the same person."""


@dataclass(slots=True, eq=False)
class _Somebody:
    """The tracks of one person."""

    identity: TrackIdentity
    tracks: list[TrackSummary] = field(default_factory=list)
    total: Embeddings | None = None
    pictures: int = 0

    def add(self, track: TrackSummary, *, joined: bool = False) -> None:
        """Takes a track; one that was only ``joined`` does not change what they look like."""
        self.tracks.append(track)
        if track.embedding is not None and not joined:
            pictures = len(track.evidence)
            sum_of_all = track.embedding * np.float32(pictures * mean_length(track.evidence, track.embedding))
            self.total = sum_of_all if self.total is None else self.total + sum_of_all
            self.pictures += pictures

    def distance(self, track: TrackSummary, averaging: float) -> float:
        """Of a track to the mean of these, 0 to 2; infinite if one of them was in the picture at the same time."""
        length = 0.0 if self.total is None else float(np.linalg.norm(self.total))
        if not length or self.total is None or track.embedding is None or any(_overlap(track, t) for t in self.tracks):
            return math.inf
        lengths = [length / self.pictures, mean_length(track.evidence, track.embedding)]
        return distance(self.total / np.float32(length), track.embedding) / float(part_left(lengths, averaging).prod())


def in_hindsight(
    tracks: Iterable[TrackSummary],
    threshold: float,
    new_number: Callable[[], int] | None = None,
    averaging: float = 0.0,
) -> list[TrackSummary]:
    """The tracks of a stream that has ended, each with one answer from its first frame to its last.

    That is the last one it had. A face that nobody is named for is the person, else the Unknown, whom it is most like
    among those of the whole stream who were not in the picture at the same time; the faces with the most pictures come
    first.

    Args:
        tracks: All that ended.
        threshold: Within which the gallery names.
        new_number: Gives the numbers of Unknowns, in the order of their first appearance; None counts from 1.
        averaging: How much nearer means of pictures are than these (:mod:`knownface.decision.averaging`).

    Returns:
        The same tracks by the time at which they begin.
    """
    tracks = sorted((_whole(track) for track in tracks), key=lambda track: (track.first_time, track.track_id))
    people: dict[int, _Somebody] = {}
    for track in tracks:
        if track.identity.person_id is not None:
            people.setdefault(track.identity.person_id, _Somebody(track.identity)).add(track)
    rest = [t for t in tracks if t.identity.person_id is None and not t.identity.is_barred]
    unknown: list[_Somebody] = []
    joined: dict[int, tuple[_Somebody, float | None]] = {}
    for track in sorted(rest, key=lambda track: -len(track.evidence)):
        found, apart = _alike(track, people.values(), unknown, threshold, averaging)
        if found is None and track.identity.state == "unknown":
            found, apart = _Somebody(track.identity), None
            unknown.append(found)
        if found is not None:
            found.add(track, joined=apart is not None)
            joined[track.track_id] = found, apart
    numbers = new_number or itertools.count(1).__next__
    for somebody in sorted(unknown, key=_first_seen):
        somebody.identity = replace(somebody.identity, unknown=numbers())
    return [_answered(track, *joined.get(track.track_id, (None, None))) for track in tracks]


def _alike(
    track: TrackSummary,
    people: Iterable[_Somebody],
    unknown: Iterable[_Somebody],
    threshold: float,
    averaging: float,
) -> tuple[_Somebody | None, float | None]:
    """Whom a track shows, by the other tracks, and how far it is from them."""
    if sum(sample.quality.score for sample in track.evidence) < _ENOUGH:
        return None, None
    for among, within in ((people, _LIKE_PERSON * threshold), (unknown, _LIKE_UNKNOWN * threshold)):
        distances = [(somebody.distance(track, averaging), somebody) for somebody in among]
        apart, nearest = min(distances, key=lambda one: one[0], default=(math.inf, None))
        if apart <= within:
            return nearest, apart
    return None, None


def _first_seen(somebody: _Somebody) -> tuple[float, int]:
    return min((track.first_time, track.track_id) for track in somebody.tracks)


def _overlap(a: TrackSummary, b: TrackSummary) -> bool:
    return a.first_time <= b.last_time and b.first_time <= a.last_time


def _whole(track: TrackSummary) -> TrackSummary:
    """The track from the first frame to the last in which the face is taken to be."""
    if track.trajectory is None:
        return track
    return replace(track, first_time=track.trajectory.opens, last_time=track.trajectory.closes)


def _answered(track: TrackSummary, somebody: _Somebody | None, apart: float | None) -> TrackSummary:
    identity = track.identity
    if somebody is not None:
        of = somebody.identity
        identity = replace(
            identity, state=of.state, person_id=of.person_id, name=of.name, unknown=of.unknown, alike=apart
        )
    segment = Segment(identity, track.first_time, track.last_time, track.frames, track.best_distance)
    return replace(track, identity=identity, segments=(segment,))
