"""``Film``: a file that is told when it has been read to its end, with every face named from its first frame on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from knownface.events.recording import jpeg
from knownface.live.identity_events import IdentityEvents
from knownface.live.values import FrameResult, LiveEvent
from knownface.media import read_image
from knownface.tracking import SHOWN_GAP, TrackedFace, TrackIdentity, TrackSummary, in_hindsight
from knownface.types import Frame


class Film:
    """Collects the tracks of a file, and tells them.

    What is kept of a track is its best picture as JPEG, its embeddings, and where it was: some twenty kilobytes.

    Args:
        source: What events call the file.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._tracks: list[TrackSummary] = []
        self._pictures: dict[int, bytes] = {}
        self._began: datetime | None = None
        self.frames = 0

    def note(self, result: FrameResult) -> None:
        """Takes what is known after a frame, or at the end."""
        self.frames += result.frame is not None
        self._began = result.began or self._began
        for track in result.ended:
            if track.picture is not None:
                self._pictures[track.track_id] = jpeg(track.picture)
            self._tracks.append(replace(track, picture=None))

    def results(
        self,
        threshold: float,
        names: Mapping[int, str],
        new_number: Callable[[], int] | None = None,
        frames: Iterable[Frame] | None = None,
        averaging: float = 0.0,
    ) -> Iterator[FrameResult]:
        """What is to be told of the whole file, in the order of its times.

        Args:
            threshold: Within which the gallery names.
            names: Of the people in the gallery, by their ids: who has been removed meanwhile is not named.
            new_number: Gives the number of another Unknown; None counts from 1.
            frames: The frames once more, if they are wanted; None gives results without.
            averaging: How much nearer means of pictures are than these, by the gallery.
        """
        tracks = in_hindsight((_still_named(track, names) for track in self._tracks), threshold, new_number, averaging)
        answers = IdentityEvents(self._source)
        coming, here = deque(tracks), list[TrackSummary]()
        times = sorted({track.first_time for track in tracks})
        moments = ((time, None) for time in times) if frames is None else ((f.time or 0.0, f) for f in frames)
        for time, frame in moments:
            events, ended = self._until(time, coming, here, answers)
            faces = tuple(_faces(here, time)) if frame is not None else ()
            yield FrameResult(frame, faces, tuple(events), tuple(ended), began=self._began)
        events, ended = self._until(float("inf"), coming, here, answers)
        yield FrameResult(None, (), tuple(events), tuple(ended), began=self._began)

    def _until(
        self, time: float, coming: deque[TrackSummary], here: list[TrackSummary], answers: IdentityEvents
    ) -> tuple[list[LiveEvent], list[TrackSummary]]:
        """Lets come and go who does before a time; returns the events and who has gone."""
        events: list[LiveEvent] = []
        ended: list[TrackSummary] = []
        while True:
            first = coming[0].first_time if coming else float("inf")
            leaving = min(here, key=lambda track: track.last_time, default=None)
            if leaving is not None and leaving.last_time < min(first, time):
                here.remove(leaving)
                ended.append(self._with_picture(leaving))
                events += answers.left([leaving], self._began)
            elif coming and first <= time:
                track = coming.popleft()
                here.append(track)
                events += answers.seen(list(_faces([track], track.first_time)), track.first_time, self._began)
            else:
                return events, ended

    def _with_picture(self, track: TrackSummary) -> TrackSummary:
        picture = self._pictures.pop(track.track_id, None)
        return track if picture is None else replace(track, picture=read_image(picture))


def _faces(tracks: Iterable[TrackSummary], time: float) -> Iterator[TrackedFace]:
    for track in tracks:
        trajectory = track.trajectory
        box = None if trajectory is None else trajectory.box_at(time, SHOWN_GAP)
        if trajectory is not None and box is not None:
            yield TrackedFace(track.track_id, box, trajectory.detected_at(time), track.identity)


def _still_named(track: TrackSummary, names: Mapping[int, str]) -> TrackSummary:
    person = track.identity.person_id
    if person is None or person in names:
        return track
    return replace(track, identity=TrackIdentity(samples=track.identity.samples))
