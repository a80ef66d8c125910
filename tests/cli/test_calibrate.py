"""``knownface calibrate`` as a user runs it: once with dlib's weights on real faces, else with the toy engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_plugin
from knownface import FaceRecognizer
from knownface.gallery import Gallery
from knownface.media import write_image
from knownface.types import Image

Run = Callable[..., Any]


def write_others(folder: Path, pictures: Sequence[Image]) -> Path:
    """Sixteen strangers: a file each, one of them in a folder of its own; and a picture without a face."""
    for i, picture in enumerate(pictures[:15]):
        write_image(folder / f"stranger {i}.png", picture)
    write_image(folder / "last" / "one.png", pictures[15])
    write_image(folder / "nobody.png", np.full((90, 90, 3), 128, np.uint8))
    return folder


@pytest.fixture
def others(alone: Path, strangers: list[Image]) -> Path:
    return write_others(alone / "others", strangers[5:21])


@pytest.fixture
def toy_others(alone: Path) -> Path:
    return write_others(alone / "others", [toy_plugin.picture(person, 0) for person in range(20, 36)])


@pytest.mark.slow
def test_from_calibrating_to_identifying(knownface: Run, enrolled_people: Path, others: Path) -> None:
    gallery = enrolled_people.parent.parent / "gallery.db"
    ran = knownface("calibrate", gallery, "--fpir", "0.3", "--strangers", others)
    assert ran.status == 0, ran
    assert "at most 30.00% of strangers get a name, with 95% confidence" in ran.out
    assert "16 people; 1 picture without a face" in ran.out
    assert "it is used from now on" in ran.out

    with FaceRecognizer.open() as recognizer:
        calibration = recognizer.gallery.calibration
        assert calibration is not None
        assert recognizer.rule == calibration.rule
    for command in (
        ["identify", enrolled_people / "Ben"],
        ["enroll", enrolled_people],
        ["gallery", "info"],
        ["doctor"],
    ):
        told = knownface(*command)
        assert f"Calibrated on {calibration.calibrated_at:%Y-%m-%d}" in told.out + told.err, command
    set_otherwise = knownface("identify", enrolled_people / "Ben", "--threshold", "1.9")
    assert "does not hold" in set_otherwise.err

    assert knownface("calibrate", "--forget").status == 0
    assert "Calibrated on" not in knownface("gallery", "info").out


def test_a_refusal_says_how_many_strangers_would_do(knownface: Run, enrolled_toys: Path) -> None:
    ran = knownface("calibrate", "--fpir", "0.01")
    assert ran.status == 12
    assert "cannot be promised" in ran.err
    assert "It takes pictures of" in ran.err
    assert "Nothing was stored: the threshold stays" in ran.err
    with FaceRecognizer.open() as recognizer:
        assert recognizer.gallery.calibration is None
    missing = knownface("calibrate", "--strangers", "missing")
    assert missing.status == 3
    assert "no folder missing" in missing.err


def test_people_who_are_enrolled_are_no_strangers(knownface: Run, enrolled_toys: Path, toy_others: Path) -> None:
    shutil.copy(enrolled_toys / "Ben" / "one.png", toy_others / "Ben.png")
    shutil.copy(enrolled_toys / "Zoë" / "one.png", toy_others / "Someone.png")
    ran = knownface("calibrate", "--fpir", "0.3", "--strangers", toy_others)
    assert ran.status == 0, ran
    assert "Ben: enrolled too" in ran.err
    assert "1 faces of strangers come from files that are enrolled" in " ".join(ran.err.split())


@pytest.fixture
def toy_crowd(alone: Path, toy_engine: None) -> Path:
    """Twenty people with two pictures each, enrolled."""
    for person in range(20):
        for number in range(2):
            write_image(alone / "crowd" / f"Person {person}" / f"{number}.png", toy_plugin.picture(person, number))
    return alone / "crowd"


@pytest.mark.slow
def test_strangers_who_are_enrolled_after_all_are_shown_and_left_out(
    knownface: Run, toy_crowd: Path, alone: Path
) -> None:
    for person in range(20, 120):
        write_image(alone / "many" / f"Nobody {person}.png", toy_plugin.picture(person, 0))
    for person in (3, 4):
        write_image(alone / "many" / f"Someone {person}.png", toy_plugin.picture(person, 2))
    assert knownface("enroll", toy_crowd).status == 0
    options = ("calibrate", "--fpir", "0.03", "--strangers", alone / "many")
    ran = knownface(*options, "--sheet", alone / "sheet.png")
    assert ran.status == 12, ran
    assert "2 strangers far nearer than strangers are" in ran.out
    assert "Someone 3 (like Person 3" in " ".join(ran.err.split())
    assert (alone / "sheet.png").is_file()
    ran = knownface(*options, "--not-strangers", "someone 3", "--not-strangers", alone / "many" / "Someone 4.png")
    assert ran.status == 0, ran
    assert "far nearer" not in ran.out
    assert "100 people" in ran.out


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--not-strangers", "Ann"], 8, "--strangers DIR"),
        (["none.db"], 7, "none.db"),
        (["a.db", "--gallery", "b.db"], 8, "both given"),
        (["--fpir", "0"], 2, "--fpir"),
    ],
)
def test_what_goes_wrong_is_told(knownface: Run, alone: Path, arguments: list[str], status: int, told: str) -> None:
    ran = knownface("calibrate", *arguments)
    assert (ran.status, "Traceback" in ran.err) == (status, False)
    assert told in ran.err


def test_an_empty_gallery_is_told(knownface: Run, toy_engine: None) -> None:
    Gallery.open("empty.db").close()
    ran = knownface("calibrate", "empty.db")
    assert ran.status == 7
    assert "Nobody is enrolled" in ran.err


def test_export_for_research(knownface: Run, enrolled_toys: Path, tmp_path: Path) -> None:
    file = tmp_path / "faces.npz"
    assert "4 templates" in knownface("gallery", "export", "--npz", file).out
    with np.load(file, allow_pickle=False) as read:
        assert sorted(set(read["names"].tolist())) == ["Ben", "Eileen Collins", "Zoë"]
        assert read["embeddings"].shape == (4, 64)
    assert knownface("gallery", "export", "--npz", tmp_path / "faces.npz" / "x").status == 11


def test_the_threshold_follows_the_people(knownface: Run, alone: Path, toy_engine: None) -> None:
    for person in range(4):
        for number in range(2):
            write_image(alone / "crowd" / f"Person {person}" / f"{number}.png", toy_plugin.picture(person, number))
    picture = alone / "crowd" / "Person 3" / "0.png"

    def told(*words: object) -> str:
        ran = knownface(*words)
        assert ran.status == 0, ran
        return " ".join((ran.out + ran.err).split())

    told("enroll", alone / "crowd")
    of_four = "about 1 in 20 strangers, estimated from your 4 people (not promised: `knownface calibrate`)"
    assert of_four in told("identify", picture, "--fpir", "0.05")
    assert "about 1 in 100 strangers, estimated from your 4 people" in told("gallery", "info")
    assert "about 1 in 100 strangers, estimated from your 4 people" in told("doctor")
    told("people", "remove", "Person 1", "--yes")
    assert "estimated from your 3 people" in told("identify", picture)
    assert "by the threshold 0.5, which you gave" in told("identify", picture, "--threshold", "0.5")
    told("people", "remove", "Person 2", "--yes")
    assert "the usual threshold of toy, 0.9" in told("identify", picture)
