"""Folders of people: which layouts are understood, and what is said of the others."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from knownface.enrolment import scan_people
from knownface.errors import UnreadableError
from knownface.media import write_image
from knownface.types import Image


def test_train_is_taken_alone_where_there_is_one(alone: Path, astronaut: Image) -> None:
    write_image(alone / "p" / "Ada" / "train" / "a.png", astronaut)
    write_image(alone / "p" / "Ada" / "outside.png", astronaut)
    [ada] = scan_people(alone / "p").people
    assert [path.name for path in ada.files] == ["a.png"]


def test_a_bad_entry_takes_nobody_else_along(alone: Path, astronaut: Image) -> None:
    if os.name != "posix":
        pytest.skip("needs links and pipes of POSIX")
    folder = alone / "p" / "Ada"
    write_image(folder / "a.png", astronaut)
    (folder / "Ada").symlink_to("Ada")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.jpg")
    scan = scan_people(alone / "p")
    assert [path.name for path in scan.people[0].files] == ["a.png"]
    assert {review.path.name for review in scan.refused} == {"Ada", "zero.jpg", "pipe.jpg"}


def test_a_name_in_composed_and_decomposed_form_is_one_person(alone: Path, astronaut: Image) -> None:
    for number, name in enumerate(unicodedata.normalize(form, "José") for form in ("NFC", "NFD")):
        write_image(alone / "p" / name / f"{number}.png", astronaut)
    scan = scan_people(alone / "p")
    assert [(person.name, len(person.files)) for person in scan.people] == [("José", 2)]
    assert scan.refused == ()


def test_folders_with_underscores_are_people_with_spaces(alone: Path, astronaut: Image) -> None:
    for folder in ("Serena_Williams", "Serena Williams"):
        write_image(alone / "people" / folder / f"{folder}.png", astronaut)
    [found] = scan_people(alone / "people").people
    assert (found.name, len(found.files)) == ("Serena Williams", 2)


def test_what_is_no_person_is_reported(alone: Path, astronaut: Image) -> None:
    root = alone / "p"
    write_image(root / "Ada" / "a.png", astronaut)
    write_image(root / "loose.png", astronaut)
    write_image(root / "Unknown" / "a.png", astronaut)
    write_image(root / "ADA" / "a.png", astronaut)
    (root / "Empty").mkdir()
    (root / "Notes").mkdir()
    (root / "Notes" / "readme.txt").write_text("no picture")
    (root / ".hidden").mkdir()
    scan = scan_people(root)
    assert len(scan.people) == 1
    assert {problem.path.name: problem.reason for problem in scan.refused} == {
        "loose.png": "no-person",
        "Unknown": "reserved-name",
        "Empty": "no-pictures",
        "Notes": "no-pictures",
        "readme.txt": "unsupported",
        scan.refused[0].path.name if scan.refused[0].reason == "name-taken" else "Ada": "name-taken",
    }


@pytest.mark.parametrize("what", ["missing", "empty", "only pictures"])
def test_a_folder_without_people_says_how_it_should_be(alone: Path, astronaut: Image, what: str) -> None:
    root = alone / "p"
    if what != "missing":
        root.mkdir()
    if what == "only pictures":
        write_image(root / "a.png", astronaut)
    with pytest.raises(UnreadableError) as error:
        scan_people(root)
    assert "folder" in error.value.hint


def test_what_may_not_be_read_is_reported(ordinary_folder: Path, astronaut: Image) -> None:
    for name in ("Ada", "Ben"):
        write_image(ordinary_folder / "p" / name / "a.png", astronaut[:40, :40])
    (ordinary_folder / "p" / "Ben").chmod(0)
    scan = scan_people(ordinary_folder / "p")
    assert [person.name for person in scan.people] == ["Ada"]
    assert [(problem.path.name, problem.reason) for problem in scan.refused] == [("Ben", "unreadable")]
    (ordinary_folder / "p").chmod(0)
    with pytest.raises(UnreadableError, match="may not be read"):
        scan_people(ordinary_folder / "p")
    (ordinary_folder / "p").chmod(0o700)
    (ordinary_folder / "p" / "Ben").chmod(0o700)
