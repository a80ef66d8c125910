"""Folders of people: who is in them, and which files show whom; nothing is read yet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from knownface.errors import BadNameError, UnreadableError, UnsupportedError
from knownface.gallery import clean_name, name_key
from knownface.media import expand_paths, is_clutter, kind_of, natural_key

Status: TypeAlias = Literal["enrolled", "known", "held", "refused"]


@dataclass(frozen=True, slots=True)
class PersonFolder:
    """A person's name and the files to enrol them from."""

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class FileReview:
    """What became of one file, or of one folder that could not be a person.

    Attributes:
        path: The file or folder.
        person: The name as its folder has it.
        status: ``enrolled``, ``known`` (enrolled before), ``held`` (until somebody decides) or ``refused``.
        reason: A stable word: empty if enrolled, else such as ``no-face`` or ``unreadable``.
        text: The sentence a user reads: why it was refused, or a warning about an enrolled one.
        templates: How many templates it gave.
    """

    path: Path
    person: str
    status: Status
    reason: str = ""
    text: str = ""
    templates: int = 0


@dataclass(frozen=True, slots=True)
class PeopleScan:
    """What a folder of people holds, before anything is read."""

    people: tuple[PersonFolder, ...]
    refused: tuple[FileReview, ...]

    @property
    def file_count(self) -> int:
        """Files that will be examined."""
        return sum(len(person.files) for person in self.people)


def scan_people(directory: str | Path) -> PeopleScan:
    """Find a person in every subfolder: its pictures and videos and those of the folders in it.

    Where it has a folder ``train``, only that is looked into, and what stands beside it is named as left out.

    Raises:
        UnreadableError: There is no such folder, or nobody in it.
    """
    root = Path(directory)
    if not os.path.isdir(root):  # noqa: PTH112 - unlike Path.is_dir it does not raise where a folder above is closed
        raise UnreadableError(f"There is no folder {root}.", "Give a folder that holds one folder a person.")
    people: dict[str, PersonFolder] = {}
    refused: list[FileReview] = []
    entries = _entries(root)
    if not any(is_folder for _, is_folder in entries):
        raise UnreadableError(
            f"{root} holds no folders, so nobody can be learnt from it.",
            "Put each person's pictures into a folder with the person's name, and give the folder above.",
        )
    for entry, is_folder in entries:
        if not is_folder:
            refused.append(refusal_of(entry, "", "no-person", "Lies in no person's folder."))
            continue
        try:
            name = clean_name(entry.name)
            files, unused = _files_of(entry, name)
        except (BadNameError, UnreadableError) as error:
            refused.append(refusal_of(entry, entry.name, error.code, error.message))
            continue
        refused += unused
        twin = people.get(name_key(name))
        if twin and twin.name == name:  # one name, its accents composed or its spaces underscores in one folder only
            people[name_key(name)] = PersonFolder(name, (*twin.files, *files))
        elif twin:
            text = f"The name differs from {twin.name!r} only in letter case. Rename one folder, or join the two."
            refused.append(refusal_of(entry, name, "name-taken", text))
        elif not files:
            refused.append(refusal_of(entry, name, "no-pictures", "The folder holds no picture and no video."))
        else:
            people[name_key(name)] = PersonFolder(name, tuple(files))
    return PeopleScan(tuple(people.values()), tuple(refused))


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    """What a folder holds, in natural order, and whether each is a folder; without clutter."""
    try:
        with os.scandir(folder) as found:  # knows folders from files without a call for each
            listed = [(Path(entry.path), _is_folder(entry)) for entry in found]
        return sorted(
            ((p, d) for p, d in listed if not is_clutter(p)), key=lambda entry: natural_key(Path(entry[0].name))
        )
    except OSError as error:
        raise UnreadableError(f"The folder {folder} may not be read: {error.strerror}.") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself; reading it as a file will say what is wrong


def _files_of(folder: Path, person: str) -> tuple[list[Path], list[FileReview]]:
    """Pictures and videos of a person, and what is left out. A damaged picture is among the first: reading it shows."""
    entries = _entries(folder)
    train = next((path for path, is_folder in entries if is_folder and path.name == "train"), None)
    if train is None:
        return _below(folder, person, set())
    text = "Lies beside the person's folder train, which alone is looked into."
    wanted, unused = _below(train, person, set())
    return wanted, [*unused, *(refusal_of(path, person, "beside-train", text) for path, _ in entries if path != train)]


def _below(folder: Path, person: str, visited: set[str]) -> tuple[list[Path], list[FileReview]]:
    """The same of a folder and those below it; each is entered once, wherever links lead."""
    wanted: list[Path] = []
    unused: list[FileReview] = []
    visited.add(os.path.realpath(folder))
    for path, is_folder in _entries(folder):
        if not is_folder:
            if path.is_file() and kind_of(path):
                wanted.append(path)
            else:
                unused.append(refusal_of(path, person, UnsupportedError.code, "Is no photo and no video."))
        elif os.path.realpath(path) not in visited:
            try:
                more, others = _below(path, person, visited)
            except UnreadableError as error:
                more, others = [], [refusal_of(path, person, error.code, error.message)]
            wanted += more
            unused += others
    return wanted, unused


def scan_files(name: str, paths: Sequence[str | Path]) -> PeopleScan:
    """The pictures and videos of one person, given as files, folders and glob patterns.

    Raises:
        BadNameError: The name cannot be anybody's.
        UnreadableError: A path does not exist, or a pattern matches nothing.
    """
    person = clean_name(name)
    files = expand_paths(paths)
    others = [path for path in files if kind_of(path) is None]
    refused = [refusal_of(path, person, UnsupportedError.code, "Is no photo and no video.") for path in others]
    return PeopleScan((PersonFolder(person, tuple(path for path in files if path not in set(others))),), tuple(refused))


def refusal_of(path: Path, person: str, reason: str, text: str) -> FileReview:
    """The review of a file, or of a folder, that is not used."""
    return FileReview(path, person, "refused", reason, text)
