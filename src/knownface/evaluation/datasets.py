"""Data sets as they lie on the disk: who is enrolled from which files, and which files are kept out to be named.

Three layouts are read, person by person, so that they may be mixed: ``PERSON/train`` and ``PERSON/val``; ``PERSON/``
with pictures, split by a seed; ``PERSON/`` with videos, the first for train and the others for val. Nothing is decoded
here.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from knownface.errors import BadNameError, InputError, UnreadableError
from knownface.gallery import clean_name, name_key
from knownface.media import kind_of, natural_key

TRAIN_SHARE = 0.8
_SIDES = ("train", "val")

FRAMES_NOTE = (
    "Frames of one video lie on both sides of this split. Neighbouring frames are nearly the same picture, so this "
    "measures memory and not recognition: the result flatters. Use other videos of the same people for val."
)


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """How people are taken and their files split.

    Attributes:
        people: Only the first so many in the order of names; None is everybody.
        seed: Of the split.
        train_share: Share of a person's pictures that is enrolled, above 0, below 1.
        per_person: So many pictures a person are enrolled instead.
        by_frames: Frames of every file go to both sides, as in the paper's first experiment.
    """

    people: int | None = None
    seed: int = 0
    train_share: float = TRAIN_SHARE
    per_person: int | None = None
    by_frames: bool = False


@dataclass(frozen=True, slots=True)
class PersonFiles:
    """A person's files.

    Attributes:
        name: Of the folder.
        train: Files to enrol.
        val: Files to name.
        shared: Files whose frames are split between the two.
    """

    name: str
    train: tuple[Path, ...] = ()
    val: tuple[Path, ...] = ()
    shared: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return (*self.train, *self.val, *self.shared)


@dataclass(frozen=True, slots=True)
class Dataset:
    """People and their files.

    Attributes:
        root: The folder.
        people: In the order of names.
        notes: What a reader of the result must know, one sentence or two each.
        options: How it was read.
    """

    root: Path
    people: tuple[PersonFiles, ...]
    notes: tuple[str, ...]
    options: SplitOptions

    def only(self, names: Sequence[str]) -> Dataset:
        """The same with these people alone."""
        chosen = set(names)
        return replace(self, people=tuple(person for person in self.people if person.name in chosen))


def read_dataset(root: str | Path, options: SplitOptions | None = None) -> Dataset:
    """Find everybody's files and split them.

    A person's split depends on the seed and the person's own files only, so it stays the same with fewer people.

    Raises:
        UnreadableError: There is no such folder, or no folder of a person in it.
        InputError: Nobody can be enrolled, or nobody of them has anything left to be named.
    """
    root, options = Path(root), options or SplitOptions()
    people: dict[str, PersonFiles] = {}
    notes: list[str] = []
    for folder in person_folders(root):
        if options.people is not None and len(people) >= options.people:
            break
        try:
            name = clean_name(folder.name)
            files = _split_person(name, folder, options)
        except BadNameError as error:
            notes.append(f"{folder.name} was left out: {error.message}")
            continue
        except PermissionError:
            notes.append(f"{folder.name} was left out: the folder may not be read.")
            continue
        twin = people.get(name_key(name))
        if twin is not None:
            notes.append(f"{name} was left out: the name differs from {twin.name} only in letter case.")
            continue
        if files.files:
            people[name_key(name)] = files
        else:
            notes.append(f"{name} was left out: the folder holds no picture and no video.")
    found = Dataset(root, tuple(people.values()), (*notes, *_remarks(tuple(people.values()), options)), options)
    _check(found)
    return found


def person_folders(root: Path) -> list[Path]:
    """The folders in a folder, in the natural order of names.

    Raises:
        UnreadableError: It does not exist, may not be read, or holds none.
    """
    if not root.is_dir():
        raise UnreadableError(f"There is no folder {root}.", "Give a folder that holds one folder a person.")
    try:
        folders = [entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except PermissionError as error:
        raise UnreadableError(f"The folder {root} may not be read.") from error
    if not folders:
        raise UnreadableError(
            f"{root} holds no folders, so there is nobody to recognise.",
            "Put each person's pictures into a folder with the person's name, and give the folder above.",
        )
    return sorted(folders, key=natural_key)


def media_files(folder: Path) -> tuple[Path, ...]:
    """The pictures and videos of a folder, in natural order; none where it is missing.

    Raises:
        PermissionError: It may not be read; what that means only the caller knows.
    """
    if not folder.is_dir():
        return ()
    entries = [f for f in folder.iterdir() if f.is_file() and not f.name.startswith(".") and kind_of(f)]
    return tuple(sorted(entries, key=natural_key))


def _split_person(name: str, folder: Path, options: SplitOptions) -> PersonFiles:
    sides = [folder / side for side in _SIDES]
    if any(side.is_dir() for side in sides):
        train, val = (media_files(side) for side in sides)
        return PersonFiles(name, shared=train + val) if options.by_frames else PersonFiles(name, train, val)
    files = media_files(folder)
    if options.by_frames:
        return PersonFiles(name, shared=files)
    if files and all(kind_of(file) == "video" for file in files):
        return _split_videos(name, files)
    order = np.random.default_rng([options.seed, zlib.crc32(name.encode())]).permutation(len(files))
    count = _train_count(len(files), options)
    chosen = set(order[:count].tolist())
    return PersonFiles(
        name,
        tuple(file for i, file in enumerate(files) if i in chosen),
        tuple(file for i, file in enumerate(files) if i not in chosen),
    )


def _split_videos(name: str, files: tuple[Path, ...]) -> PersonFiles:
    """By "train" and "val" in the names where every name has one of them; else the first is for train."""
    sides = {side: tuple(file for file in files if side in file.stem.casefold()) for side in _SIDES}
    if all(sides.values()) and set(sides["train"]) ^ set(sides["val"]) == set(files):
        return PersonFiles(name, sides["train"], sides["val"])
    return PersonFiles(name, files[:1], files[1:])


def _train_count(files: int, options: SplitOptions) -> int:
    wanted = options.per_person if options.per_person is not None else round(options.train_share * files)
    # Whoever has two pictures or more is enrolled and probed; a single one is enrolled.
    return max(1, min(wanted, files - 1))


def _remarks(people: tuple[PersonFiles, ...], options: SplitOptions) -> list[str]:
    notes = []
    if options.by_frames:
        notes.append(FRAMES_NOTE)
    else:
        without = [person.name for person in people if person.train and not person.val]
        if without:
            notes.append(
                f"{_names(without)} cannot be tested, since nothing is left to be named (one picture or video only); "
                "they are enrolled all the same, so that others may be taken for them."
            )
        only = [person.name for person in people if person.val and not person.train]
        if only:
            notes.append(
                f"{_names(only)} cannot be named, since there is nothing to enrol (files in val only); they count as "
                "strangers, for whom Unknown is the right answer."
            )
    if options.per_person is not None and not options.by_frames:
        short = [p.name for p in people if p.val and len(p.train) < options.per_person]
        if short:
            notes.append(f"{_names(short)} have fewer than {options.per_person} pictures enrolled, having no more.")
    enrolled = sum(1 for person in people if person.train or person.shared)
    if enrolled == 1:
        notes.append("Only one person is enrolled: there is nobody to be confused with, so the result says little.")
    if options.people is not None and len(people) < options.people:
        notes.append(f"{options.people} people were asked for; there are {len(people)}.")
    return notes


def _names(names: list[str], most: int = 8) -> str:
    if len(names) == 1:
        return names[0]
    shown = names[: most - 1] if len(names) > most else names[:-1]
    rest = len(names) - len(shown)
    return f"{', '.join(shown)} and {names[-1] if rest == 1 else f'{rest} others'}"


def _check(dataset: Dataset) -> None:
    hint = "Give every person at least two pictures, or a train and a val folder."
    if not any(person.train or person.shared for person in dataset.people):
        raise InputError(f"Nobody in {dataset.root} can be enrolled: there is no file for train.", hint)
    if not any((person.train and person.val) or person.shared for person in dataset.people):
        raise InputError(
            f"Nobody in {dataset.root} can be tested: no person has both a file to enrol and another to name.", hint
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """A file and the person whom it shows."""

    person: str
    path: Path


def read_strangers(
    folder: str | Path, known: Sequence[str] = (), excluded: Sequence[str] = ()
) -> tuple[tuple[Sample, ...], tuple[str, ...]]:
    """People who are not enrolled: files named after them, or a folder each.

    Args:
        folder: Files in it are a person each, by the name without suffix; folders are a person each, with all files
            in them and in their ``train`` and ``val``.
        known: Names of people enrolled; whoever has one of them, its words in any order, is no stranger and is left
            out.
        excluded: Names, or files, of people in the folder who are no strangers.

    Returns:
        The files, and remarks for the reader.

    Raises:
        UnreadableError: There is no such folder.
        InputError: There is no picture in it, or somebody to be excluded is not in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UnreadableError(f"There is no folder {root}.", "Give a folder with pictures of people not enrolled.")
    samples, notes = _stranger_files(root)
    if not samples:
        raise InputError(f"{root} holds no picture of a stranger.", "Put pictures into it, or name no strangers.")
    excluded_people = {person for wanted in excluded for person in _stranger_meant(wanted, samples)}
    samples = [sample for sample in samples if sample.person not in excluded_people]
    taken = {_words(name) for name in known}
    kept = tuple(sample for sample in samples if _words(sample.person) not in taken)
    left_out = {sample.person for sample in samples} - {sample.person for sample in kept}
    if left_out:
        notes.append(f"{_names(sorted(left_out))}: enrolled too, so left out of the strangers.")
    if not kept:
        raise InputError(f"Everybody in {root} is enrolled, so nobody there is a stranger.", "Give other people.")
    return kept, tuple(notes)


