"""Encrypted galleries as a user has them: through every command, nothing that is sealed lies open in any file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

import toy_plugin
from knownface.gallery import Gallery
from knownface.media import VideoWriter, write_image
from knownface.storage.schema import metadata
from knownface.storage.sealing.columns import Sealed, SealedText
from knownface.storage.sealing.keys import make_key_file

Run = Callable[..., Any]


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: Path) -> str:
    """A key that the settings name; temporary files go where the test finds them."""
    (tmp_path / "temp").mkdir()
    for variable in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(variable, str(tmp_path / "temp"))
    source = f"file:{tmp_path / 'gallery.key'}"
    make_key_file(source)
    monkeypatch.setenv("KNOWNFACE_GALLERY_KEY", source)
    return source


def sealed_values(key: str) -> dict[str, list[bytes]]:
    """Everything in the gallery that is to be sealed, by table and column."""
    found = {}
    with Gallery.open(os.environ["KNOWNFACE_GALLERY"], key=key) as gallery, gallery.database.reading() as connection:
        for table in metadata.sorted_tables:
            for column in table.c:
                if isinstance(column.type, Sealed | SealedText):
                    values = connection.scalars(select(column).where(column.is_not(None))).all()
                    found[f"{table.name}.{column.name}"] = [v.encode() if isinstance(v, str) else v for v in values]
    return found


def traces(folder: Path, values: dict[str, list[bytes]], but: set[str]) -> set[tuple[str, str]]:
    """Files that hold a beginning or an end of a value, and of what; those that the user made aside."""
    parts = [
        (name, part) for name, all_of in values.items() for v in all_of for part in (v[:64], v[-64:]) if len(v) > 8
    ]
    return {
        (str(path.relative_to(folder)), name)
        for path in _files(folder)
        if path.name not in but
        for content in [path.read_bytes()]
        for name, part in parts
        if part in content
    }


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_nothing_that_is_sealed_lies_open_in_any_file(
    toy_people: Path, knownface: Run, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_KEEP_PICTURES", "true")
    monkeypatch.setenv("KNOWNFACE_KEEP_UNKNOWN_FACES", "true")
    monkeypatch.setenv("KNOWNFACE_SAMPLES", "offer")
    (tmp_path / "ids.csv").write_text("name,external_id\nBen,SECRET-ID-4711\nZoë,SECRET-ID-4712\n", encoding="utf-8")
    (tmp_path / "guests.csv").write_text("name,external_id,table\nIris,SECRET-ID-4713,SECRET-TABLE\n", encoding="utf-8")
    for shot in range(24):
        write_image(tmp_path / "frames" / f"{shot:03d}.png", toy_plugin.picture(1 if shot < 12 else 77, shot))
    with VideoWriter(tmp_path / "clip.mp4", 12) as video:
        for shot in range(24):
            video.write(np.ascontiguousarray(toy_plugin.picture(1 if shot < 12 else 77, 0)[:64, :64]))
    for command in (
        ("enroll", toy_people),
        ("people", "import", tmp_path / "ids.csv"),
        ("identify", toy_people, "--json", tmp_path / "named.json"),
        ("people", "rename", "Ben", "Benjamin"),
        ("watch", tmp_path / "frames", "--fps", 12, "--record", "--name", "door", "--detect-every", 1),
        ("attendance", "open", "class", "--guests", tmp_path / "guests.csv"),
        ("attendance", "mark", "class", "Benjamin"),
        ("attendance", "report", "class"),
        ("gallery", "index"),
        ("gallery", "backup", tmp_path / "backup.db"),
        ("gallery", "backup", tmp_path / "apart.db", "--keys", tmp_path / "people.keys"),
    ):
        ran = knownface(*command)
        assert ran.status == 0, ran
    knownface("calibrate", "--strangers", tmp_path / "frames")
    values = sealed_values(key)
    assert {name for name, all_of in values.items() if all_of} >= {
        *("templates.vector", "sightings.embedding", "sightings.picture", "people.external_id", "edits.details"),
        *("attendance_entries.external_id", "attendance_entries.facts"),
    }
    assert traces(tmp_path, values, {"ids.csv", "guests.csv"}) == set()


@pytest.mark.slow
def test_what_a_killed_enrolment_leaves_behind_is_sealed(
    toy_engine: None, alone: Path, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_SEAL_NAMES", "true")
    monkeypatch.setenv("KNOWNFACE_REVIEW", "off")  # some of the crowd look alike to the toy engine
    for number in range(60):
        write_image(alone / "crowd" / f"person {number}" / "a.png", toy_plugin.picture(100 + number, 0))
    for seconds in (0.8, 1.4):
        command = [sys.executable, "-m", "knownface", "enroll", str(alone / "crowd"), "--batch-size", "2"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            time.sleep(seconds)
            running.send_signal(signal.SIGKILL)
    subprocess.run(command, check=True, capture_output=True)
    values = sealed_values(key)
    assert len(values["templates.vector"]) == 60
    values["names"] = [f"person {number}".encode() for number in range(10, 60)]
    assert traces(tmp_path, values, set()) == set()


@pytest.mark.slow
def test_a_backup_with_keys_apart_brings_nobody_back_and_the_commands_say_so(
    enrolled_toys: Path, key: str, alone: Path, knownface: Run
) -> None:
    assert knownface("gallery", "encrypt", key).status == 0
    assert "can be brought back" in knownface("gallery", "backup", "plain.db").err
    ran = knownface("gallery", "backup", "b.db", "--keys", "people.keys")
    assert (ran.status, "brought back" in ran.err) == (0, False)
    assert "write them anew" in knownface("people", "remove", "Ben", "--yes").out
    ran = knownface("gallery", "restore", "b.db")
    assert (ran.status, "keys are destroyed: Ben." in ran.out) == (0, True)
    assert "Ben" not in knownface("people", "list").out
    assert traces(alone, sealed_values(key), set()) == set()


@pytest.mark.slow
def test_where_names_are_sealed_no_file_holds_any(
    toy_people: Path, knownface: Run, tmp_path: Path, key: str, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_KEEP_PICTURES", "true")
    monkeypatch.setenv("KNOWNFACE_SAMPLES", "offer")
    (tmp_path / "guests.csv").write_text("name,external_id\nIris Quell,ID-4713\nBen,ID-4711\n", encoding="utf-8")
    for shot in range(12):
        write_image(tmp_path / "frames" / f"{shot:03d}.png", toy_plugin.picture(1, shot))
    monkeypatch.delenv("KNOWNFACE_GALLERY_KEY")
    assert knownface("enroll", toy_people).status == 0  # and only then encrypted: nothing of before may stay
    assert knownface("gallery", "encrypt", key, "--names").status == 0
    monkeypatch.setenv("KNOWNFACE_GALLERY_KEY", key)
    write_image(toy_people / "Zoë" / "stranger.png", toy_plugin.picture(0, 5))  # held back: it says whom it looks like
    for command in (
        ("enroll", toy_people),
        ("identify", toy_people, "--json", tmp_path / "named.json"),
        ("people", "rename", "Ben", "Benjamin Quax"),
        ("people", "consent", "give", "Zoë", "--by", "Zenobia Guardian", "--document", "file of Zenobia"),
        ("alerts", "add", "all", "--when", "seen", "--confirm", "1"),
        ("watch", tmp_path / "frames", "--fps", 12, "--record", "--name", "door", "--detect-every", 1),
        ("attendance", "open", "class", "--guests", tmp_path / "guests.csv"),
        ("attendance", "mark", "class", "Benjamin Quax"),
        ("attendance", "mark", "class", "Walk Inside", "--walk-in"),
        ("people", "forget", "Benjamin Quax", "--file", "one.png", "--yes"),
        ("gallery", "backup", tmp_path / "backup.db"),
        ("gallery", "backup", tmp_path / "apart.db", "--keys", tmp_path / "people.keys"),
        ("gallery", "rekey", key, "--records"),
    ):
        ran = knownface(*command)
        assert ran.status in {0, 1}, ran
    assert "looks like 'Eileen Collins'" in knownface("review", "list").out
    names = (
        "Benjamin Quax",
        "benjamin quax",
        "Ben",
        "Zoë",
        "zoë",
        "Iris",
        "iris quell",
        "Quell",
        "Zenobia",
        "Walk Inside",
        "Eileen",
    )
    found = {
        (path.name, name)
        for path in _files(tmp_path)
        if path.suffix not in {".csv", ".json", ".key"}
        for content in [path.read_bytes()]
        for name in names
        if name.encode() in content
    }
    assert found == set()
