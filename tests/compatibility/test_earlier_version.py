"""A gallery, settings and names of commit a51822f: they open, and answer as they did then, by the scoring of then."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import questions
from service_tools import serving

import knownface
from knownface.cli import cli
from knownface.embedding import FaceEmbedder, load_embedder
from knownface.errors import KnownFaceError
from knownface.models import ModelStore
from knownface.review import PoorPictureError
from knownface.settings import load_settings

HERE = Path(__file__).parent
THEN = HERE / "a51822f"
NOON = 1772452800
"""When the pictures were last changed; the journal of a stopped identification holds it."""

LOOSE = {"message", "hint", "sentence", "reason", "notes", "last_used", "source"}
"""Fields for people, whose wording is no promise; when a key was used; where a file lay, told in fewer words."""

PAGES = {"GET /unknowns", "GET /offers", "GET /attendance"}
"""Were bare lists, and come a page at a time now."""

Run = Callable[..., Any]


@pytest.fixture
def answers() -> Any:
    return questions.read_json(THEN / "answers.json")


@pytest.fixture
def folder(alone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder of that version's user."""
    shutil.copytree(THEN, alone, dirs_exist_ok=True)
    monkeypatch.delenv("KNOWNFACE_GALLERY")
    monkeypatch.setenv("KNOWNFACE_SCORING", "nearest")
    monkeypatch.setenv("KNOWNFACE_INT8", "false")
    for picture in alone.rglob("*.jpg"):
        os.utime(picture, (NOON, NOON))
    if not hasattr(time, "tzset"):
        pytest.skip("tables are in the machine's time zone, which a program cannot set for itself on Windows")
    with pytest.MonkeyPatch.context() as zone:
        zone.setenv("TZ", "UTC")
        time.tzset()
        yield alone
    time.tzset()


def check(now: Any, then: Any, where: str) -> None:
    """Fail unless ``now`` has everything that ``then`` has: more fields may be there, and figures differ by rounding.

    Distances come from networks, whose last digits are another processor's affair.
    """
    if isinstance(then, dict):
        for key, value in then.items():
            assert key in now, f"{where} has lost {key}"
            if key not in LOOSE:
                check(now[key], value, f"{where}.{key}")
    elif isinstance(then, list):
        assert len(now) == len(then), where
        for number, (one, other) in enumerate(zip(now, then, strict=True)):
            check(one, other, f"{where}[{number}]")
    elif isinstance(then, float):
        assert now == pytest.approx(then, abs=0.51 if "box" in where else 0.002), where
    else:
        assert now == then, where


@pytest.mark.parametrize("words", questions.COMMANDS)
def test_commands_print_what_they_printed(folder: Path, knownface: Run, answers: Any, words: str) -> None:
    ran = knownface(*shlex.split(words))
    assert [ran.status, ran.out] == answers["commands"][words]


@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_faces_are_named_as_they_were_and_the_saved_index_is_used_or_made_anew(
    folder: Path, knownface: Run, answers: Any, kind: str
) -> None:
    for file in (folder / kind).iterdir():
        shutil.copy(file, folder)
    (folder / "knownface.toml").write_text((folder / "knownface.toml").read_text().replace("ivf", kind))
    index = folder / "gallery.db.index"
    before, is_used = index.stat().st_mtime_ns, kind == "flat"
    [told] = [line for line in knownface("gallery", "info").out.splitlines() if line.startswith("saved index")]
    assert told.split(maxsplit=2)[2].strip() == ("can be used" if is_used else "none that can be used")
    assert knownface(*shlex.split(questions.IDENTIFY)).status == 0
    check(questions.read_json(folder / "faces.json"), answers["faces"], "faces")
    assert (index.stat().st_mtime_ns == before) is is_used
    assert not (folder / "faces.json.partial").exists()


def test_files_that_were_enrolled_are_known_and_one_that_was_refused_is_refused(folder: Path, knownface: Run) -> None:
    ran = knownface(*shlex.split(questions.ENROLL))
    assert ran.status == 1
    assert "2 files known already" in ran.out
    assert "1 not used" in ran.out


@pytest.mark.slow
def test_rest_answers_what_it_answered(folder: Path, answers: Any) -> None:
    with serving(folder) as service:
        headers = {"Authorization": f"Bearer {answers['token']}"}
        with httpx.Client(base_url=f"{service.address}/v1", headers=headers, timeout=60) as client:
            for question, (status, answer) in questions.ask_rest(client):
                then_status, then = answers["rest"][question]
                assert status == then_status, question
                if isinstance(then, dict):
                    then.pop("at", None)  # the time of the question
                listed = answer["items"] if question.partition("?")[0] in PAGES else answer
                check(listed, then, question)
            now = dict(questions.fields(client.get("/openapi.json").json()))
    for operation, fields in answers["operations"].items():
        now_answers = {field.replace("problem+json", "json") for field in now[operation]}  # errors: RFC 9457
        if operation.replace("/v1", "") in PAGES:
            now_answers |= {field.replace(" items.", " ") for field in now_answers}
        lost = set(fields) - now_answers
        assert not lost, operation
        asked = {field for field in now[operation] if "(required)" in field and not field.startswith("answers")}
        assert asked <= set(fields), f"{operation} asks for more than it did"


def test_every_command_option_and_choice_is_still_there(answers: Any) -> None:
    now = dict(questions.options(cli))
    for words, then in answers["options"].items():
        for option in then:
            names = option.split(" ")
            assert any(set(names) <= set(mine.split(" ")) for mine in now[words]), f"{words} {option}"


def test_every_public_name_and_error_code_is_still_there(answers: Any) -> None:
    assert set(answers["names"]) <= set(knownface.__all__)
    assert issubclass(PoorPictureError, KnownFaceError)  # defined beside what raises it; imported, so that it counts
    assert set(answers["errors"]) <= questions.error_codes(KnownFaceError)


def test_every_setting_means_what_it_meant(alone: Path, monkeypatch: pytest.MonkeyPatch, answers: Any) -> None:
    for variable in ("KNOWNFACE_GALLERY", "KNOWNFACE_CACHE"):
        monkeypatch.delenv(variable)
    shutil.copy(HERE / "every_setting.toml", "knownface.toml")
    check(load_settings().model_dump(mode="json"), answers["settings"], "settings")


@pytest.mark.parametrize("name", ["dlib-resnet", "dlib-resnet-mirror"])
def test_galleries_still_fit_their_embedder(folder: Path, answers: Any, name: str) -> None:
    """Else every gallery would have to be enrolled anew: its fingerprint, and what it makes of a face."""
    check_embedder(load_embedder(name, ModelStore(None, folder), int8=False), answers["contracts"][name])


def test_galleries_still_fit_an_embedder_whose_weights_come_by_themselves(
    model_folder: Path, folder: Path, answers: Any
) -> None:
    store = ModelStore(model_folder, folder)
    check_embedder(load_embedder("mobilefacenet", store, int8=False), answers["contracts"]["mobilefacenet"])


def check_embedder(embedder: FaceEmbedder, then: dict[str, Any]) -> None:
    now = questions.know_by(embedder)
    assert np.linalg.norm(np.subtract(now.pop("astronaut"), then.pop("astronaut"))) < 0.02
    assert now == then
