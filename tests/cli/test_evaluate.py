from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_plugin
from knownface.media import write_image
from knownface.types import Image


@pytest.fixture
def faces(alone: Path, astronaut: Image, strangers: list[Image]) -> Path:
    """Three real people in train and val, one of them with a val picture only the mirror of the other."""
    folder = alone / "faces"
    small = np.ascontiguousarray(astronaut[:256, 96:352])
    for name, picture in (("Eileen", small), ("Zoë", strangers[0]), ("Ben", strangers[1])):
        write_image(folder / name / "train" / "1.png", picture)
        write_image(folder / name / "val" / "2.png", np.ascontiguousarray(picture[:, ::-1]))
    for number in range(2, 6):
        write_image(alone / "strangers" / f"s{number}.png", strangers[number])
    return folder


@pytest.fixture
def toy_faces(alone: Path, toy_engine: None) -> Path:
    """The same of the toy engine's people."""
    for person, name in enumerate(("Eileen", "Zoë", "Ben")):
        for shot, place in enumerate(("train/1.png", "val/2.png")):
            write_image(alone / "faces" / name / place, toy_plugin.picture(person, shot))
    return alone / "faces"


@pytest.mark.slow
def test_evaluate_from_folder_to_report(knownface: Callable[..., Any], faces: Path, alone: Path) -> None:
    arguments = ("evaluate", faces, "--out", alone / "out", "--embedder", "dlib-resnet", "--detector", "dlib-hog")
    grid = ("--thresholds", "0.2", "0.6", "0.1", "--k1", "1", "2", "--k2", "2", "3")
    ran = knownface(*arguments, *grid, "--strangers", alone / "strangers", "--drop-problem-people", "0.5")
    assert ran.status == 0, ran.err
    assert "3 pictures of 3 people" in ran.out
    assert str(alone / "out" / "index.html") in ran.out
    told = json.loads((alone / "out" / "report.json").read_text(encoding="utf-8"))
    assert told["facts"]["Command"].startswith(f"knownface evaluate {faces} --out {alone / 'out'}")
    assert "--thresholds 0.2 0.6 0.1" in told["facts"]["Command"]
    assert told["data"]["open_set"][0]["strangers"] == 4
    assert len((alone / "out" / "grid_search_results.csv").read_text().splitlines()) == 1 + 3 * 5


@pytest.mark.slow
def test_a_report_may_replace_what_lies_in_a_folder_if_asked_to(
    knownface: Callable[..., Any], toy_faces: Path, alone: Path
) -> None:
    (alone / "out").mkdir()
    (alone / "out" / "index.html").write_text("mine")
    arguments = ("evaluate", toy_faces, "--out", alone / "out", "--thresholds", "0.2", "0.4", "0.1")
    assert knownface(*arguments).status == 11
    assert (alone / "out" / "index.html").read_text() == "mine"
    ran = knownface(*arguments, "--overwrite")
    assert ran.status == 0, ran.err
    told = json.loads((alone / "out" / "report.json").read_text(encoding="utf-8"))
    assert " --overwrite " in told["facts"]["Command"]


@pytest.mark.slow
def test_an_experiment_from_the_command_line(knownface: Callable[..., Any], faces: Path, alone: Path) -> None:
    common = ("--out", alone / "out", "--detector", "dlib-hog", "--thresholds", "0.2", "0.6", "0.1")
    ran = knownface(
        "experiment", "compare", faces, *common, "--embedder", "dlib-resnet", "--embedder", "sface", "--people", "2"
    )
    assert ran.status == 0, ran.err
    assert "1 of 2 systems could be run" in ran.out
    told = json.loads((alone / "out" / "report.json").read_text(encoding="utf-8"))
    assert told["facts"]["Command"].endswith("--embedder dlib-resnet --embedder sface")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("evaluate", "missing"), 3, "There is no folder"),
        (("evaluate", "single"), 3, "no person has both"),
        (("evaluate", "faces", "--criterion", "luck"), 8, "'luck' cannot tell"),
        (("evaluate", "faces", "--criterion", "k1"), 8, "cannot tell which row is best"),
        (("evaluate", "faces", "--k1", "9", "9", "--k2", "2", "3"), 8, "no pair"),
        (("evaluate", "faces", "--thresholds", "1", "0.5", "0.1"), 8, "Thresholds need"),
        (("evaluate", "faces", "--strangers", "nowhere"), 3, "There is no folder"),
        (("evaluate", "faces", "--embedder", "nobody"), 5, "nobody"),
        (("experiment", "one-video", "single"), 3, "two frames"),
        (("experiment", "degrade", "blank"), 4, "could be used (most often: no face was found)"),
    ],
)
def test_mistakes_get_a_sentence_and_a_status(
    knownface: Callable[..., Any], toy_faces: Path, alone: Path, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    write_image(alone / "single" / "A" / "1.png", np.zeros((50, 50, 3), dtype=np.uint8))
    for shot in "12":
        write_image(alone / "blank" / "A" / f"{shot}.png", np.zeros((50, 50, 3), dtype=np.uint8))
    ran = knownface(*arguments, "--out", alone / "out")
    assert ran.status == status, ran.err
    assert sentence in ran.err
    assert "Traceback" not in ran.err


def test_help_names_every_experiment(knownface: Callable[..., Any]) -> None:
    text = knownface("experiment", "--help").out
    for name in ("growth", "augment", "degrade", "background", "one-video", "video", "compare"):
        assert name in text


@pytest.mark.slow
def test_real_people_are_named(
    knownface: Callable[..., Any], face_data: Path, model_folder: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_MODELS", str(model_folder))
    ran = knownface(
        "evaluate", face_data / "lfw62", "--people", "5", "--embedder", "mobilefacenet", "--out", alone / "out"
    )
    assert ran.status == 0, ran.err
    told = json.loads((alone / "out" / "report.json").read_text(encoding="utf-8"))
    assert told["data"]["best"]["accuracy"] >= 0.9


@pytest.mark.slow
def test_frames_on_both_sides_are_warned_about(knownface: Callable[..., Any], toy_faces: Path, alone: Path) -> None:
    ran = knownface("evaluate", toy_faces, "--out", alone / "out", "--split", "frames", "--people", "1")
    assert ran.status == 0, ran.err
    assert "flatters" in ran.err