def _words(name: str) -> tuple[str, ...]:
    """The words of a name in one order, so that "Collins, Eileen" is "Eileen Collins"."""
    return tuple(sorted(re.findall(r"[^\W_]+", name_key(name)))) or (name_key(name),)


def _stranger_meant(wanted: str, samples: Sequence[Sample]) -> set[str]:
    """Whom a name or a file stands for."""
    path = Path(wanted)
    people = {s.person for s in samples if name_key(s.person) == name_key(wanted) or wanted == s.path.name}
    people |= {s.person for s in samples if s.path.name == path.name and s.path.absolute() == path.absolute()}
    if not people:
        raise InputError(f"Nobody among the strangers is {wanted!r}.", "Give a name or a file as the folder has it.")
    return people


def _stranger_files(root: Path) -> tuple[list[Sample], list[str]]:
    samples: list[Sample] = []
    notes: list[str] = []
    try:
        samples += [Sample(file.stem, file) for file in media_files(root)]
        folders = [f for f in root.iterdir() if f.is_dir() and not f.name.startswith(".")]
    except PermissionError as error:
        raise UnreadableError(f"The folder {root} may not be read.") from error
    for person in sorted(folders, key=natural_key):
        try:
            for place in (person, *(person / side for side in _SIDES)):
                samples += [Sample(person.name, file) for file in media_files(place)]
        except PermissionError:
            notes.append(f"The stranger {person.name} was left out: the folder may not be read.")
    return samples, notes
