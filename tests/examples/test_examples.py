"""Every script of `examples/` runs as its first lines say, on real faces."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knownface.media import VideoWriter, write_image

EXAMPLES = Path(__file__).parents[2] / "examples"
WHO = "Eileen Collins"


@pytest.fixture
def run(alone):
    """A function that runs an example in a process of its own and returns what it printed."""

    def run_example(name, *arguments):
        ran = subprocess.run(
            [sys.executable, EXAMPLES / f"{name}.py", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONUTF8": "1"},
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run_example


@pytest.fixture
def people(tmp_path, astronaut, strangers):
    folder = tmp_path / "PEOPLE"
    for number, picture in enumerate((astronaut, (astronaut * 0.7).astype(np.uint8), astronaut[:, ::-1])):
        write_image(folder / WHO / f"{number}.png", picture)
    for number in range(2):
        write_image(folder / "Somebody" / f"{number}.png", strangers[number])
    return folder


@pytest.fixture
def photo(tmp_path, astronaut):
    path = tmp_path / "photo.png"
    write_image(path, (astronaut * 0.8).astype(np.uint8))
    return path


@pytest.mark.slow
def test_name_faces_in_photos(run, people, photo):
    assert f"photo.png: {WHO} at distance" in run("name_faces_in_photos", people, photo)
    assert photo.with_name("photo-named.jpg").is_file()


@pytest.mark.slow
def test_own_embedder(run, people, photo):
    assert f"{WHO} at distance" in run("own_embedder", people, photo)


@pytest.mark.slow
def test_label_a_video(run, people, tmp_path, astronaut):
    video, labelled = tmp_path / "talk.mp4", tmp_path / "labelled.mp4"
    with VideoWriter(video, 10.0) as writer:
        for number in range(10):
            writer.write(np.roll(astronaut, number, axis=1), number / 10)
    assert run("label_a_video", people, video, labelled).startswith(f"{WHO}: 0.0 to 0.9 s")
    assert labelled.is_file()


@pytest.mark.slow
def test_evaluate_and_calibrate(run, people, tmp_path, strangers):
    pytest.importorskip("matplotlib", reason="the extra `evaluation` is not installed")
    others, report = tmp_path / "STRANGERS", tmp_path / "REPORT"
    for number, picture in enumerate(strangers[2:]):
        write_image(others / f"{number}.png", picture)
    said = run("evaluate_and_calibrate", people, others, report)
    assert "were named rightly" in said
    assert "at most 10.00% of strangers get a name" in said
    assert (report / "index.html").is_file()


def test_every_example_is_here():
    tested = Path(__file__).read_text("utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert f'run("{path.stem}"' in tested, f"{path.name} has no test"
