"""The tracks of a stream: who is here, who has just left, and what is kept of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from knownface.tracking.options import TrackingOptions
from knownface.tracking.track import Track
from knownface.tracking.unknowns import UnknownMemory
from knownface.tracking.values import TrackSummary


class Tracks:
    """All tracks that are still of interest.

    Attributes:
        options: Of the follower.
        tracks: Those in the picture or out of sight for a short while, by their numbers.
        leaving: Those that left and wait for embeddings.
        unknowns: Unknown people who left.
    """

    def __init__(self, options: TrackingOptions) -> None:
        self.options = options
        self.tracks: dict[int, Track] = {}
        self.leaving: list[Track] = []
        self.unknowns = UnknownMemory(options.remember)
        self._ids = itertools.count(1)
        self._also: dict[int, int] = {}
        self._ended: list[TrackSummary] = []

    def new_id(self) -> int:
        """The number of another track."""
        return next(self._ids)

    def add(self, track: Track) -> None:
        """Somebody came into the picture."""
        self.tracks[track.track_id] = track

    def find(self, track_id: int) -> Track | None:
        """The track of that number, or the one that it turned out to be; None if it has ended."""
        while track_id in self._also:
            track_id = self._also[track_id]
        if track_id in self.tracks:
            return self.tracks[track_id]
        return next((track for track in self.leaving if track.track_id == track_id), None)

    def is_real(self, track: Track) -> bool:
        """Whether a track is no mistake of the detector."""
        return track.hits >= self.options.confirm or track.standing.state == "named"

    def tell_apart(self, track: Track) -> None:
        """A picture shows who a track is: so the other one that it might have been is told as well."""
        for number in track.mistakable & self.tracks.keys():
            self.tracks[number].mistakable.discard(track.track_id)
        track.mistakable.clear()

    def merge(self, new: Track, old: Track) -> None:
        """A new track has turned out to be the face of one out of sight, which goes on."""
        old.resume(new, self.options.most_samples)
        self.tell_apart(new)
        self.tell_apart(old)
        del self.tracks[new.track_id]
        self._also[new.track_id] = old.track_id

    def end(self, tracks: Iterable[Track]) -> None:
        """They left, or the scene was cut."""
        for track in list(tracks):
            del self.tracks[track.track_id]
            track.hide()
            self.leaving.append(track)

    def remember(self, track: Track) -> None:
        """Keep what an Unknown looked like, to recognise them when they come back."""
        if track.unknown is not None and track.embedding is not None:
            self.unknowns.remember(track.unknown, track.embedding, track.last_time)

    def left(self, time: float) -> list[Track]:
        """Take out the tracks that left and wait for nothing more."""
        gone = [t for t in self.leaving if not t.waiting or time - t.asked >= self.options.answer_within]
        self.leaving = [track for track in self.leaving if track not in gone]
        return gone

    def sum_up(self, track: Track) -> None:
        """Keep a track that has left for good as a summary, unless it was a mistake."""
        self.remember(track)
        if self.is_real(track):
            self._ended.append(track.summary)
        self._also = {new: old for new, old in self._also.items() if old != track.track_id}

    def ended(self) -> tuple[TrackSummary, ...]:
        """The summaries since the last call."""
        ended, self._ended = tuple(self._ended), []
        return ended
