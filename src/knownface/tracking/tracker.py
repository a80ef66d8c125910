"""``FaceTracker``: faces tracked over the frames of a video, and who each of them is.

``docs/tracking.md`` says how a track's identity is decided, and how that was chosen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

from knownface.liveness import NOT_CHECKED, LivenessRule
from knownface.tracking.association import associate, update_visibility
from knownface.tracking.cuts import CutDetector
from knownface.tracking.evidence import Evidence
from knownface.tracking.naming import Decide, Naming, NewNumber
from knownface.tracking.options import TrackingOptions
from knownface.tracking.reidentification import add_sample
from knownface.tracking.requests import Requests
from knownface.tracking.schedule import request_embeddings
from knownface.tracking.tracks import Tracks
from knownface.tracking.values import EmbeddingRequest, Sample, TrackedFace, TrackSummary
from knownface.types import Face, Image


class FaceTracker:
    """Tracks the faces of one stream and names them.

    For every frame call :meth:`observe`; embed the faces that it asks for and hand the result to :meth:`learn`, at once
    or frames later; then read :meth:`visible` and now and then :meth:`ended`. What comes out depends only on what
    goes in, in which order. One thread at a time.

    Args:
        decide: Decides the embeddings of the faces visible together, so that a person is given to one of them at
            most, by them and by how long each was as a mean of pictures; ``FaceRecognizer.decide`` fits.
        threshold: Distance, 0 to 2, within which ``decide`` names; likeness of faces not in the gallery is judged by
            it too. May be set anew, followed by :meth:`redecide`.
        options: How faces are associated, when they are embedded, how sure a name must be.
        new_number: Gives the number of another Unknown, or None as long as it has none at hand: the face waits for it
            without an answer. None in its place counts from 1.
        liveness: Whether only faces that look alive may get a name. May be set anew, followed by :meth:`redecide`.
        withholds: Whether the track of a number may get no answer yet; when that changes, :meth:`redecide`.

    Example:
        >>> tracker = FaceTracker(recognizer.decide, recognizer.rule.threshold)  # doctest: +SKIP
        >>> requests = tracker.observe(frame.image, frame.time, detector.detect(frame.image))  # doctest: +SKIP
        >>> vectors = embedder.embed([embedder.crop(frame.image, r.face) for r in requests])  # doctest: +SKIP
        >>> pairs = zip(requests, vectors, strict=True)  # doctest: +SKIP
        >>> tracker.learn(Sample(r.track_id, r.time, v, r.quality) for r, v in pairs)  # doctest: +SKIP
        >>> [face.identity.label for face in tracker.visible()]  # doctest: +SKIP
        ['Ada', 'Unknown 1']
    """

    def __init__(
        self,
        decide: Decide,
        threshold: float,
        options: TrackingOptions | None = None,
        new_number: NewNumber | None = None,
        liveness: LivenessRule = NOT_CHECKED,
        withholds: Callable[[int], bool] | None = None,
    ) -> None:
        self.threshold = threshold
        self.options = options or TrackingOptions()
        self._tracks = Tracks(self.options)
        self._naming = Naming(self._tracks, decide, new_number or itertools.count(1).__next__, liveness, withholds)
        self._cuts = CutDetector()
        self._time = -math.inf

    @property
    def liveness(self) -> LivenessRule:
        """Whether only faces that look alive may get a name."""
        return self._naming.liveness

    @liveness.setter
    def liveness(self, rule: LivenessRule) -> None:
        self._naming.liveness = rule

    # What happens

    def observe(self, image: Image, time: float, faces: Sequence[Face] | None) -> list[EmbeddingRequest]:
        """Takes the next frame into account.

        Args:
            image: The frame.
            time: Stream seconds. A time before the last one, as of a stream that starts anew, ends all tracks.
            faces: What the detector found; None if it did not run on this frame.

        Returns:
            Faces of this frame worth embedding now, the most urgent first; none where the detector did not run.
        """
        tracks = self._tracks
        if time < self._time:
            self._cuts.forget()
            tracks.cut()
            self._conclude_ended(math.inf)  # their embeddings would come with times of another count
        if self._cuts.cut(image):
            tracks.cut()
        self._time = time
        tracks.looks.frame(time)
        for track in tracks:
            track.motion.predict(time)
        if faces is not None:
            associate(tracks, image, faces, time)
            tracks.note_look()
        update_visibility(tracks, image, time)
        if self._naming.awaits_number:
            self._naming.decide((), time, self.threshold)
        self._conclude_ended(time)
        return [] if faces is None else request_embeddings(image, time, tracks, self.options)

    def learn(self, samples: Iterable[Sample]) -> None:
        """Takes embeddings into account, and decides anew.

        Args:
            samples: Answers to the requests of :meth:`observe`, in any order; those of tracks that ended too long ago
                are ignored.
        """
        fresh: set[int] = set()
        for sample in samples:
            track = self._tracks.find(sample.track_id)
            if track is not None:
                opinion = self._naming.opinion(track, sample)
                fresh.add(add_sample(self._tracks, track, sample, opinion, self.threshold).track_id)
        if fresh:
            self._naming.decide(fresh, self._time, self.threshold)
        self._conclude_ended(self._time)

    def redecide(self) -> None:
        """Decides every track anew from the evidence kept, as when the gallery has changed.

        Names follow at once, without waiting for more pictures: nobody who was removed stays named.
        """
        everybody = {track.track_id for track in (*self._tracks, *self._tracks.ending)}
        self._naming.decide(everybody, self._time, self.threshold, at_once=True)

    def change_network(self) -> None:
        """Forgets what faces look like, as when another embedder makes the embeddings from now on.

        Tracks go on, with the answers that they have until new pictures come; requests that wait are not answered.
        """
        self._tracks.unknowns.forget()
        for track in (*self._tracks, *self._tracks.ending):
            track.evidence, track.requests = Evidence(), Requests()

    def finish(self) -> None:
        """Ends all tracks, without waiting for embeddings."""
        self._tracks.cut()
        self._conclude_ended(math.inf)

    # What is known

    def visible(self) -> tuple[TrackedFace, ...]:
        """The faces of the frame observed last, in the order of their tracks."""
        return tuple(track.as_seen for track in self._tracks if track.motion.visible)

    def summaries(self) -> tuple[TrackSummary, ...]:
        """The tracks that have not ended and are no mistake of the detector, as far as known."""
        return tuple(track.summary for track in self._tracks if self._tracks.is_confirmed(track))

    def ended(self) -> tuple[TrackSummary, ...]:
        """The tracks that ended since the last call.

        A track that waits for embeddings ends when they have come, or ``options.answer_within`` later.
        """
        return self._tracks.ended()

    def _conclude_ended(self, time: float) -> None:
        for track in self._tracks.take_finished(time):
            if self._naming.conclude(track, self._time, self.threshold):
                self._tracks.summarise(track)
            else:
                self._tracks.ending.append(track)
