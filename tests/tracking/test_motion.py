from __future__ import annotations

import numpy as np
import pytest
from tracking_world import draw, face_at, scene

from knownface.tracking.appearance import Appearance, appearance
from knownface.tracking.motion import Motion
from knownface.types import Box

BOX = Box(40, 60, 50, 60)


def look(person: str) -> Appearance:
    image = scene()
    draw(image, person, BOX)
    return appearance(image, BOX)


def begun() -> Motion:
    return Motion.begin(face_at(BOX), look("Ada"), 0.0)


def test_a_frame_without_a_detection_coasts_and_counts() -> None:
    motion = begun()
    motion.count_frame()
    for n in range(1, 4):
        motion.predict(n / 25)
        assert motion.face is None
        motion.count_frame()
    assert (motion.frames, motion.coasted, motion.detections) == (4, 3, 1)
    motion.predict(4 / 25)
    assert not motion.detect(face_at(BOX), look("Ada"), 4 / 25)
    motion.count_frame()
    assert (motion.frames, motion.coasted, motion.detections, motion.last_time) == (5, 0, 2, 4 / 25)


def test_a_detection_that_looks_like_somebody_else_is_odd() -> None:
    motion = begun()
    assert motion.detect(face_at(BOX), look("Ben"), 0.04)


def test_what_a_crowded_face_looks_like_is_not_remembered() -> None:
    motion = begun()
    motion.crowded = True
    motion.detect(face_at(BOX), look("Ben"), 0.04)
    assert np.array_equal(motion.appearance, look("Ada"))
    motion.crowded = False
    motion.detect(face_at(BOX), look("Ben"), 0.08)
    assert not np.array_equal(motion.appearance, look("Ada"))


def test_frames_that_coasted_are_those_of_the_track_that_found_the_face_again() -> None:
    old, newer = begun(), Motion.begin(face_at(Box(90, 60, 50, 60)), look("Ada"), 0.2)
    old.count_frame()
    for n in range(1, 4):
        old.predict(n / 25)
        old.count_frame()
    for _ in range(2):
        newer.count_frame()
    old.hide()
    old.resume(newer)
    assert (old.frames, old.detections) == (1 + 2, 2)
    assert (old.first_time, old.last_time) == (0.0, 0.2)
    assert old.box == newer.box
    assert old.visible
    assert not old.lost


def test_who_took_the_place_is_where_the_first_one_was() -> None:
    motion = begun()
    other = motion.split(0.0, 3)
    motion.hide()
    assert (other.detections, other.visible, other.face is not None) == (3, True, True)
    assert not motion.visible
    assert other.box.center == pytest.approx(BOX.center)


def test_who_is_found_again_moves_on_as_before_and_not_as_who_was_taken_for_them() -> None:
    right = Motion.begin(face_at(BOX), look("Ada"), 0.0)
    left = Motion.begin(face_at(Box(140, 60, 50, 60)), look("Ben"), 0.0)
    for n in range(1, 6):
        right.detect(face_at(Box(40 + 10 * n, 60, 50, 60)), look("Ada"), n / 25)
        left.detect(face_at(Box(140 - 10 * n, 60, 50, 60)), look("Ben"), n / 25)
    left.detect(face_at(Box(100, 60, 50, 60)), look("Ada"), 6 / 25)
    taken = left.split(6 / 25, 1)
    left.hide()
    right.hide()
    right.resume(taken)
    right.predict(8 / 25)
    assert right.box.x == pytest.approx(120, abs=5)


def test_who_is_found_again_elsewhere_moves_as_there() -> None:
    old, newer = begun(), Motion.begin(face_at(Box(200, 60, 50, 60)), look("Ada"), 0.2)
    for n in range(1, 4):
        old.detect(face_at(Box(40 + 10 * n, 60, 50, 60)), look("Ada"), n / 25)
    newer.detect(face_at(Box(190, 60, 50, 60)), look("Ada"), 0.24)
    old.hide()
    old.resume(newer)
    old.predict(0.28)
    assert old.box.x == pytest.approx(180, abs=2)
