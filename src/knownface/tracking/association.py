"""Data association: which detection is which track, which tracks are visible, whose faces may be mixed up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from knownface.tracking.appearance import SAME, appearance, likenesses, unlikeness
from knownface.tracking.assignment import gaps_to_others, match_boxes
from knownface.tracking.motion import Motion
from knownface.tracking.track import Track
from knownface.tracking.tracks import Tracks
from knownface.types import Box, Face, Image, box_iou

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

_JUMP = 0.5
"""A face that lies farther than this from where its track should be has not moved as before..."""
_PLACE = 0.2
"""...and is rather that of a track that should be nearer than this."""


def associate(tracks: Tracks, image: Image, faces: Sequence[Face], time: float) -> None:
    """Assigns the faces detected in a frame to tracks, and begins tracks for the others."""
    # Where a face that was out of sight for longer turns up, another one may: only its embedding can say.
    known = [track for track in tracks if not track.motion.lost]
    appearances = [appearance(image, face.box) for face in faces]
    alike = likenesses([track.motion.appearance for track in known], appearances)
    reach = np.array([_reach(track.motion, time) for track in known])[:, None]
    fresh = np.array([track.motion.filter.updates == 1 for track in known], dtype=bool)[:, None]
    pairs = match_boxes(
        [track.motion.box for track in known],
        np.where(fresh & (alike >= SAME), _FARTHER * reach, reach),
        [face.box for face in faces],
        unlikeness(alike, [track.motion.near for track in known]),
    )
    detected_before = [track for track in known if not track.motion.missed]
    for track in known:
        track.motion.missed = True
    pairs = [(row, column) for row, column in pairs if not _takes_place(known, row, faces[column].box)]
    for row, column in pairs:
        known[row].detect(faces[column], appearances[column], time)
    _mark_ambiguous([track for track in detected_before if track.motion.missed], known)
    taken = {column for _, column in pairs}
    for column, face in enumerate(faces):
        if column not in taken:
            tracks.begin(face, appearances[column], time)
    found = [track for track in tracks if track.motion.face is not None]
    _mark_uncovered(found, [track for track in tracks if track.motion.face is None])
    _note_neighbours(found)


def update_visibility(tracks: Tracks, image: Image, time: float) -> None:
    """Decides which tracks this frame shows, and ends those that have been out of sight for too long."""
    height, width = image.shape[:2]
    options, gone = tracks.options, []
    found = [track.motion.box for track in tracks if not (track.motion.missed or track.motion.lost)]
    for track in tracks:
        motion = track.motion
        x, y = motion.box.center
        unseen = time - motion.last_time
        motion.lost |= unseen > options.coast
        inside = 0 <= x < width and 0 <= y < height
        free = not motion.missed or all(box_iou(motion.box, box) < _SAME_PLACE for box in found)
        motion.visible = motion.face is not None or (not motion.lost and inside and free)
        # What was found once or twice may be no face; it is not waited for.
        if unseen > (options.keep_lost if tracks.is_confirmed(track) else options.coast):
            gone.append(track)
        elif motion.visible:
            track.count_frame()
    tracks.end(gone)


def _takes_place(tracks: Sequence[Track], row: int, box: Box) -> bool:
    """Whether a track would jump to where another one should be: then only a picture tells whose face it is."""
    own = _gap(tracks[row].motion.box, box)
    others = [_gap(t.motion.box, box) for t in tracks if t is not tracks[row]]
    return own > _JUMP and min(others, default=math.inf) < _PLACE


def _reach(motion: Motion, time: float) -> float:
    return (_REACH_NEW if motion.filter.updates == 1 else _REACH) + _REACH_GROWS * (time - motion.last_time)


def _mark_ambiguous(gone: Sequence[Track], tracks: Sequence[Track]) -> None:
    """Where a face is gone behind another one, either of the two may be the one that is still seen."""
    for hidden in gone:
        for track in tracks if hidden.motion.near else ():
            if not track.motion.missed and _gap(track.motion.box, hidden.motion.box) < _CROWDED:
                _confuse(track, hidden)


def _mark_uncovered(found: Sequence[Track], hidden: Sequence[Track]) -> None:
    """Where a face comes out from behind another one, either of the two may be the one that was in front."""
    begun = [track.motion.box for track in found if track.motion.detections == 1]
    for front in found if begun and hidden else ():
        box = front.motion.box
        if front.motion.detections > 1 and any(_gap(box, new) < _NEAR for new in begun):
            for track in hidden:
                if _gap(box, track.motion.box) < _NEAR:
                    _confuse(front, track)


def _confuse(a: Track, b: Track) -> None:
    a.ambiguous_with.add(b.track_id)
    b.ambiguous_with.add(a.track_id)


def _gap(a: Box, b: Box) -> float:
    return gaps_to_others([a, b])[0]


def _note_neighbours(tracks: Sequence[Track]) -> None:
    for track, gap in zip(tracks, gaps_to_others([track.motion.box for track in tracks]), strict=True):
        track.motion.crowded, track.motion.near = gap < _CROWDED, gap < _NEAR
        if track.motion.near:
            track.requests.check, track.evidence.verified = True, False
            track.requests.crowded |= track.motion.crowded
