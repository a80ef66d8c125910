"""``knownface calibrate`` as a user runs it, with dlib's weights on real faces."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knownface import FaceRecognizer
from knownface.media import write_image
from knownface.types import Image

Run = Callable[..., Any]


@pytest.fixture
def enrolled(knownface: Run, people: Path) -> Path:
    assert knownface("enroll", people, "--embedder", "dlib-resnet").status == 0
    return people


@pytest.fixture
def others(alone: Path, strangers: list[Image]) -> Path:
    """Sixteen strangers: a file each, one of them in a folder of its own; and a picture without a face."""
    folder = alone / "others"
    for i, picture in enumerate(strangers[5:20]):
        write_image(folder / f"stranger {i}.png", picture)
    write_image(folder / "last" / "one.png", strangers[20])
    write_image(folder / "nobody.png", np.full((90, 90, 3), 128, np.uint8))
    return folder


def test_from_calibrating_to_identifying(knownface: Run, enrolled: Path, others: Path) -> None:
    gallery = enrolled.parent.parent / "gallery.db"
    ran = knownface("calibrate", gallery, "--fpir", "0.3", "--strangers", others)
    assert ran.status == 0, ran
    assert "at most 30.00% of strangers get a name, with 95% confidence" in ran.out
    assert "16 people; 1 pictures without a face" in ran.out
    assert "it is used from now on" in ran.out

    with FaceRecognizer.open() as recognizer:
        calibration = recognizer.gallery.calibration
        assert calibration is not None
        assert recognizer.rule == calibration.rule
    for command in (["identify", enrolled / "Ben"], ["enroll", enrolled], ["gallery", "info"], ["doctor"]):
        told = knownface(*command)
        assert f"Calibrated on {calibration.calibrated_at:%Y-%m-%d}" in told.out + told.err, command
    set_otherwise = knownface("identify", enrolled / "Ben", "--threshold", "1.9")
    assert "does not hold" in set_otherwise.err

    assert knownface("calibrate", "--forget").status == 0
    assert "Calibrated on" not in knownface("gallery", "info").out


def test_a_refusal_says_how_many_strangers_would_do(knownface: Run, enrolled: Path) -> None:
    ran = knownface("calibrate", "--fpir", "0.01")
    assert ran.status == 12
    assert "cannot be promised" in ran.err
    assert "Give pictures of" in ran.err
    with FaceRecognizer.open() as recognizer:
        assert recognizer.gallery.calibration is None
    missing = knownface("calibrate", "--strangers", "missing")
    assert missing.status == 3
    assert "no folder missing" in missing.err


def test_people_who_are_enrolled_are_no_strangers(knownface: Run, enrolled: Path, others: Path) -> None:
    shutil.copy(enrolled / "Ben" / "one.png", others / "Ben.png")
    shutil.copy(enrolled / "Zoë" / "one.png", others / "Someone.png")
    ran = knownface("calibrate", "--fpir", "0.3", "--strangers", others)
    assert ran.status == 0, ran
    assert "Ben lie among the strangers" in ran.err
    assert "1 faces of strangers come from files that are enrolled" in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["none.db"], 7, "none.db"),
        (["a.db", "--gallery", "b.db"], 8, "both given"),
        (["--fpir", "0"], 2, "--fpir"),
    ],
)
def test_what_goes_wrong_is_told(knownface: Run, alone: Path, arguments: list[str], status: int, told: str) -> None:
    ran = knownface("calibrate", *arguments)
    assert (ran.status, "Traceback" in ran.err) == (status, False)
    assert told in ran.err


def test_an_empty_gallery_is_told(knownface: Run, alone: Path) -> None:
    FaceRecognizer.open("empty.db", embedder="dlib-resnet").close()
    ran = knownface("calibrate", "empty.db", "--embedder", "dlib-resnet")
    assert ran.status == 7
    assert "Nobody is enrolled" in ran.err


def test_export_for_research(knownface: Run, enrolled: Path, tmp_path: Path) -> None:
    file = tmp_path / "faces.npz"
    assert "4 templates" in knownface("gallery", "export", "--npz", file).out
    with np.load(file, allow_pickle=False) as read:
        assert sorted(set(read["names"].tolist())) == ["Ben", "Eileen Collins", "Zoë"]
        assert read["embeddings"].shape == (4, 128)
    assert knownface("gallery", "export", "--npz", tmp_path / "faces.npz" / "x").status == 11
