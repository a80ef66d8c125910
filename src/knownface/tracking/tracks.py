"""Track management: the tracks of a stream from their beginning to their end."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from knownface.tracking.appearance import Appearance
from knownface.tracking.options import TrackingOptions
from knownface.tracking.track import Track
from knownface.tracking.trajectory import Looks, Trajectory
from knownface.tracking.unknowns import UnknownMemory
from knownface.tracking.values import TrackSummary
from knownface.types import Face


class Tracks:
    """All tracks of a stream that are still of interest; iterates over those that have not ended.

    Attributes:
        options: Of the tracker.
        ending: Tracks that ended and wait for embeddings.
        unknowns: Unknown people who left.
        looks: Which frames the detector has not looked at.
    """

    def __init__(self, options: TrackingOptions) -> None:
        self.options = options
        self.ending: list[Track] = []
        self.unknowns = UnknownMemory(options.remember)
        self.looks = Looks()
        self._tracks: dict[int, Track] = {}
        self._ids = itertools.count(1)
        self._merged: dict[int, int] = {}
        self._ended: list[TrackSummary] = []

    def __iter__(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def __contains__(self, track: Track) -> bool:
        return track.track_id in self._tracks

    def begin(self, face: Face, appearance: Appearance, time: float) -> None:
        """Begins the track of a face detected for the first time."""
        trajectory = Trajectory(self.looks.opens()) if self.options.trajectories else None
        track = Track.begin(next(self._ids), face, appearance, time, trajectory)
        self._tracks[track.track_id] = track

    def find(self, track_id: int) -> Track | None:
        """The track of that number, or the one that it was merged into; None if it has ended."""
        while track_id in self._merged:
            track_id = self._merged[track_id]
        if track_id in self._tracks:
            return self._tracks[track_id]
        return next((track for track in self.ending if track.track_id == track_id), None)

    def is_confirmed(self, track: Track) -> bool:
        """Whether a track is no mistake of the detector."""
        return track.motion.detections >= self.options.confirm or track.answer.identity.state == "named"

    def disambiguate(self, track: Track) -> None:
        """Notes that a picture shows who a track is: so it is no longer mistaken for those that it occluded."""
        for number in track.ambiguous_with & self._tracks.keys():
            self._tracks[number].ambiguous_with.discard(track.track_id)
        track.ambiguous_with.clear()

    def split(self, track: Track) -> Track:
        """Begins the track of somebody else who has taken a track's place; the first is out of sight from then on."""
        other = track.split(next(self._ids), self.options.confirm)
        self._tracks[other.track_id] = other
        return other

    def merge(self, new: Track, old: Track) -> None:
        """Makes a track out of sight go on as a new one that shows the same face."""
        old.resume(new, self.options.most_samples)
        self.disambiguate(new)
        self.disambiguate(old)
        del self._tracks[new.track_id]
        self._merged[new.track_id] = old.track_id

    def end(self, tracks: Iterable[Track]) -> None:
        """Ends tracks, since they left or the scene was cut."""
        for track in list(tracks):
            del self._tracks[track.track_id]
            track.motion.hide()
            self.ending.append(track)

    def cut(self) -> None:
        """Ends all tracks, since another scene begins."""
        for track in self:
            track.motion.close(self.looks.newest)
        self.looks.cut()
        self.end(self)

    def note_look(self) -> None:
        """Notes that the detector has looked, and which faces it did not find."""
        for track in self:
            if track.motion.missed:
                track.motion.close(self.looks.closes(track.motion.last_time))
        self.looks.look()

    def take_finished(self, time: float) -> list[Track]:
        """Takes out the tracks that ended and wait for nothing more."""
        within = self.options.answer_within
        gone = [t for t in self.ending if not t.requests.waiting or time - t.requests.last >= within]
        self.ending = [track for track in self.ending if track not in gone]
        return gone

    def summarise(self, track: Track) -> None:
        """Keeps what an ended track was, unless it was a mistake of the detector."""
        unknown = track.answer.identity.unknown
        if unknown is not None and track.evidence.embedding is not None:
            self.unknowns.remember(unknown, track.evidence.embedding, track.motion.last_time)
        if self.is_confirmed(track):
            self._ended.append(track.summary)
        self._merged = {new: old for new, old in self._merged.items() if old != track.track_id}

    def ended(self) -> tuple[TrackSummary, ...]:
        """The summaries since the last call."""
        ended, self._ended = tuple(self._ended), []
        return ended
