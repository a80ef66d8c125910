"""``Watcher``: a source that is read, tracked and handed to sinks until it ends or is stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import Self

from knownface.detection.upright import likely_score
from knownface.errors import GalleryUnreachableError, InputError, KnownFaceError, SourceUnavailableError
from knownface.live.challenges import Challenges
from knownface.live.delivery import Delivery
from knownface.live.detecting import with_detection_due
from knownface.live.film import Film
from knownface.live.metrics import RollingLatency, RollingRate
from knownface.live.options import WatchOptions
from knownface.live.preview import Preview
from knownface.live.reading import UNREADABLE, LiveReader, read_ahead, read_file, read_frames
from knownface.live.session import LiveSession
from knownface.live.threads import Job, ReceivedFrame, SourceNotice
from knownface.live.turning import PAUSE, StreamTurn, degrees_of
from knownface.live.values import EventKind, FrameResult, LiveEvent, Sink, WatchState, WatchStatus
from knownface.media import Source, parse_source
from knownface.media.doubts import Doubts
from knownface.pipeline import map_in_order
from knownface.recognizer import FaceRecognizer
from knownface.types import Face, Frame

_log = logging.getLogger(__name__)

_AGAIN = 0.5
"""Seconds until a gallery that does not answer is asked again."""
_AHEAD = 8
"""Frames of a file that are decoded, and searched for faces, ahead of their turn."""


class Watcher(AbstractContextManager["Watcher"]):
    """Watches one source. Several may run at once on one recogniser.

    A file is read frame by frame, as fast as the machine can; the result depends on nothing but the file. Of a
    live source the newest frame counts: what the machine cannot process is dropped, and a source that is lost is
    tried again until it is back.

    Args:
        source: Number of a camera, address of a stream, path of a video file or a folder of frames.
        recognizer: Who knows the people; it must stay open until watching has ended.
        options: How the source is watched.
        sinks: Where results go.
        name: What events and sightings call the source; None takes its address without user and password.
        new_number: Gives the number of another Unknown; None counts from 1.
        challenges: What the faces before a camera are asked before they get a name; None asks nothing.
        embedding_threads: Where faces are embedded, shared with other watchers: a thread each would take the processors
            from the frames of all. None makes a thread for this one.

    Raises:
        UnsupportedError: The source is an address of a kind that is not read here.
        SettingsError: Something is to be asked, and the detector does not tell how heads are turned.

    Example:
        >>> with Watcher("rtsp://camera/live", recognizer) as watcher:  # doctest: +SKIP
        ...     while not watcher.wait(1.0):
        ...         print(watcher.status())
    """

    def __init__(
        self,
        source: str | int | Path | Source,
        recognizer: FaceRecognizer,
        options: WatchOptions | None = None,
        sinks: Sequence[Sink] = (),
        *,
        name: str | None = None,
        new_number: Callable[[], int] | None = None,
        challenges: Challenges | None = None,
        embedding_threads: ThreadPoolExecutor | None = None,
    ) -> None:
        self.source = source if isinstance(source, Source) else parse_source(source)
        self.name = name or self.source.name
        self.preview = Preview()
        self._options = options or WatchOptions()
        self._recognizer, self._new_number = recognizer, new_number
        hindsight = self._options.hindsight and not self.source.live
        self._film = Film(self.name) if hindsight else None
        self._session = LiveSession(
            recognizer,
            self._options.session(live=self.source.live, likely_score=likely_score(recognizer.detector)),
            self.name,
            new_number=None if hindsight else new_number,
            embedding_threads=embedding_threads,
            challenges=challenges,
        )
        self._wants_frames = any(getattr(sink, "wants_frames", True) for sink in sinks)
        self._stop, self._lock = Event(), Lock()
        self._in, self._out, self._latencies = RollingRate(), RollingRate(), RollingLatency()
        self.doubts = Doubts(self.source.name)
        self._reader = LiveReader(self.source, self._options, self._in, self.doubts) if self.source.live else None
        self._delivery = Delivery(sinks, lossless=not self.source.live, on_error=self.request_stop)
        self._job = Job(self._run, "watching")
        self._state: WatchState = "connecting"
        self._gallery_away = False
        self._frames = self._reconnects = 0
        self._labels: tuple[str, ...] = ()
        self._trouble = "", ""
        self._started: datetime | None = None
        self.error: BaseException | None = None

    # Running

    def start(self) -> None:
        """Begins; returns at once."""
        self._started = datetime.now(UTC)
        self._job.start()

    def request_stop(self) -> None:
        """Asks it to end; returns at once. What was read is still handed to the sinks."""
        self._stop.set()
        if self._reader is not None:
            self._reader.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the end, sinks included; returns whether it has come."""
        return self._job.join(timeout)

    def stop(self) -> None:
        """Ends it, and waits until every sink has what it needs."""
        self.request_stop()
        self.wait()

    def run(self) -> None:
        """Watches to the end.

        Raises:
            KnownFaceError: The source cannot be read, a network or the gallery failed, or a sink did; all sinks have
                been left in order.
        """
        self.start()
        self.wait()
        self.raise_error()

    def raise_error(self) -> None:
        """Raises what ended it before its time, if anything did."""
        if self.error is not None:
            raise self.error

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def status(self) -> WatchStatus:
        """How it goes; any thread may ask at any time."""
        queue = len(self._delivery) + self._session.waiting + (len(self._reader.queue) if self._reader else 0)
        with self._lock:
            return WatchStatus(
                state=self._state,
                source=self.name,
                frames=self._frames,
                fps_in=self._in.per_second(),
                fps_out=self._out.per_second(),
                latency_p50=self._latencies.percentile(50),
                latency_p95=self._latencies.percentile(95),
                faces=len(self._labels),
                names=tuple(label for label in self._labels if label),
                queue=queue,
                dropped=self._reader.queue.dropped if self._reader else 0,
                reconnects=self._reconnects,
                last_error=self._trouble[0],
                error_code=self._trouble[1],
                doubt=self.doubts.now,
                started=self._started,
            )

    # Inside

    def _run(self) -> None:
        self._delivery.start()
        error: BaseException | None = None
        try:
            if self._reader is None:
                self._watch_file()
            else:
                self._watch_live(self._reader)
        except KnownFaceError as caught:
            error = caught
        except BaseException as caught:
            error = caught
            raise
        finally:
            try:
                self._tell(self._session.end_tracks())
                if self._film is not None and (error is None or isinstance(error, KnownFaceError)):
                    try:
                        self._tell_film(self._film)
                    except KnownFaceError as caught:  # the file has gone before its second reading
                        error = error or caught
                self._delivery.put(FrameResult(None, events=(self._event("ended", self._told(error)),)))
            finally:
                self._session.close()
                self.preview.close()
                of_sinks = self._delivery.finish()
                self.error = error or of_sinks
                if self.error is not None and self._options.discreet:
                    _log.warning("%s is not watched any more: %s", self.name, self.error)
                with self._lock:
                    self._state = "failed" if self.error is not None else "ended"
                    self._labels = ()
                    if self.error is not None:
                        self._trouble = self._told(self.error), _code_of(self.error)

    def _watch_file(self) -> None:
        def detect(item: tuple[Frame, bool]) -> tuple[Frame, list[Face] | None, float]:
            frame, due = item
            start = time.perf_counter()
            return frame, self._session.detect(frame.image) if due else None, start

        source = self._options.resolve(self.source)
        if self._options.turn is None:
            apart = replace(self._options, every=max(self._options.every or 0.0, PAUSE))
            pictures = (frame.image for frame in read_frames(source, apart, self.doubts))
            self._options = replace(self._options, turn=degrees_of(pictures, self._recognizer.detector))
            self._say_turned(self._options.turn)
        frames = read_ahead(read_file(source, self._options, self.doubts, self._stop, self._in.count), _AHEAD)
        due = with_detection_due(frames, self._options.detect_every)
        first = True
        for frame, faces, start in map_in_order(detect, due, threads=self._recognizer.threads, ahead=_AHEAD):
            if first:
                self._delivery.put(FrameResult(None, events=(self._event("connected"),)))
                first = False
            self._show(self._session.advance(frame, faces), start)

    def _watch_live(self, reader: LiveReader) -> None:
        reader.start()
        last: ReceivedFrame | None = None
        # Frames of a video have one shape, so one that is being written is not turned in the middle.
        turn = StreamTurn(
            self._recognizer.detector, 0 if self._options.turn is None and self._wants_frames else self._options.turn
        )
        try:
            while (item := reader.queue.take()) is not None:
                try:
                    last = self._take(item, last, turn)
                except GalleryUnreachableError as away:
                    self._wait_for_gallery(away)
        finally:
            reader.stop()
            error = reader.join()
        if error is not None:
            raise error

    def _take(
        self, item: ReceivedFrame | SourceNotice, last: ReceivedFrame | None, turn: StreamTurn
    ) -> ReceivedFrame | None:
        """Takes what comes from a live source; returns the last frame."""
        if isinstance(item, SourceNotice):
            self._notice(item)
            return last
        frame = item.frame
        interval = None
        if last is not None and frame.time is not None and last.frame.time is not None:
            interval = (frame.time - last.frame.time) / (item.number - last.number)
        was = turn.is_decided
        image = turn.upright(frame.image, item.at)
        if turn.is_decided and not was:
            self._say_turned(turn.degrees)
        result = self._session.frame(image, frame.time or 0.0, frame.captured_at, interval=interval)
        if self._gallery_away:
            self._gallery_is_back()
        self._show(result, item.at)
        return item

    def _wait_for_gallery(self, error: GalleryUnreachableError) -> None:
        """Shows nobody as long as nobody can be asked who may be named."""
        if not self._gallery_away:
            self._gallery_away = True
            _log.warning("%s goes on when the gallery answers again: %s", self.name, error)
            self._delivery.put(FrameResult(None, events=(self._event("lost", self._told(error)),)))
        with self._lock:
            self._state, self._trouble, self._labels = "reconnecting", (self._told(error), error.code), ()
        self.preview.clear()
        self._stop.wait(_AGAIN)

    def _gallery_is_back(self) -> None:
        self._gallery_away = False
        with self._lock:
            self._reconnects += 1
        self._delivery.put(FrameResult(None, events=(self._event("connected"),)))

    def _say_turned(self, degrees: int | None) -> None:
        if degrees:
            _log.warning(
                "%s is turned by %d degrees, so that its faces stand upright; turn 0 does not.", self.name, degrees
            )

    def _show(self, result: FrameResult, start: float) -> None:
        self._latencies.note(time.perf_counter() - start)
        self._out.count()
        self.preview.show(result)
        with self._lock:
            self._state = "running"
            self._frames += 1
            self._labels = tuple(face.identity.label for face in result.faces)
        self._tell(result)

    def _tell(self, result: FrameResult) -> None:
        if self._film is None:
            self._delivery.put(result)
        else:
            self._film.note(result)

    def _tell_film(self, film: Film) -> None:
        """Tells what was read of a file, all of it known; a second request to stop cuts that short."""
        self._stop.clear()
        with self._lock:
            self._state, self._labels = "writing", ()
        frames = None
        if self._wants_frames:
            frames = read_ahead(islice(read_frames(self.source, self._options, self.doubts), film.frames), _AHEAD)
        names = self._recognizer.gallery.index.snapshot().names_for("live")
        now = self._recognizer.parameters
        for result in film.results(now.rule.threshold, names, self._new_number, frames, now.averaging):
            if self._stop.is_set():
                return
            self._delivery.put(result)

    def _notice(self, notice: SourceNotice) -> None:
        event = self._event(notice.kind, notice.why)
        with self._lock:
            lost_before = self._state == "reconnecting"
            if notice.kind == "lost":
                self._state, self._labels = "reconnecting", ()
                self._trouble = notice.why, SourceUnavailableError.code
            elif lost_before:
                self._state = "running"
                self._reconnects += 1
        if notice.kind == "connected":
            self._delivery.put(FrameResult(None, events=(event,)))
        elif not lost_before:  # one event, however many attempts it takes
            self._delivery.put(self._session.end_tracks((event,)))

    def _told(self, error: BaseException | None) -> str:
        """What status and events say of an error; empty without one."""
        if error is None or not self._options.discreet:
            return str(error or "")
        return UNREADABLE if isinstance(error, InputError) else "Watching failed; the log says why."

    def _event(self, kind: EventKind, why: str = "") -> LiveEvent:
        return LiveEvent(kind, self.name, at=datetime.now(UTC), why=why)


def _code_of(error: BaseException) -> str:
    """What went wrong in one word, which tells of sources no more than that they cannot be read."""
    if isinstance(error, InputError):
        return SourceUnavailableError.code
    return error.code if isinstance(error, KnownFaceError) else KnownFaceError.code
