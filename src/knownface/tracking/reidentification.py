"""Pictures come to their tracks; tracks part from whoever took their place, and go on when they come back."""

from __future__ import annotations

import math

from knownface.tracking.evidence import combined, distance, judge, kept
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


def take(presence: Tracks, track: Track, sample: Sample, opinion: Decision, threshold: float) -> Track:
    """Add a picture to a track's evidence, unless it shows somebody else.

    Args:
        presence: Where the tracks are.
        track: Whose picture it should be.
        sample: The picture.
        opinion: What it says by itself.
        threshold: Within which the gallery names.

    Returns:
        The track whose picture it is: another one if somebody has taken the first one's place, or if the face is
        that of a track that was out of sight.
    """
    track.waiting = max(0, track.waiting - 1)
    options = presence.options
    alike, unlike = options.alike * threshold, options.unlike * threshold
    others = [t.embedding for t in presence.tracks.values() if t is not track and t.embedding is not None]
    judged = judge(track, sample, others, alike=alike, unlike=unlike)
    if _names_another(track, opinion, options.clear * threshold):
        judged = "other"
    if judged == "fits" or track.verified:
        track.learn(kept((*track.samples, sample), options.most_samples))
    if judged == "fits":
        track.doubts, track.verified = (), True
        presence.tell_apart(track)
    else:
        agree = distance(combined((*track.doubts, sample)), sample.embedding) <= threshold
        track.doubts = (*track.doubts, sample) if agree else (sample,)
        # A face that was in sight all the time is hardly ever another one, whatever a few poor pictures say.
        needed = options.parting if track.verified else options.parting // 2
        if judged == "other":
            needed = 1 if not track.verified else options.parting // 2
        if len(track.doubts) >= needed and track.shown:
            track = _part(presence, track)
    return _rejoin(presence, track, alike)


def _names_another(track: Track, opinion: Decision, within: float) -> bool:
    """Whether a picture is clearly of a person other than the one that the track is named after."""
    clear = opinion.person_id is not None and opinion.distance <= within
    return clear and track.standing.state == "named" and opinion.person_id != track.standing.person_id


def _part(presence: Tracks, track: Track) -> Track:
    """Begin another track where somebody else has taken the place of the first, who is out of sight now."""
    other = Track.parted(presence.new_id(), track)
    other.hits, other.portraits = presence.options.confirm, dict(track.portraits)
    other.learn(track.doubts)
    track.learn(tuple(sample for sample in track.samples if sample not in track.doubts))
    track.last_time = min(track.last_time, max((s.time for s in track.samples), default=track.first_time))
    track.doubts, track.waiting = (), 0
    track.hide()
    presence.add(other)
    return other


def _rejoin(presence: Tracks, track: Track, alike: float) -> Track:
    """Give a new track to the one out of sight whose face it shows; the track that goes on."""
    if track.embedding is None:
        return track
    nearest, old = math.inf, None
    for missing in _missing(presence, track):
        if missing.embedding is not None:
            within = alike * (_EXPECTED if _is_expected(missing, track) else 1.0)
            apart = distance(missing.embedding, track.embedding) / within
            if apart <= min(1.0, nearest):
                nearest, old = apart, missing
    if old is None:
        return track
    presence.merge(track, old)
    return old


def _is_expected(missing: Track, track: Track) -> bool:
    """Whether a new track began about where one out of sight should have come back."""
    before, now = missing.motion.predict(track.first_time), track.began_at
    side = (before.area**0.5 + now.area**0.5) / 2
    apart = math.dist(before.center, now.center) / max(1.0, side)
    reach = _PLACE + _PLACE_GROWS * (track.first_time - missing.last_time)
    ratio = (max(1.0, now.area) / before.area) ** 0.5
    return bool(apart <= reach and 1 / _LIKE_SIZE <= ratio <= _LIKE_SIZE)


def rejoin_by_name(presence: Tracks) -> None:
    """Give new tracks that were just named to those out of sight that have the same name."""
    for track in list(presence.tracks.values()):
        person = track.standing.person_id
        if person is not None and track.shown:
            same = [t for t in _missing(presence, track) if t.standing.person_id == person]
            if same:
                presence.merge(track, max(same, key=lambda t: t.last_time))


def _missing(presence: Tracks, track: Track) -> list[Track]:
    """The tracks out of sight that a new one may be."""
    tracks = presence.tracks
    if track.track_id not in tracks or not track.shown:
        return []
    gap = presence.options.keep_lost
    return [t for t in tracks.values() if t.face is None and 0 < track.first_time - t.last_time <= gap]
