"""Which faces of a frame are worth embedding now."""

from __future__ import annotations

from collections.abc import Iterable

from knownface.quality import FaceQuality, measure_quality
from knownface.tracking.options import TrackingOptions
from knownface.tracking.track import Track
from knownface.tracking.values import EmbeddingRequest, RequestReason
from knownface.types import Image

_URGENCY: dict[RequestReason, int] = {"new": 0, "uncertain": 1, "check": 2, "better": 3}
_GLANCE_EVERY = 0.2
"""Seconds between two measurements of whether a settled track's picture has become better."""
_CROWDED_NEW = 0.05
"""Seconds after which a new face is embedded although another one is in the picture: else it would have no name."""
_QUICK = 3
"""Pictures of a track after which the others come more slowly."""
_SLOWEST = 1.0
"""Seconds between two pictures of a track that stays uncertain, at most."""
_SCORED_FIRST = 3
"""Pictures of a track that are scored for liveness in any case; see ``docs/liveness.md``."""
_SCORED_EVERY = 1.0
"""Seconds after which another one is."""
_FIT_FOR_CHECK = 0.5
"""A check wants a picture that is at least so good, as a share of the best, unless it has waited long."""


def request_embeddings(
    image: Image, time: float, tracks: Iterable[Track], options: TrackingOptions
) -> list[EmbeddingRequest]:
    """The faces of a frame to embed, the most urgent first, at most ``options.per_frame``.

    Args:
        image: The frame.
        time: Its stream seconds.
        tracks: Those detected in this frame are considered; what is requested is noted in them.
        options: The schedule.
    """
    worth = [
        (reason, track)
        for track in tracks
        if track.motion.face is not None and (reason := _reason(track, time, options))
    ]
    worth.sort(key=lambda item: (not item[1].is_ambiguous, _URGENCY[item[0]], item[1].requests.last, item[1].track_id))
    requests: list[EmbeddingRequest] = []
    for reason, track in worth:
        if len(requests) == options.per_frame:
            break
        face = track.motion.face
        if face is None:
            continue
        track.requests.measured = time
        quality = measure_quality(image, face)
        if _good_enough(track, reason, quality, time, options):
            score = _is_scored(track, reason, time)
            requests.append(EmbeddingRequest(track.track_id, time, face, quality, reason, score))
            track.request(image, requests[-1])
    return requests


def _reason(track: Track, time: float, options: TrackingOptions) -> RequestReason | None:
    """What would make a picture of the track worth it, before its quality is measured."""
    requests, samples = track.requests, track.evidence.samples
    since = time - requests.last
    if requests.waiting and since < options.answer_within:
        return None
    patience = options.patience if samples else _CROWDED_NEW
    if track.motion.crowded and not track.is_ambiguous and _waited(track, time) < patience:
        return None
    if not samples:
        return "new" if track.motion.detections >= options.confirm or not _is_doubtful(track, options) else None
    pause = options.check_met if requests.crowded else options.check_near
    met = requests.check and (since >= pause or requests.urgent)
    if not is_settled(track, options):
        due = since >= _pace(track, options) or (met and options.slower > 1)
        return "uncertain" if due or track.is_ambiguous else None
    if since >= options.check_every or track.is_ambiguous or met:
        return "check"
    return "better" if since >= options.first_every and time - requests.measured >= _GLANCE_EVERY else None


def _is_doubtful(track: Track, options: TrackingOptions) -> bool:
    face = track.motion.face
    return options.doubtful is not None and face is not None and face.score < options.doubtful


def _pace(track: Track, options: TrackingOptions) -> float:
    """Seconds between two pictures of a track that is not settled."""
    if track.evidence.doubts:
        return options.first_every
    number = len(track.evidence.samples)
    if number < options.agreeing:
        return options.agreeing_every
    return min(_SLOWEST, options.first_every * (1 + number // 6) * options.slower ** max(0, number - _QUICK))


def _is_scored(track: Track, reason: RequestReason, time: float) -> bool:
    """Whether a picture is scored for liveness: the first ones, some later ones, and whenever a face may be another."""
    requests = track.requests
    return requests.scored < _SCORED_FIRST or reason == "check" or time - requests.last_scored >= _SCORED_EVERY


def is_settled(track: Track, options: TrackingOptions) -> bool:
    """Whether there are enough pictures and nothing speaks against the answer."""
    estimate, evidence = track.answer.estimate, track.evidence
    agrees = estimate.state != "pending" and estimate.hypothesis == estimate.person_id
    agrees &= track.answer.far or estimate.state == "named"
    needed = options.settled if agrees else options.settled_anyway
    return not evidence.doubts and len(evidence.samples) >= needed


def _good_enough(
    track: Track, reason: RequestReason, quality: FaceQuality, time: float, options: TrackingOptions
) -> bool:
    best = track.requests.best_score or 0.0
    if quality.size < options.smallest:
        return False
    if reason == "better":
        return quality.score >= options.better * best
    waited = _waited(track, time)
    if reason == "check" and not track.is_ambiguous:
        return quality.score >= _FIT_FOR_CHECK * best or waited >= 2 * options.check_every
    return quality.score >= options.poorest or waited >= options.patience


def _waited(track: Track, time: float) -> float:
    """Seconds since the last request, or since the track began."""
    return time - max(track.requests.last, track.motion.first_time)
