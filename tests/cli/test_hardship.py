"""What happens to a user's work when the power goes, the disk is full or two write at once: real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_plugin
from knownface import Gallery
from knownface.media import write_image

resource = pytest.importorskip("resource", reason="limits and kills of POSIX")

KNOWNFACE = [sys.executable, "-m", "knownface"]

# Enrols a folder and says each file as soon as it is reported, which the progress bar does for people.
TELLING = """
import sys
from knownface import FaceRecognizer
from knownface.enrolment import EnrolmentOptions, enrol_people, scan_people
with FaceRecognizer.open(batch_size=2) as r:
    people, options = scan_people(sys.argv[1]).people, EnrolmentOptions(batch_size=2)
    for found in enrol_people(people, r.gallery, r.detector, r.embedder, options):
        print(found.person, found.status, flush=True)
"""


CROWD, PARTY = 80, 250


@pytest.fixture
def crowd(alone: Path, toy_engine: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """So many people with a picture each, of whom some look alike to the toy engine."""
    monkeypatch.setenv("KNOWNFACE_REVIEW", "off")
    for number in range(CROWD):
        write_image(alone / "crowd" / f"person {number:03d}" / "a.png", toy_plugin.picture(100 + number, 0))
    return alone / "crowd"


def names(gallery: str) -> dict[str, int]:
    with Gallery.open(gallery, create=False) as opened:
        return {person.name: person.templates for person in opened.people()}


@pytest.mark.slow
def test_kill_during_enrolment_loses_nothing_that_was_reported(crowd: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", TELLING, str(crowd)], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        reported = [run.stdout.readline().strip() for _ in range(6)]
        run.send_signal(signal.SIGKILL)
        reported += run.stdout.read().splitlines()
    enrolled = {line.removesuffix(" enrolled") for line in reported if line.endswith(" enrolled")}
    assert enrolled
    there = names(os.environ["KNOWNFACE_GALLERY"])
    assert enrolled <= set(there)
    assert len(there) < CROWD, "it was killed too late"
    finish = subprocess.run([*KNOWNFACE, "enroll", str(crowd)], capture_output=True, text=True, check=False)
    assert finish.returncode == 0
    everybody = names(os.environ["KNOWNFACE_GALLERY"])
    assert len(everybody) == CROWD
    assert set(everybody.values()) == {1}


@pytest.mark.slow
def test_two_enrolments_at_once_both_succeed_and_double_nothing(crowd: Path) -> None:
    runs = [
        subprocess.Popen([*KNOWNFACE, "enroll", str(crowd)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [run.communicate() for run in runs]
    assert {run.returncode for run in runs} == {0}, told
    everybody = names(os.environ["KNOWNFACE_GALLERY"])
    assert len(everybody) == CROWD
    assert set(everybody.values()) == {1}


@pytest.mark.slow
def test_a_full_disk_stops_with_a_sentence_and_keeps_what_was_there(
    crowd: Path, enrolled_toys: Path, tmp_path: Path
) -> None:
    before = names(os.environ["KNOWNFACE_GALLERY"])

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    ran = subprocess.run(
        [*KNOWNFACE, "enroll", str(crowd)], capture_output=True, text=True, preexec_fn=little_room, check=False
    )
    assert ran.returncode in {7, 11}, ran
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("Error:") == 1
    after = names(os.environ["KNOWNFACE_GALLERY"])
    assert before.items() <= after.items()
    assert subprocess.run([*KNOWNFACE, "enroll", str(crowd)], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
def test_a_stopped_identification_goes_on_where_it_was(enrolled_toys: Path, tmp_path: Path, alone: Path) -> None:
    crowd = alone / "many"
    for number in range(PARTY):
        write_image(crowd / f"{number:03d}.png", toy_plugin.picture(number % 5, number))
    result = tmp_path / "faces.json"
    command = [*KNOWNFACE, "identify", str(crowd), "--json", str(result), "--batch-size", "2"]

    def listens_to_ctrl_c() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background ignores it, and hands that on

    run = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=listens_to_ctrl_c,  # noqa: PLW1509 - no thread runs yet
    )
    journal = result.with_name("faces.json.partial")
    for _ in range(600):
        time.sleep(0.02)
        if journal.exists() and journal.read_text().count("\n") > 5:
            break
    run.send_signal(signal.SIGINT)
    _, told = run.communicate()
    assert run.returncode == 130, told
    assert "Give the same command again to go on" in told
    assert "Traceback" not in told
    done = journal.read_text().count("\n") - 1
    assert done >= 5
    journal.write_text(journal.read_text() + '{"file": "cut off in the mid')
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert f"{done} files are done" in again.stderr
    assert not journal.exists()
    files = [face["file"] for face in json.loads(result.read_text())]
    fresh = tmp_path / "fresh.json"
    subprocess.run([*KNOWNFACE, "identify", str(crowd), "--json", str(fresh)], capture_output=True, check=True)
    assert files == [face["file"] for face in json.loads(fresh.read_text())]
    assert len(files) == PARTY


def test_another_gallery_state_starts_the_identification_anew(
    enrolled_toys: Path, knownface: Callable[..., Any], tmp_path: Path
) -> None:
    result = tmp_path / "faces.json"
    result.with_name("faces.json.partial").write_text('{"knownface": "of another run"}\n{"file": "x"}\n')
    ran = knownface("identify", enrolled_toys, "--json", result)
    assert ran.status == 0
    assert "Going on" not in ran.err
    assert len(json.loads(result.read_text())) == 4


def test_a_damaged_gallery_is_refused_and_left_as_it_is(toy_people: Path, knownface: Callable[..., Any]) -> None:
    gallery = Path(os.environ["KNOWNFACE_GALLERY"])
    gallery.write_bytes(b"This is no database, but somebody may need it. " * 100)
    before = gallery.read_bytes()
    for command in (["enroll", toy_people], ["people", "list"], ["identify", toy_people]):
        ran = knownface(*command)
        assert ran.status == 7, ran
        assert str(gallery) in ran.err
        assert "Traceback" not in ran.err
        assert gallery.read_bytes() == before


# getrusage would tell the peak of the process that started this one, too: on Linux it outlives the start of a program.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a program's own peak")
@pytest.mark.slow
def test_huge_pictures_need_bounded_memory(alone: Path, enrolled_people: Path) -> None:
    write_image(alone / "big" / "big.jpg", np.full((10_000, 10_000, 3), 120, np.uint8))
    code = (
        "import sys\nfrom pathlib import Path\nfrom knownface.cli import main\n"
        "try: main(['identify', 'big', '--embedder', 'auto'])\n"
        "finally: print(*(int(line.split()[1]) // 1024 for line in Path('/proc/self/status').read_text().splitlines()"
        " if line.startswith('VmHWM')), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran
    assert int(ran.stderr.split()[-1]) < 1600


def test_a_picture_with_more_pixels_than_allowed_is_passed_over(
    enrolled_toys: Path, knownface: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_MAX_PIXELS", "9000")
    ran = knownface("identify", enrolled_toys / "Ben")
    assert ran.status == 1
    assert "one.png" in ran.err


def test_the_gallery_of_another_embedder_is_refused_by_name(enrolled_toys: Path, knownface: Callable[..., Any]) -> None:
    ran = knownface("enroll", enrolled_toys, "--embedder", "dlib-resnet", "--detector", "dlib-hog")
    assert ran.status == 6
    assert "dlib-resnet" in ran.err
    assert "toy" in ran.err
