"""Whatever is named as an output, no photo, video, database or other file of the user's is lost."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
from command_list import COMMANDS

from conftest import Ran
from knownface.cli.outputs import OutputFile, OutputFolder, claim
from knownface.errors import OutputError
from knownface.media import write_image

Run = Callable[..., Ran]


OUTPUTS = [
    (path, parameter)
    for path, command in COMMANDS
    for parameter in command.params
    if isinstance(parameter.type, OutputFile)
]
FOLDERS = [
    (path, parameter)
    for path, command in COMMANDS
    for parameter in command.params
    if isinstance(parameter.type, OutputFolder)
]
INPUTS = {
    ("gallery restore", "keys"),
    ("receipt verify", "file"),
    ("receipt verify", "key_file"),
    ("enroll", "people"),
    ("verify", "first"),
    ("verify", "second"),
    ("calibrate", "strangers"),
    ("evaluate", "groups"),
    ("calibrate", "attacks"),
    ("calibrate", "real"),
    ("evaluate", "attacks"),
    ("evaluate", "real"),
    ("evaluate", "groups"),
    ("gallery restore", "file"),
    ("bench", "data"),
    ("bench", "earlier_file"),
    ("demo", "data"),
    ("attendance open", "guests"),
    ("people import", "file"),
    ("people not", "pictures"),
    ("models import", "file"),
    ("models import", "contract"),
    ("models quantize", "data"),
    ("serve", "tls_cert"),
    ("serve", "tls_key"),
}


def shown(case: tuple[tuple[str, ...], click.Parameter]) -> str:
    return f"{' '.join(case[0])} {case[1].name}"


def test_every_path_is_known_as_an_input_or_checked_as_an_output():
    unknown = [
        (" ".join(path), parameter.name)
        for path, command in COMMANDS
        for parameter in command.params
        if isinstance(parameter.type, click.Path)
        and not isinstance(parameter.type, OutputFile | OutputFolder)
        and (" ".join(path), parameter.name) not in INPUTS
        and parameter.name not in {"dataset", "strangers"}  # of evaluate and every experiment
    ]
    assert not unknown, "a path to be written is an OutputFile or OutputFolder; one to be read belongs into INPUTS"
    assert len(OUTPUTS) >= 14
    assert len(FOLDERS) >= 4


def test_whatever_writes_csv_writes_it_for_excel_too():
    writers = {" ".join(path) for path, parameter in OUTPUTS if ".csv" in parameter.type.suffixes}
    with_bom = {" ".join(path) for path, command in COMMANDS if any("--bom" in p.opts for p in command.params)}
    assert writers == with_bom


@pytest.fixture
def victims(tmp_path: Path) -> list[Path]:
    """Files that nobody wants to lose: by their suffix, by their content alone, and foreign texts."""
    picture = tmp_path / "holiday.jpg"
    write_image(picture, np.full((40, 40, 3), 90, np.uint8))
    unnamed_picture = tmp_path / "holiday"
    unnamed_picture.write_bytes(picture.read_bytes())
    database = tmp_path / "gallery.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE people (name TEXT)")
    unnamed_database = tmp_path / "people.csv"
    unnamed_database.write_bytes(database.read_bytes())
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 100)
    notes = tmp_path / "notes.txt"
    notes.write_text("Milk, eggs\nBread\n")
    table = tmp_path / "own.csv"
    table.write_text("id,price\n1,2\n")
    settings = tmp_path / "package.json"
    settings.write_text('{"name": "mine", "version": "1"}')
    return [picture, unnamed_picture, database, unnamed_database, video, notes, table, settings]


def arguments(path: tuple[str, ...], parameter: click.Parameter, value: Path) -> list[str]:
    """A call of the command with this output, and something for what else it must be given."""
    command = dict(COMMANDS)[path]
    given: list[str] = []
    for other in command.params:
        text = str(value) if other is parameter else "1"
        if isinstance(other, click.Argument) and (other is parameter or other.required):
            given.append(text)
        elif isinstance(other, click.Option) and (other is parameter or other.required):
            given += [other.opts[0], text]
    return given


@pytest.mark.parametrize("case", OUTPUTS, ids=shown)
def test_no_file_of_another_kind_is_replaced(case, victims, alone):
    path, parameter = case
    for victim in victims:
        before = victim.read_bytes()
        with pytest.raises(OutputError, match=re.escape(victim.name)):
            dict(COMMANDS)[path].main(arguments(path, parameter, victim), standalone_mode=False)
        assert victim.read_bytes() == before


@pytest.mark.parametrize("case", OUTPUTS, ids=shown)
def test_overwrite_never_replaces_a_picture_or_a_database_by_another_kind(case, victims, alone):
    path, parameter = case
    kinds = parameter.type.suffixes
    for victim in victims[:4]:
        before = victim.read_bytes()
        if victim.suffix in kinds or (victim.name == "holiday" and ".jpg" in kinds) or ".db" in kinds:
            continue
        with pytest.raises(OutputError, match=re.escape(victim.name)):
            dict(COMMANDS)[path].main([*arguments(path, parameter, victim), "--overwrite"], standalone_mode=False)
        assert victim.read_bytes() == before


@pytest.mark.parametrize("case", FOLDERS, ids=shown)
def test_a_folder_with_other_things_is_not_written_to(case, tmp_path):
    _, parameter = case
    folder = tmp_path / "photos"
    folder.mkdir()
    assert parameter.type.convert(str(folder), parameter, None) == folder
    (folder / "index.html").write_text("mine")
    with pytest.raises(OutputError, match="no results of knownface"):
        parameter.type.convert(str(folder), parameter, None)
    claim(folder)
    assert parameter.type.convert(str(folder), parameter, None) == folder


def test_an_earlier_result_is_replaced_without_a_word(tmp_path):
    kind = OutputFile(".csv", ".json", fields=("file", "time"))
    for text in ("file,time,x\r\na.jpg,,3\r\n", '[\n {\n  "file": "a.jpg",\n  "time": null', "[]\n", ""):
        path = tmp_path / "names.csv"
        path.write_text(text)
        assert kind.convert(str(path), None, None) == path
    for text in ("file,size\r\n", '{"time": 1, "file": 2}', "Dear Ada,\n"):
        path.write_text(text)
        with pytest.raises(OutputError, match="no earlier result"):
            kind.convert(str(path), None, None)


def test_streams_and_new_files_are_written(tmp_path):
    kind = OutputFile(".csv", fields=("file",))
    for path in ("-", "/dev/null", str(tmp_path / "new.csv"), str(tmp_path / "names")):
        assert str(kind.convert(path, None, None)) == path


def test_a_forgotten_file_name_leaves_the_photos_alone(people, knownface: Run):
    photos = sorted(people.rglob("*.png"))
    before = [photo.read_bytes() for photo in photos]
    ran = knownface("identify", "--csv", *map(str, photos))
    assert ran.status == OutputError.exit_status
    assert "picture" in ran.err
    assert [photo.read_bytes() for photo in photos] == before


@pytest.mark.slow
def test_labelled_copies_inside_the_input_are_no_input_of_the_next_run(people, knownface: Run):
    assert knownface("enroll", str(people)).status == 0
    party, copies = people.parent / "party", people.parent / "party" / "labelled"
    write_image(party / "one.png", np.full((60, 80, 3), 128, np.uint8))
    for _ in range(2):
        assert knownface("identify", str(party), "--annotate", str(copies)).status == 0
    assert sorted(path.name for path in copies.iterdir()) == [".knownface", "one.png"]
    ran = knownface("identify", str(party), "--annotate", str(party))
    assert ran.status == OutputError.exit_status
