"""Every command with ``--json``: standard output is the result alone, and a terminal's encoding never stops one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_list import COMMANDS

from knownface import FaceRecognizer
from knownface.gallery import Person, Template
from knownface.server.schemas.people import PersonSchema
from knownface.server.schemas.templates import TemplateSchema

Run = Callable[..., Any]

CALLS = {
    "alerts log": [],
    "alerts pending": [],
    "attendance photo": ["Briefing", "people/Ben"],
    "attendance report": ["Briefing"],
    "audit": [],
    "doctor": [],
    "gallery info": [],
    "history": [],
    "identify": ["people/Ben"],
    "law retention": [],
    "people alike": [],
    "people consent list": [],
    "people list": [],
    "people show": ["Ben"],
    "sightings list": [],
    "verify": ["people/Ben/one.png", "people/Zoë/one.png"],
}
"""Arguments of each command that writes JSON."""
ELSEWHERE = {"bench", "receipt verify"}
"""These have tests of their own: one takes a minute, one needs a receipt."""


def test_every_command_with_json_is_called_here() -> None:
    writes_json = {" ".join(path) for path, command in COMMANDS if any(p.name == "json_file" for p in command.params)}
    assert writes_json - ELSEWHERE == set(CALLS)


@pytest.mark.parametrize("command", CALLS)
def test_standard_output_is_the_result_alone(knownface: Run, enrolled_toys: Path, command: str) -> None:
    knownface("attendance", "open", "Briefing", "--people", "Ben")
    ran = knownface(*command.split(), *CALLS[command], "--json")
    if command in {"alerts log", "alerts pending"}:
        assert ran.out == ""
        return
    assert json.loads(ran.out) is not None
    assert ran.status in {0, 1}
    again = knownface(*command.split(), *CALLS[command], "--json", "result.json")
    assert again.status == ran.status
    assert type(json.loads(Path("result.json").read_text(encoding="utf-8"))) is type(json.loads(ran.out))


def test_a_person_and_a_template_are_told_as_the_service_tells_them(knownface: Run, enrolled_toys: Path) -> None:
    shown = json.loads(knownface("people", "show", "Zoë", "--json").out)
    with FaceRecognizer.open() as recognizer:
        person: Person = recognizer.gallery.person("Zoë")
        template: Template = recognizer.gallery.templates("Zoë")[0]
    assert shown["person"] == json.loads(PersonSchema.model_validate(person).model_dump_json())
    told = json.loads(TemplateSchema.of(template).model_dump_json())
    assert shown["templates"] == [{**told, "source": template.source}]  # where it lies, the service tells nobody


def test_a_person_and_a_picture_are_compared(knownface: Run, enrolled_toys: Path) -> None:
    same = knownface("verify", "ben", enrolled_toys / "Ben" / "one.png", "--json")
    assert (same.status, json.loads(same.out)["same"]) == (0, True)
    assert knownface("verify", "Ben", enrolled_toys / "Zoë" / "one.png").status == 1
    nobody = knownface("verify", "Bem", enrolled_toys / "Ben" / "one.png")
    assert nobody.status == 3
    assert "no picture Bem, and nobody of that name" in nobody.err


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_name_that_the_terminal_cannot_show_stops_nothing(enrolled_toys: Path, encoding: str) -> None:
    with FaceRecognizer.open() as recognizer:
        recognizer.gallery.rename("Zoë", "Зоя 山田")
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    call = [sys.executable, "-m", "knownface", "people", "list"]
    shown = subprocess.run(call, env=environment, capture_output=True, check=True)
    assert b"??? ??" in shown.stdout
    result = subprocess.run([*call, "--json"], env=environment, capture_output=True, check=True)
    assert "Зоя 山田" in result.stdout.decode("utf-8")
