"""Re-identification: pictures come to their tracks, which split from whoever took their place, and resume."""

from __future__ import annotations

import math

from knownface.tracking.evidence import distance
from knownface.tracking.track import Track
from knownface.tracking.tracks import Tracks
from knownface.tracking.values import Sample
from knownface.types import Decision

_EXPECTED = 1.12
"""How much farther apart two pictures may lie that show one face, where it came back about where it was expected: of
pictures of others 0.2 to 1 % lie so near a track, of its own ones 97 to 99 % (`docs/tracking.md`)."""
_PLACE = 0.6
"""How far from there, in face sides, a face may come back at once."""
_PLACE_GROWS = 0.5
"""What a second out of sight adds."""
_LIKE_SIZE = 1.5
"""How many times larger or smaller it may be then."""


def add_sample(tracks: Tracks, track: Track, sample: Sample, opinion: Decision, threshold: float) -> Track:
    """Adds a picture to a track's evidence, unless it shows somebody else.

    Args:
        tracks: All of the stream.
        track: Whose picture it should be.
        sample: The picture.
        opinion: What it says by itself.
        threshold: Within which the gallery names.

    Returns:
        The track whose picture it is: another one if somebody has taken the first one's place, or if the face is
        that of a track that was out of sight.
    """
    track.requests.answered()
    options, evidence = tracks.options, track.evidence
    alike, unlike = options.alike * threshold, options.unlike * threshold
    others = [t.evidence.embedding for t in tracks if t is not track and t.evidence.embedding is not None]
    undecided = track.answer.identity.state == "pending"
    judged = evidence.judge(sample, others, alike=alike, unlike=unlike, undecided=undecided)
    if _names_another(track, opinion, options.clear * threshold):
        judged = "other"
    if judged == "fits" or evidence.verified:
        evidence.accept(sample, options.most_samples)
    if judged == "fits":
        evidence.confirm()
        tracks.disambiguate(track)
    else:
        evidence.doubt(sample, threshold)
        # A face that was in sight all the time is hardly ever another one, whatever a few poor pictures say.
        needed = options.parting if evidence.verified else options.parting // 2
        if judged == "other":
            needed = 1 if not evidence.verified else options.parting // 2
        if len(evidence.doubts) >= needed and track.motion.visible:
            track = tracks.split(track)
    return _reidentified(tracks, track, alike)


def _names_another(track: Track, opinion: Decision, within: float) -> bool:
    """Whether a picture is clearly of a person other than the one that the track is named after."""
    clear = opinion.person_id is not None and opinion.distance <= within
    identity = track.answer.identity
    return clear and identity.state == "named" and opinion.person_id != identity.person_id


def _reidentified(tracks: Tracks, track: Track, alike: float) -> Track:
    """Merges a new track into the one out of sight whose face it shows; returns the track that goes on."""
    if track.evidence.embedding is None or not alike > 0:
        return track
    nearest, old = math.inf, None
    for occluded in _occluded(tracks, track):
        if occluded.evidence.embedding is not None:
            within = alike * (_EXPECTED if _is_expected(occluded, track) else 1.0)
            apart = distance(occluded.evidence.embedding, track.evidence.embedding) / within
            if apart <= min(1.0, nearest):
                nearest, old = apart, occluded
    if old is None:
        return track
    tracks.merge(track, old)
    return old


def _is_expected(occluded: Track, track: Track) -> bool:
    """Whether a new track began about where one out of sight should have come back."""
    began, now = track.motion.first_time, track.motion.first_box
    before = occluded.motion.filter.predict(began)
    side = (before.area**0.5 + now.area**0.5) / 2
    apart = math.dist(before.center, now.center) / max(1.0, side)
    reach = _PLACE + _PLACE_GROWS * (began - occluded.motion.last_time)
    ratio = (max(1.0, now.area) / before.area) ** 0.5
    return bool(apart <= reach and 1 / _LIKE_SIZE <= ratio <= _LIKE_SIZE)


def merge_by_name(tracks: Tracks) -> None:
    """Merges new tracks that were just named into those out of sight that have the same name."""
    for track in list(tracks):
        person = track.answer.identity.person_id
        if person is not None and track.motion.visible:
            same = [t for t in _occluded(tracks, track) if t.answer.identity.person_id == person]
            if same:
                tracks.merge(track, max(same, key=lambda t: t.motion.last_time))


def _occluded(tracks: Tracks, track: Track) -> list[Track]:
    """The tracks out of sight that a new one may be."""
    if track not in tracks or not track.motion.visible:
        return []
    began, gap = track.motion.first_time, tracks.options.keep_lost
    return [t for t in tracks if t.motion.face is None and 0 < began - t.motion.last_time <= gap]
