"""``LiveSession``: frames in, tracked faces with steady names out."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from knownface.errors import ContractMismatchError
from knownface.live.challenges import Challenges, require_landmarks
from knownface.live.detecting import DetectionPace, detect_at
from knownface.live.embedding import EmbeddingWorker, embed_requests
from knownface.live.identity_events import IdentityEvents
from knownface.live.options import SessionOptions
from knownface.live.unknown_numbers import UnknownNumbers
from knownface.live.values import FrameResult, LiveEvent
from knownface.liveness import LivenessRule
from knownface.recognizer import FaceRecognizer
from knownface.tracking import FaceTracker, TrackedFace
from knownface.types import DecisionRule, Face, Frame, Image

_GALLERY_EVERY = 0.05
"""Seconds between two checks whether the gallery has changed, or the rule."""
PRESENT_EVERY = 0.5
"""Stream seconds between two reports of all tracks."""


class LiveSession:
    """Tracks and names the faces of one stream whose frames are passed in one by one.

    Several sessions may share one recogniser; each is used by one thread at a time. Changes of the gallery and of the
    recogniser's rule show in the next frames: who is enrolled meanwhile gets a name, who is removed loses it. Where the
    gallery is brought over to another network, tracks go on with it, and keep their answers until new pictures come.

    Args:
        recognizer: Who knows the people.
        options: How frames are processed.
        source: What events call the stream.
        new_number: Gives the number of another Unknown; None counts from 1.
        embedding_threads: Where faces are embedded, shared with other sessions; None makes a thread for this one.
        challenges: What faces are asked before they get a name; None asks nothing.

    Raises:
        SettingsError: Something is to be asked, and the detector does not tell how heads are turned.

    Example:
        >>> with LiveSession(recognizer) as session:  # doctest: +SKIP
        ...     for frame in frames:
        ...         result = session.frame(frame.image, frame.time)
        ...         print([face.identity.label for face in result.faces])
    """

    def __init__(
        self,
        recognizer: FaceRecognizer,
        options: SessionOptions | None = None,
        source: str = "",
        new_number: Callable[[], int] | None = None,
        embedding_threads: ThreadPoolExecutor | None = None,
        challenges: Challenges | None = None,
    ) -> None:
        self.options = options or SessionOptions()
        self._recognizer = recognizer
        # So that what Unknowns look like can be kept before anybody is enrolled.
        self._embedder = recognizer.follow()
        recognizer.gallery.bind(self._embedder.contract)
        live = not self.options.wait_for_names
        self._numbers = UnknownNumbers(new_number) if live and new_number is not None else None
        self._ending = False
        self._tracker = FaceTracker(
            lambda embeddings, lengths: recognizer.decide(
                embeddings, lengths, made_by=self._embedder.contract, purpose="live"
            ),
            recognizer.rule.threshold,
            self.options.tracking,
            new_number=new_number if self._numbers is None else self._next_number,
            liveness=recognizer.liveness_rule,
            withholds=None if challenges is None else challenges.withholds,
        )
        if challenges is not None:
            require_landmarks(recognizer.detector)
        self._challenges = challenges
        self._challenged: list[TrackedFace] = []
        self._embedding_threads = embedding_threads
        self._worker = self._new_worker() if live or self.options.names_two_looks_later else None
        self._pace = DetectionPace(self.options.detect_every)
        self._answers = IdentityEvents(source)
        self._decided_by = self._basis()
        self._gallery_checked = clock.monotonic()
        self._reported = self._looked = -math.inf
        self._time: float | None = None
        self._began: datetime | None = None

    # Frames

    def frame(
        self, image: Image, time: float, captured_at: datetime | None = None, *, interval: float | None = None
    ) -> FrameResult:
        """Takes the next frame: detects faces if it is its turn, tracks them, names them as far as known.

        Args:
            image: RGB, uint8, shape (height, width, 3).
            time: Stream seconds, not before the last frame's; a time before it starts anew.
            captured_at: Wall-clock time, timezone-aware; None takes the clock's.
            interval: Seconds between two frames of the source, where some of them are left out; else taken from
                the times.

        Raises:
            ModelError: A network failed.
            GalleryError: The gallery cannot be read.
        """
        start = clock.perf_counter()
        if interval is None:
            interval = time - self._time if self._time is not None else 0.0
        due = self._pace.due(time)
        frame = Frame(image, time, captured_at or datetime.now(UTC))
        result = self.advance(frame, self.detect(image) if due else None)
        self._pace.note(detected=due, cost=clock.perf_counter() - start, interval=interval)
        return result

    def detect(self, image: Image) -> list[Face]:
        """The faces of a frame, at the size that the options say; any thread may call it."""
        return detect_at(self._recognizer.detector, image, self.options.detect_side)

    def advance(self, frame: Frame, faces: Sequence[Face] | None) -> FrameResult:
        """Takes the next frame, in which faces have been detected.

        Args:
            frame: With its stream time.
            faces: What :meth:`detect` found; None if it did not run on this frame.

        Raises:
            ModelError, GalleryError: As :meth:`frame`.
        """
        time = frame.time or 0.0
        self._time = time
        self._began = None if frame.captured_at is None else frame.captured_at - timedelta(seconds=time)
        try:
            self._track(frame, time, faces)
        except ContractMismatchError:  # the gallery was brought over to another network this moment
            if not self._follow():
                raise
        return self._result(frame, detected=faces is not None)

    def _track(self, frame: Frame, time: float, faces: Sequence[Face] | None) -> None:
        self._check_gallery()
        if self._worker is not None and not self.options.wait_for_names:
            self._tracker.learn(self._worker.answers())
        elif self._worker is not None and faces is not None:
            self._tracker.learn(self._worker.answers_to(self._looked))
            self._looked = time
        requests = self._tracker.observe(frame.image, time, faces)
        if self._challenges is not None and faces is not None:
            self._challenged = self._challenges.look(time, self._tracker.visible(), faces)
            if any(not self._challenges.withholds(face.track_id) for face in self._challenged):
                self._tracker.redecide()
        if self._worker is not None:
            self._worker.ask(frame.image, requests)
        elif requests:
            liveness = self._recognizer.liveness
            self._tracker.learn(embed_requests(self._embedder, frame.image, requests, liveness))

    def end_tracks(self, events: tuple[LiveEvent, ...] = ()) -> FrameResult:
        """Ends all tracks, as when the stream is lost or has ended; frames may follow.

        Args:
            events: What happened to the stream; they come last.
        """
        if self._worker is not None:
            try:
                self._tracker.learn(self._worker.answers_to(math.inf))
            except ContractMismatchError:
                self._follow()
        self._ending = True
        self._tracker.finish()
        self._ending = False
        ended = self._tracker.ended()
        left = self._answers.left(ended, self._began)
        return FrameResult(None, (), (*left, *events), ended, (), began=self._began)

    @property
    def waiting(self) -> int:
        """Faces whose embeddings have not come."""
        return 0 if self._worker is None else self._worker.waiting

    def close(self) -> None:
        """Ends the session's threads."""
        if self._worker is not None:
            self._worker.close()
        if self._numbers is not None:
            self._numbers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next_number(self) -> int | None:
        """Does not wait, unless all tracks end: then nothing is left without an answer."""
        if self._numbers is None:
            return None
        return self._numbers.get() if self._ending else self._numbers.poll()

    def _check_gallery(self) -> None:
        now = clock.monotonic()
        # Whoever withdraws a consent is named no more in the very next frame.
        if now - self._gallery_checked < _GALLERY_EVERY and self._decided_by[-1] is None:
            return
        decided_by = self._basis()
        self._gallery_checked = now
        if decided_by != self._decided_by:
            self._follow()
            self._decided_by = decided_by
            self._tracker.threshold = self._recognizer.rule.threshold
            self._tracker.liveness = self._recognizer.liveness_rule
            self._tracker.redecide()

    def _follow(self) -> bool:
        """Change to the gallery's network; whether it was another one before."""
        embedder = self._recognizer.follow()
        if embedder is self._embedder:
            return False
        self._embedder = embedder
        self._tracker.change_network()
        if self._worker is not None:
            self._worker.close()
            self._worker = self._new_worker()
        return True

    def _new_worker(self) -> EmbeddingWorker:
        # A frame that waits for names has every processor to itself.
        at_once = self._recognizer.threads if self.options.wait_for_names else 1
        return EmbeddingWorker(self._embedder, self._recognizer.liveness, self._embedding_threads, at_once)

    def _basis(self) -> tuple[int, DecisionRule, LivenessRule, frozenset[int] | None]:
        """What names hang on: the gallery's generation, the parameters, and who may be named today."""
        snapshot = self._recognizer.gallery.index.snapshot()
        permits = snapshot.permits
        rules = self._recognizer.rule, self._recognizer.liveness_rule
        return snapshot.generation, *rules, None if permits is None else permits.people("live")

    def _result(self, frame: Frame, *, detected: bool) -> FrameResult:
        time = frame.time or 0.0
        faces, ended = self._tracker.visible(), self._tracker.ended()
        asked, challenges = self._challenges, {}
        if asked is not None:
            challenges = {face.track_id: of for face in faces if (of := asked.of(face.track_id)) is not None}
        events = [
            *self._answers.left(ended, self._began),
            *self._answers.challenged(self._challenged, challenges, time, self._began),
            *self._answers.seen(faces, time, self._began),
        ]
        present = None
        if not self._reported <= time < self._reported + PRESENT_EVERY:
            self._reported = time
            present = self._tracker.summaries()
            there = [*(f.track_id for f in faces), *(t.track_id for t in present)]
            self._answers.forget_all_but(there)
            if asked is not None:
                asked.forget_all_but(there)
        self._challenged = []
        return FrameResult(frame, faces, tuple(events), ended, present, detected, self._began, challenges)
