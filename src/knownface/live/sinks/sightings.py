"""What is seen, into the gallery's database: sightings, alerts and pictures to learn from."""

from __future__ import annotations

import contextlib
import logging
import time as clock
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from knownface.errors import GalleryUnreachableError
from knownface.events import Alert, Alerts, SampleCandidate, SeenTrack, SightingLog, offer_sample
from knownface.gallery import Gallery
from knownface.law.oversight import expire
from knownface.live.identity_events import wall_time
from knownface.live.values import FrameResult, LiveEvent, Sink
from knownface.tracking import Segment, TrackSummary

_log = logging.getLogger(__name__)

WRITE_EVERY = 0.5
"""Seconds of real time between two writes: what a killed program loses at most, and a little more."""


class SightingRecorder:
    """Writes sightings while people are there, and applies the alert rules to them.

    What a server does not take since it cannot be reached waits until it can, or until the end.

    Args:
        log: The gallery's sightings.
        source: What they call the source; without passwords.
        alerts: The gallery's rules; None raises no alert. Entered and left with the recorder.
        on_alert: Called with every alert as an event.
    """

    wants_frames = False

    def __init__(
        self,
        log: SightingLog,
        source: str,
        alerts: Alerts | None = None,
        on_alert: Callable[[LiveEvent], None] = lambda _event: None,
    ) -> None:
        self._log = log
        self._source = source
        self._alerts = alerts
        self._on_alert = on_alert
        self._run = uuid.uuid4().hex
        self._ended: list[SeenTrack] = []
        self._present: list[SeenTrack] = []
        self._written = float("-inf")

    def take(self, result: FrameResult) -> None:
        """Takes the tracks of a result; results without wall-clock times are ignored.

        Raises:
            GalleryError: The database is locked or damaged.
            OutputError: It cannot be written.
        """
        if result.began is not None:
            self._ended += self._seen(result.ended, result.began)
            if result.present is not None:
                self._present = self._seen(result.present, result.began)
        if clock.monotonic() - self._written >= WRITE_EVERY:
            self._write()

    def __enter__(self) -> Self:
        if self._alerts is not None:
            self._alerts.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write(last=True)
        finally:
            if self._alerts is not None:
                self._alerts.close()

    def _write(self, *, last: bool = False) -> None:
        self._written = clock.monotonic()
        try:
            self._write_now()
        except GalleryUnreachableError as error:
            if last:
                raise
            _log.warning("What is seen waits to be stored: %s", error)

    def _write_now(self) -> None:
        ended, present = self._ended, self._present
        # A track that ended counts as it was at the end, not as it was half a second before.
        ended_keys = {track.key for track in ended}
        seen = [*ended, *(track for track in present if track.key not in ended_keys)]
        self._log.record(seen)
        if self._alerts is not None:
            for alert in self._alerts.evaluate(seen):
                self._on_alert(alert_event(alert, self._source))
        self._ended, self._present = [], []
        if self._alerts is not None:
            expire(self._log.gallery.database)

    def _seen(self, tracks: Iterable[TrackSummary], began: datetime) -> list[SeenTrack]:
        return [seen for track in tracks for seen in seen_tracks(track, self._source, began, self._run)]


def seen_tracks(track: TrackSummary, source: str, began: datetime, run: str) -> list[SeenTrack]:
    """The sightings of a track: one for each answer that it had.

    Args:
        track: Ended, or as known so far.
        source: Where, without passwords.
        began: Wall-clock time of the stream's second 0, timezone-aware.
        run: Makes the keys of this run's tracks unique.
    """
    seen = []
    for number, segment in _answers(track.segments):
        # The evidence is that of the last answer.
        of_last = segment.last_time == track.segments[-1].last_time
        first, last = (began + timedelta(seconds=t) for t in (segment.first_time, segment.last_time))
        seen.append(
            SeenTrack(
                key=f"{run}/{track.track_id}/{number}",
                source=source,
                person_id=segment.identity.person_id,
                unknown=segment.identity.unknown,
                first_seen=first,
                last_seen=max(first, last),
                first_time=segment.first_time,
                last_time=max(segment.first_time, segment.last_time),
                best_distance=segment.best_distance,
                frames=segment.frames,
                quality=track.best_quality if of_last else None,
                liveness=track.identity.liveness.score if of_last and track.identity.liveness else None,
                embedding=track.embedding if of_last else None,
                picture=track.picture if of_last else None,
                fingerprint=track.fingerprint,
            )
        )
    return seen


def _answers(segments: Sequence[Segment]) -> list[tuple[int, Segment]]:
    """The answers with the numbers that their keys carry.

    An Unknown who turned out to be somebody, as when they came nearer, was nobody else: the row of the Unknown
    becomes that person's, so that no stranger is counted who was none.
    """
    answers: list[tuple[int, Segment]] = []
    for number, segment in enumerate(segments):
        if segment.identity.state == "named" and answers and answers[-1][1].identity.state == "unknown":
            first, unknown = answers.pop()
            whole = replace(segment, first_time=unknown.first_time, frames=unknown.frames + segment.frames)
            answers.append((first, whole))
        elif segment.identity.state != "pending":
            answers.append((number, segment))
    return answers


class SampleOffers(Sink):
    """Offers the best picture of each track that ended with a name, as :func:`knownface.events.offer_sample` allows.

    Args:
        gallery: SightingFilter.
        source: What offers call the source.
        threshold: Returns the one in force.
        accept: Whether the stricter rule may accept by itself.
        keep_crops: Whether pictures are then kept with the templates.
    """

    wants_frames = False

    def __init__(
        self,
        gallery: Gallery,
        source: str,
        threshold: Callable[[], float],
        *,
        accept: bool,
        keep_crops: bool = True,
    ) -> None:
        self._gallery = gallery
        self._source = source
        self._threshold = threshold
        self._accept = accept
        self._keep_crops = keep_crops

    def take(self, result: FrameResult) -> None:
        """Takes the tracks that ended; results without wall-clock times are ignored.

        What a server does not take since it cannot be reached is offered to nobody.

        Raises:
            GalleryError: The database is locked or damaged.
            OutputError: It cannot be written.
        """
        with contextlib.suppress(GalleryUnreachableError):
            self._offer(result)

    def _offer(self, result: FrameResult) -> None:
        for track in result.ended:
            seen_at = wall_time(result.began, track.last_time)
            person = track.identity.person_id
            if seen_at is None or person is None or track.picture is None:
                continue
            candidate = SampleCandidate(
                person_id=person,
                source=self._source,
                seen_at=seen_at,
                embedding=track.evidence[0].embedding,
                picture=track.picture,
                quality=track.evidence[0].quality.score,
                samples=track.identity.samples,
                changes=track.identity.changes,
                fingerprint=track.fingerprint,
            )
            offer_sample(self._gallery, candidate, self._threshold(), accept=self._accept, keep_crops=self._keep_crops)


def alert_event(alert: Alert, source: str) -> LiveEvent:
    """An alert as what happens in a stream.

    Args:
        alert: What is told.
        source: Where, for those that name no place.
    """
    return LiveEvent(
        "alert",
        alert.source or source,
        at=alert.at,
        label=alert.name or (f"Unknown {alert.unknown}" if alert.unknown is not None else ""),
        person_id=alert.person_id,
        unknown=alert.unknown,
        distance=alert.distance,
        frames=alert.frames,
        why=f"{alert.rule}: {alert.sentence}",
    )
