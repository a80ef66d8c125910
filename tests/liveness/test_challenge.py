"""A turn of the head: who turns passes, and no sheet does, however it is moved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.detection import choose_detector
from knownface.liveness.challenge import SECONDS, Challenge, Pose, Side, look, pose_of
from knownface.media import read_image
from knownface.models import ModelStore
from knownface.settings import load_settings
from knownface.types import Image, Landmarks

# Eyes, nose and mouth of a head as an average face has them, in distances of the eyes; the nose stands out.
_HEAD = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.6, -0.55], [-0.4, 1.1, -0.1], [0.4, 1.1, -0.1]])
_SHEET = _HEAD * (1, 1, 0)


def seen(
    points: np.ndarray, yaw: float, pitch: float = 0, roll: float = 0, away: float = 8, shift: float = 0
) -> Landmarks:
    """What a camera sees of points that are turned by so many degrees, at a distance in distances of the eyes."""
    a, b, c = np.radians((yaw, pitch, roll))
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    x, y, z = (about_z @ about_x @ about_y @ points.T) + np.array([[shift], [0], [away]])
    return np.asarray(np.stack([x / z, y / z], axis=1) * 900, dtype=np.float32)


def ended(side: Side, poses: Sequence[Pose | None], every: float = 0.1) -> Challenge:
    challenge = Challenge(side)
    for number, pose in enumerate(poses):
        challenge = look(challenge, number * every, pose)
    return challenge


def turning(points: np.ndarray, most: float, **how: float) -> list[Pose | None]:
    """From the front to a turn and no further, as people do it in a second."""
    degrees = [*[0.0] * 4, *np.linspace(0, most, 10), *[most] * 4]
    return [pose_of(seen(points, one, **how)) for one in degrees]


@settings(max_examples=30)
@given(st.floats(36, 55), st.floats(-12, 12), st.floats(-20, 20), st.floats(5, 20))
def test_who_turns_to_the_side_that_is_asked_passes(yaw: float, pitch: float, roll: float, away: float) -> None:
    how = {"pitch": pitch, "roll": roll, "away": away}
    left, right = turning(_HEAD, -yaw, **how), turning(_HEAD, yaw, **how)
    assert [ended("left", left).state, ended("right", right).state] == ["passed", "passed"]
    assert [ended("left", right).why, ended("right", left).why] == ["wrong side", "wrong side"]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.floats(-75, 75), st.floats(-40, 40), st.floats(-45, 45), st.floats(-2, 2)), max_size=30),
    st.floats(4, 20),
)
def test_no_sheet_passes(path: list[tuple[float, float, float, float]], away: float) -> None:
    front = [pose_of(seen(_SHEET, 0, away=away))] * 4
    moved = [pose_of(seen(_SHEET, yaw, pitch, roll, away, shift)) for yaw, pitch, roll, shift in path]
    for side in ("left", "right"):
        assert ended(side, [*front, *moved]).state != "passed"  # type: ignore[arg-type]


def test_what_is_swapped_or_late_or_away_does_not_pass() -> None:
    front, turned = pose_of(seen(_HEAD, 0)), pose_of(seen(_HEAD, -40))
    assert ended("left", [front] * 4 + [turned] * 3).why == "jumped"
    assert ended("left", [front] * 4 + [front] * round(SECONDS / 0.1 + 2)).why == "too slow"
    assert ended("left", [turned] * 20).state == "front"
    assert ended("left", [front] * 3 + [None] * 10).state == "asked"
    away = [*[front] * 3, *turning(_HEAD, -40)]
    assert ended("left", away, every=2.0).state == "front"
    over = Challenge("left", "failed", "jumped")
    assert look(over, 1.0, front) is over
    assert pose_of(np.full((5, 2), np.nan, np.float32)) is None


def test_photos_that_are_moved_do_not_pass(face_data: Path, model_folder: Path, tmp_path: Path) -> None:
    detector, _ = choose_detector(load_settings(detector="yunet-n-dynamic"), ModelStore(model_folder, tmp_path))
    rng = np.random.default_rng(4)
    for folder in sorted((face_data / "lfw62").iterdir())[:3]:
        photo = read_image(sorted(folder.iterdir())[0])
        for side, most in (("left", -50), ("right", 50)):
            challenge = Challenge(side)  # type: ignore[arg-type]
            for number in range(16):
                share = max(0, number - 4) / 11
                sheet = swung(photo, most * share, rng.uniform(-15, 15) * share, rng.uniform(-20, 20) * share)
                faces = detector.detect(sheet)
                challenge = look(challenge, number / 10, pose_of(faces[0].landmarks) if faces else None)
            assert challenge.state != "passed", folder.name


def swung(photo: Image, yaw: float, pitch: float, roll: float) -> Image:
    """A photo on a sheet that is held before a camera and turned by so many degrees."""
    height, width = photo.shape[:2]
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=np.float64)
    there = seen(corners, yaw, pitch, roll, away=4) / 900 * 2 * width + (width / 2, height / 2)
    here = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(here, there.astype(np.float32))
    shown = cv2.warpPerspective(photo, matrix, (width, height), borderValue=(120, 120, 120))
    return np.asarray(shown, dtype=np.uint8)
