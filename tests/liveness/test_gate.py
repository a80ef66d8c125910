"""A print of somebody enrolled, on every way to a name; with the toy engine, whose prints are told by a pixel."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_plugin
from knownface import FaceRecognizer
from knownface.gallery.liveness import (
    LivenessCalibration,
    forget_liveness_calibrations,
    store_liveness_calibration,
)
from knownface.live import LiveSession, SessionOptions
from knownface.media import write_image
from knownface.tracking import TrackedFace
from knownface.types import Image

PHOTO = toy_plugin.picture(0, 2)
PRINT = toy_plugin.printed(PHOTO)


def _opened(liveness: str) -> FaceRecognizer:
    return FaceRecognizer.open(create=False, liveness=liveness, liveness_check="toy")


@pytest.fixture
def name(enrolled_toys: Path) -> str:
    """Whom the photo shows."""
    with FaceRecognizer.open(create=False) as recognizer:
        [found] = recognizer.identify(PHOTO)
    assert found.name is not None
    assert found.liveness is None
    return found.name


def test_stills(name: str) -> None:
    with _opened("show") as recognizer:
        [shown] = recognizer.identify(PRINT)
        assert (shown.name, shown.liveness and shown.liveness.live) == (name, False)
        assert recognizer.verify(PRINT, PHOTO).same
    with _opened("require") as recognizer:
        [alive], [held_up] = recognizer.identify(PHOTO), recognizer.identify(PRINT)
        assert (alive.name, alive.liveness and alive.liveness.live) == (name, True)
        assert (held_up.name, held_up.decision.reason, held_up.decision.candidates) == (None, "not live", ())
        answers = recognizer.identify_many([PRINT, PHOTO], lambda image: image)
        assert [answer.faces[0].name for answer in answers] == [None, name]
        assert recognizer.verify(PHOTO, PRINT).same, "the second picture may be a passport's"
        for refused in (recognizer.verify(PRINT, PHOTO), recognizer.verify_person(PRINT, name)):
            assert (refused.same, refused.barred) == (False, True)
            assert "does not look alive" in refused.reason
        assert recognizer.verify_person(PHOTO, name).same


def _watched(recognizer: FaceRecognizer, frames: list[Image]) -> tuple[list[TrackedFace], int]:
    """The faces frame by frame, and how many tracks were somebody or an Unknown in the end."""
    options = SessionOptions(wait_for_names=True, detect_every=1)
    with LiveSession(recognizer, options) as session:
        faces = [session.frame(frame, n / 10).faces[0] for n, frame in enumerate(frames)]
        ended = session.end_tracks().ended
    return faces, sum(track.identity.state != "pending" for track in ended)


def test_tracks(name: str) -> None:
    rng = np.random.default_rng(2)
    alive = [np.clip(PHOTO + rng.normal(0, 3, PHOTO.shape), 0, 255).astype(np.uint8) for _ in range(30)]
    prints = [toy_plugin.printed(frame) for frame in alive]
    with _opened("require") as recognizer:
        faces, known = _watched(recognizer, alive)
        assert (faces[0].identity.label, faces[-1].identity.label, known) == ("", name, 1), "one picture is too few"
        faces, known = _watched(recognizer, prints)
        assert {face.identity.label for face in faces[3:]} == {"Not live"}
        assert known == 0, "an attack is nobody, not even an Unknown"
        assert "not like a living face" in faces[-1].identity.why
    with _opened("show") as recognizer:
        faces, _ = _watched(recognizer, prints)
        assert (faces[-1].identity.name, faces[-1].identity.liveness and faces[-1].identity.liveness.live) == (
            name,
            False,
        )


def test_the_command_line(
    knownface: Callable[..., Any], name: str, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_LIVENESS_CHECK", "toy")
    write_image(alone / "print.png", PRINT)
    write_image(alone / "photo.png", PHOTO)
    ran = knownface("identify", "print.png", "photo.png", "--require-live", "--json", "-")
    rows = json.loads(ran.out)
    assert [(row["name"], row["reason"], row["liveness"]) for row in rows] == [
        (None, "not live", 0.05),
        (name, "named", 0.95),
    ]
    ran = knownface("verify", name, "print.png", "--require-live")
    assert (ran.status, "does not look alive" in ran.out) == (1, True)
    knownface("identify", "print.png", "--liveness", "show", "--csv", "faces.csv")
    header, row = (alone / "faces.csv").read_text(encoding="utf-8-sig").splitlines()[:2]
    assert (header.split(",")[-1], row.split(",")[-1], name in row) == ("liveness", "0.05", True)


def test_a_chosen_threshold_is_kept_with_the_gallery(
    knownface: Callable[..., Any], enrolled_toys: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_LIVENESS_CHECK", "toy")
    for number in range(12):
        write_image(alone / "real" / f"{number}.png", toy_plugin.picture(number, 0))
        write_image(alone / "attacks" / f"{number}.png", toy_plugin.printed(toy_plugin.picture(number, 0)))
    ran = knownface("calibrate", "--liveness", "--attacks", "attacks", "--real", "real")
    assert (ran.status, "0.0% of 12 living faces are refused" in ran.out) == (0, True)
    with FaceRecognizer.open(create=False, liveness="show") as recognizer:
        assert recognizer.liveness_rule.threshold == pytest.approx(0.05, abs=1e-6), "just above what every print has"
    with FaceRecognizer.open(create=False, liveness="require", liveness_threshold=0.7) as recognizer:
        assert recognizer.liveness_rule.threshold == 0.7
    ran = knownface("evaluate", "--attacks", "attacks", "--real", "real", "--out", "report")
    assert (ran.status, "The equal error rate is 0.0%" in ran.out) == (0, True)
    assert (alone / "report" / "plots" / "liveness.png").stat().st_size > 10_000
    assert "goes with --attacks and --real" in knownface("calibrate", "--liveness").err
    assert knownface("calibrate", "--forget").status == 0
    with FaceRecognizer.open(create=False, liveness="show") as recognizer:
        assert recognizer.liveness_rule.threshold == 0.5
        assert knownface("undo").out.startswith("Undone: Calibration for living faces deleted.")
        recognizer.identify(PHOTO)  # what is open follows
        assert recognizer.liveness_rule.threshold == pytest.approx(0.05, abs=1e-6)
        assert knownface("undo").out.startswith("Undone: Calibrated for living faces: ")
        assert "nothing to undo" in knownface("undo").err
    with FaceRecognizer.open(create=False, liveness="show") as recognizer:
        assert recognizer.liveness_rule.threshold == 0.5


def test_what_is_open_follows_a_calibration(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knownface.live.session._GALLERY_EVERY", 0.0)
    with _opened("require") as running, _opened("show") as other:
        assert running.liveness is not None
        [alive] = running.identify(PHOTO)
        assert (alive.name, running.liveness_rule.threshold) == (name, running.liveness.threshold)
        options = SessionOptions(wait_for_names=True, detect_every=1)
        with LiveSession(running, options) as session:
            before = [session.frame(PHOTO, number / 10).faces[0] for number in range(8)]
            strict = LivenessCalibration(running.liveness.fingerprint, 0.99, 0.05, 0.0, 0.0, "", datetime.now(UTC))
            store_liveness_calibration(other.gallery.database, strict)
            [barred] = running.identify(PHOTO)
            assert (barred.name, barred.liveness and barred.liveness.threshold) == (None, 0.99)
            [after] = session.frame(PHOTO, 1.0).faces
        assert (before[-1].identity.label, after.identity.label) == (name, "Not live")
        forget_liveness_calibrations(other.gallery.database)
        assert running.liveness_rule.threshold == running.liveness.threshold
