"""Events: who got a name from one frame to the next, and who left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from knownface.live.values import EventKind, LiveEvent
from knownface.liveness.challenge import Challenge
from knownface.tracking import TrackedFace, TrackIdentity, TrackSummary

_Answer = tuple[str, int | None, str]

_KINDS: dict[str, EventKind] = {"named": "named", "unknown": "unknown", "pending": "unsure"}


class IdentityEvents:
    """Makes events of faces that get another answer or leave.

    Args:
        source: Named in the events.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._answers: dict[int, _Answer] = {}
        self._since: dict[int, float] = {}

    def seen(self, faces: Sequence[TrackedFace], time: float, began: datetime | None) -> list[LiveEvent]:
        """The events of a frame.

        Args:
            faces: What it shows.
            time: Stream seconds.
            began: Wall-clock time of second 0, or None.
        """
        events = []
        for face in faces:
            self._since.setdefault(face.track_id, time)
            identity = face.identity
            answer = _answer(identity)
            before = self._answers.get(face.track_id)
            if answer == before or (before is None and identity.state == "pending"):
                continue
            if identity.state == "pending":
                del self._answers[face.track_id]
            else:
                self._answers[face.track_id] = answer
            decision = identity.decision
            about = identity if identity.state != "pending" else None
            events.append(
                LiveEvent(
                    kind=_KINDS[identity.state],
                    source=self._source,
                    at=wall_time(began, time),
                    time=time,
                    track_id=face.track_id,
                    label=about.label if about else before[2] if before else "",
                    person_id=about.person_id if about else before[1] if before else None,
                    unknown=identity.unknown,
                    since=self._since[face.track_id],
                    distance=decision.distance if decision else None,
                    box=face.box,
                    why=identity.why,
                    liveness=None if identity.liveness is None else identity.liveness.score,
                )
            )
        return events

    def challenged(
        self, faces: Iterable[TrackedFace], challenges: Mapping[int, Challenge], time: float, began: datetime | None
    ) -> list[LiveEvent]:
        """The events of faces that were asked for something, passed or failed this moment.

        Args:
            faces: These.
            challenges: By track, how far they are.
            time: Stream seconds.
            began: Wall-clock time of second 0, or None.
        """
        return [
            LiveEvent(
                kind="challenge",
                source=self._source,
                at=wall_time(began, time),
                time=time,
                track_id=face.track_id,
                box=face.box,
                why=challenges[face.track_id].words,
            )
            for face in faces
        ]

    def left(self, ended: Iterable[TrackSummary], began: datetime | None) -> list[LiveEvent]:
        """The events of tracks that ended; one that never had an answer is none."""
        events = []
        for track in ended:
            self._answers.pop(track.track_id, None)
            self._since.pop(track.track_id, None)
            identity = track.identity
            if identity.state == "pending":
                continue
            events.append(
                LiveEvent(
                    kind="left",
                    source=self._source,
                    at=wall_time(began, track.last_time),
                    time=track.last_time,
                    track_id=track.track_id,
                    label=identity.label,
                    person_id=identity.person_id,
                    unknown=identity.unknown,
                    since=track.first_time,
                    distance=track.best_distance,
                    frames=track.frames,
                    liveness=None if identity.liveness is None else identity.liveness.score,
                )
            )
        return events

    def forget_all_but(self, tracks: Iterable[int]) -> None:
        """Drops what is kept of tracks that are gone without having ended, as those that another one took over."""
        kept = set(tracks)
        for gone in self._since.keys() - kept:
            del self._since[gone]
            self._answers.pop(gone, None)


def wall_time(began: datetime | None, time: float) -> datetime | None:
    """Wall-clock time of a moment of a stream."""
    return None if began is None else began + timedelta(seconds=time)


def _answer(identity: TrackIdentity) -> _Answer:
    return identity.state, identity.person_id, identity.label
