"""From frame to frame: which face is which track, who is out of sight, whose faces meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knownface.tracking.appearance import SAME, appearance, likenesses, unlikeness
from knownface.tracking.assignment import gaps_to_others, match_boxes
from knownface.tracking.track import Track
from knownface.tracking.tracks import Tracks
from knownface.types import Face, Image, box_iou

_REACH_NEW = 1.2
"""How far, in face sides, a face of unknown velocity may lie from where it was."""
_REACH = 0.6
"""The same from where a face of known velocity should be."""
_REACH_GROWS = 1.0
"""What a second unseen adds to the reach."""
_FARTHER = 2.5
"""How many times farther a face of unknown velocity may lie that looks just like the track: people also run."""
_SAME_PLACE = 0.4
"""A face that is not found is not shown where another one is, if they overlap so much."""
_CROWDED = 0.85
"""Faces whose middles are nearer than this, in face sides, cover each other."""
_NEAR = 1.2
"""Faces that come nearer than this may be taken for each other."""


def link(presence: Tracks, image: Image, faces: Sequence[Face], time: float) -> None:
    """Give the faces found in a frame to the tracks, and begin tracks for the others."""
    # Where a face that was out of sight for longer turns up, another one may: only its picture can tell.
    tracks = [track for track in presence.tracks.values() if not track.lost]
    looks = [appearance(image, face.box) for face in faces]
    alike = likenesses([track.looks for track in tracks], looks)
    reach = np.array([_reach(track, time) for track in tracks])[:, None]
    fresh = np.array([track.motion.updates == 1 for track in tracks], dtype=bool)[:, None]
    pairs = match_boxes(
        [track.box for track in tracks],
        np.where(fresh & (alike >= SAME), _FARTHER * reach, reach),
        [face.box for face in faces],
        unlikeness(alike, [track.near for track in tracks]),
    )
    before = [track.missed for track in tracks]
    for track in tracks:
        track.missed = True
    for row, column in pairs:
        tracks[row].found(faces[column], looks[column], time)
    _veil([t for t, missed in zip(tracks, before, strict=True) if t.missed and not missed], tracks)
    taken = {column for _, column in pairs}
    for column, face in enumerate(faces):
        if column not in taken:
            presence.add(Track.begin(presence.new_id(), face, looks[column], time))
    _note_meetings([track for track in presence.tracks.values() if track.face is not None])


def look_after(presence: Tracks, image: Image, time: float) -> None:
    """Decide which tracks this frame shows, and end those that have been out of sight for too long."""
    height, width = image.shape[:2]
    options, gone = presence.options, []
    found = [track.box for track in presence.tracks.values() if not (track.missed or track.lost)]
    for track in presence.tracks.values():
        x, y = track.box.center
        unseen = time - track.last_time
        track.lost |= unseen > options.coast
        inside = 0 <= x < width and 0 <= y < height
        free = not track.missed or all(box_iou(track.box, box) < _SAME_PLACE for box in found)
        track.shown = track.face is not None or (not track.lost and inside and free)
        # What was found once or twice may be no face; it is not waited for.
        if unseen > (options.keep_lost if presence.is_real(track) else options.coast):
            gone.append(track)
        elif track.shown:
            track.show()
    presence.end(gone)


def _reach(track: Track, time: float) -> float:
    return (_REACH_NEW if track.motion.updates == 1 else _REACH) + _REACH_GROWS * (time - track.last_time)


def _veil(gone: Sequence[Track], tracks: Sequence[Track]) -> None:
    """Where a face is gone behind another one, either of the two may be the one that is still seen."""
    for hidden in gone:
        for track in tracks if hidden.near else ():
            if not track.missed and gaps_to_others([track.box, hidden.box])[0] < _CROWDED:
                track.mistakable.add(hidden.track_id)
                hidden.mistakable.add(track.track_id)


def _note_meetings(tracks: Sequence[Track]) -> None:
    for track, gap in zip(tracks, gaps_to_others([track.box for track in tracks]), strict=True):
        track.crowded, track.near = gap < _CROWDED, gap < _NEAR
        if track.near:
            track.check, track.verified = True, False
