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
"""Seconds between two looks whether a settled track's picture has become better."""
_CROWDED_NEW = 0.05
"""Seconds after which a new face is embedded although another one is in the picture: else it would have no name."""
_SLOWEST = 1.0
"""Seconds between two pictures of a track that stays uncertain, at most."""
_FIT_FOR_CHECK = 0.5
"""A check wants a picture that is at least so good, as a share of the best, unless it has waited long."""


def choose(image: Image, time: float, tracks: Iterable[Track], options: TrackingOptions) -> list[EmbeddingRequest]:
    """The faces wanted of this frame, the most urgent first, at most ``options.per_frame``.

    Args:
        image: The frame.
        time: Its stream seconds.
        tracks: Those that the detector found in this frame are considered; what is asked is noted in them.
        options: The schedule.
    """
    asking = [(why, track) for track in tracks if track.face is not None and (why := _why(track, time, options))]
    asking.sort(key=lambda item: (not item[1].veiled, _URGENCY[item[0]], item[1].asked, item[1].track_id))
    wanted: list[EmbeddingRequest] = []
    for why, track in asking:
        if len(wanted) == options.per_frame:
            break
        if track.face is None:
            continue
        track.measured = time
        quality = measure_quality(image, track.face)
        if _good_enough(track, why, quality, time, options):
            wanted.append(EmbeddingRequest(track.track_id, time, track.face, quality, why))
            track.photograph(image, track.face, quality, time)
            track.asked, track.check = time, False
            track.waiting += 1
    return wanted


def _why(track: Track, time: float, options: TrackingOptions) -> RequestReason | None:
    """What would make a picture of the track worth it, before its quality is measured."""
    since = time - track.asked
    if track.waiting and since < options.answer_within:
        return None
    patience = options.patience if track.samples else _CROWDED_NEW
    if track.crowded and not track.veiled and time - max(track.asked, track.first_time) < patience:
        return None
    if not track.samples:
        return "new"
    if not is_settled(track, options):
        grown = 0 if track.doubts else len(track.samples) // 6
        pace = min(_SLOWEST, options.first_every * (1 + grown))
        return "uncertain" if since >= pace or track.veiled else None
    if (
        since >= options.check_every
        or track.veiled
        or (track.check and (since >= options.first_every or track.suspect))
    ):
        return "check"
    return "better" if since >= options.first_every and time - track.measured >= _GLANCE_EVERY else None


def is_settled(track: Track, options: TrackingOptions) -> bool:
    """Whether there are enough pictures and nothing speaks against the answer."""
    standing = track.standing
    agrees = standing.state != "pending" and standing.claim == standing.person_id
    agrees &= track.far or standing.state == "named"
    return agrees and not track.doubts and len(track.samples) >= options.settled


def _good_enough(track: Track, why: RequestReason, quality: FaceQuality, time: float, options: TrackingOptions) -> bool:
    if quality.size < options.smallest:
        return False
    if why == "better":
        return quality.score >= options.better * (track.best_score or 0.0)
    waited = time - max(track.asked, track.first_time)
    if why == "check" and not track.veiled:
        return quality.score >= _FIT_FOR_CHECK * (track.best_score or 0.0) or waited >= 2 * options.check_every
    return quality.score >= options.poorest or waited >= options.patience
