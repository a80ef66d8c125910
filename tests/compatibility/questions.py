"""What a gallery of an earlier version is asked: at that version, to record its answers, and now, to compare them.

Only what users meet is asked: the command line, REST, settings, and the names of the package. Inner modules may move.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import numpy as np
from PIL import Image as PilImage

from knownface.embedding import FaceEmbedder
from knownface.types import Box, Face

COMMANDS = (
    "people list",
    "people list --group crew",
    "people show 'Eileen Collins'",
    "people show Ada",
    "people export people.csv",
    "sightings list --time-zone UTC",
    "sightings list --unknown --time-zone UTC",
    "sightings list --person ada --time-zone Europe/Berlin",
    "sightings export - --time-zone UTC",
    "sightings unknowns",
    "attendance list --time-zone UTC",
    "attendance report Briefing --time-zone UTC",
    "attendance report Launch --time-zone UTC",
    "attendance hours --from 2026-03-02 --until 2026-03-03 --time-zone UTC",
    "attendance hours --from 2026-03-02 --until 2026-03-03 --breaks 30 --weeks --time-zone UTC",
    "alerts list",
    "alerts log",
    "alerts log --json -",
    "samples list",
    "keys list",
    "audit --limit 5",
)
"""Their standard output is compared to the letter."""

IDENTIFY = "identify pictures --json faces.json --top 3"
ENROLL = "enroll people"
"""Has files that were enrolled before, and one that was refused before."""

GETS = (
    "/session",
    "/people",
    "/people/1",
    "/people/1/templates",
    "/people/1/removal",
    "/people/2/removal",
    "/templates/1",
    "/groups",
    "/sightings",
    "/sightings?unknown=true",
    "/sightings?person_id=2&after=2026-03-02T12:30:00Z",
    "/sightings/sources",
    "/sightings/export?format=json",
    "/unknowns",
    "/unknowns?dismissed=true",
    "/offers",
    "/events",
    "/attendance",
    "/attendance/1",
    "/attendance/2",
    "/hours?first_day=2026-03-02&last_day=2026-03-03",
    "/calibration",
    "/live/present",
    "/live/sources",
    "/keys/1",
    "/keys/2",
    "/webhooks",
    "/audit?action=person.create",
    "/settings",
    "/people/99",
    "/sightings?cursor=nonsense",
)
TEXTS = ("/sightings/export", "/attendance/1/export", "/attendance/1/export?format=moodle", "/attendance/2/export")
PICTURES = ("/people/1/picture", "/templates/1/picture", "/sightings/1/picture", "/offers/1/picture")


def ask_rest(client: httpx.Client) -> Iterator[tuple[str, Any]]:
    """Each question to REST with its answer: the status, and JSON, text or the length of a picture."""
    for path in GETS:
        answer = client.get(path)
        yield f"GET {path}", [answer.status_code, answer.json()]
    for path in TEXTS:
        answer = client.get(path)
        yield f"GET {path}", [answer.status_code, answer.text]
    for path in PICTURES:
        answer = client.get(path)
        yield f"GET {path}", [answer.status_code, len(answer.content)]
    picture = {"picture": Path("pictures/mirrored.jpg").read_bytes()}
    for path, fields in (("/identify", {}), ("/verify", {"person_id": "1"}), ("/review", {"person_id": "1"})):
        answer = client.post(path, files=picture, data=fields)
        yield f"POST {path}", [answer.status_code, answer.json()]


def options(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, list[str]]]:
    """Every command with its options and arguments, each with its choices where it has some."""
    told = []
    for parameter in command.params:
        names = parameter.opts + parameter.secondary_opts if isinstance(parameter, click.Option) else [parameter.name]
        choices = list(parameter.type.choices) if isinstance(parameter.type, click.Choice) else []
        told.append(" ".join([*map(str, names), *(f"={choice}" for choice in choices)]))
    yield " ".join(words), sorted(told)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from options(below, (*words, name))


def fields(document: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Every operation of an OpenAPI document with its parameters, the fields it takes, and those it answers with."""
    for path, ways in document["paths"].items():
        for method, operation in ways.items():
            told = [
                f"{given['in']} {given['name']}{' (required)' if given.get('required') else ''}"
                for given in operation.get("parameters", [])
            ]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                told += [f"takes {name}" for name in _names(document, content["schema"])]
            for status, answer in operation["responses"].items():
                told.append(f"answers {status}")
                for kind, content in answer.get("content", {}).items():
                    told.append(f"answers {status} {kind}")
                    if int(status) < 400:
                        told += [f"answers {status} {name}" for name in _names(document, content.get("schema", {}))]
            yield f"{method.upper()} {path}", sorted(set(told))


def _names(document: dict[str, Any], schema: dict[str, Any], seen: tuple[str, ...] = ()) -> Iterator[str]:
    if reference := schema.get("$ref"):
        if reference in seen:
            return
        name = reference.rsplit("/", 1)[1]
        yield from _names(document, document["components"]["schemas"][name], (*seen, reference))
    for name, below in schema.get("properties", {}).items():
        required = " (required)" if name in schema.get("required", []) else ""
        yield f"{name}{required}"
        yield from (f"{name}.{more}" for more in _names(document, below, seen))
    for below in (schema.get("items"), *schema.get("anyOf", []), *schema.get("oneOf", [])):
        if isinstance(below, dict):
            yield from _names(document, below, seen)


def error_codes(base: type[Any]) -> set[str]:
    """Every stable code of an error with the status that commands exit with."""
    found = {f"{base.code} {base.exit_status}"}
    return found.union(*(error_codes(below) for below in base.__subclasses__()))


def know_by(embedder: FaceEmbedder) -> dict[str, Any]:
    """What galleries know an embedder by, and what it makes of the astronaut."""
    points = np.array([(168, 98), (114, 101), (136, 130), (165, 155), (121, 157)], np.float32)[[1, 0, 2, 4, 3]]
    face = Face(Box(85, 65, 115, 115), points, 0.9)
    with PilImage.open("pictures/mirrored.jpg") as picture:
        [vector] = embedder.embed([embedder.crop(np.asarray(picture), face)])
    contract = embedder.contract
    return {
        "fingerprint": contract.fingerprint,
        "dim": contract.dim,
        "crop": contract.crop,
        "astronaut": [round(float(value), 3) for value in vector],
    }


def read_json(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
