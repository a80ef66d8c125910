"""Many people in one ZIP archive: a folder a person, or a list of people with the names of their pictures.

Archives come from anywhere, so nothing of one is believed: names may lead elsewhere, and sizes may be lies.
"""

from __future__ import annotations

import lzma
import shutil
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from knownface.enrolment.scan import FileReview, PeopleScan, PersonFolder, refusal_of, scan_people
from knownface.errors import BadNameError, InputError, TooLargeError, UnreadableError, UnsupportedError
from knownface.gallery import clean_name, name_key
from knownface.media import is_clutter, kind_of
from knownface.tables import check_no_faults, csv_text, read_csv

LIST_NAME = "people.csv"
PICTURES = "pictures"
"""The column of the list that names pictures of the archive; the others are those of ``knownface people import``."""
_SEPARATOR = ";"
_HINT = f"The columns are those of `knownface people import`, and {PICTURES}: names of files, separated by semicolons."

_END, _END_SIZE = b"PK\x05\x06", 22
_END64, _END64_SIZE, _LOCATOR64, _LOCATOR64_SIZE = b"PK\x06\x06", 56, b"PK\x06\x07", 20
"""Of a Zip64 archive, before its end: how large its directory is, and where that stands (APPNOTE 6.3.10, 4.3.14)."""
_LONGEST_COMMENT = 65_535
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
_HEAD_BYTES = 600
"""Of one file in the archive's directory, on average, at most."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold.

    Attributes:
        files: How many files and folders.
        file_bytes: Of one file, unpacked.
        bytes: Of all, unpacked.
    """

    files: int = 10_000
    file_bytes: int = 64_000_000
    bytes: int = 1_000_000_000


def check_archive(path: Path, limits: ArchiveLimits) -> int:
    """Refuse what is no archive, would leave its folder or take too much; nothing is unpacked.

    Returns:
        How many files it holds.

    Raises:
        UnsupportedError: It is no ZIP archive, or one with a password.
        InputError: It is damaged, or holds a path that leads out of it.
        TooLargeError: It holds more than the limits.
    """
    _check_directory(path, limits)
    with _opened(path) as archive:
        return len(_files(archive, limits))


def unpack_archive(path: Path, folder: Path, limits: ArchiveLimits) -> list[FileReview]:
    """Unpack an archive into a new folder: ordinary files only, none of them larger than it says.

    Returns:
        Files that could not be unpacked, with the reason.

    Raises:
        InputError: As :func:`check_archive`.
    """
    _check_directory(path, limits)
    refused: list[FileReview] = []
    with _opened(path) as archive:
        for name, entry in _files(archive, limits).items():
            target = folder / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as packed, target.open("xb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)
            except (OSError, ValueError, EOFError, NotImplementedError, *_DAMAGED) as error:
                if target.is_file():
                    target.unlink()
                why = error.strerror if isinstance(error, OSError) else str(error)
                text = f"It cannot be unpacked: {why}."
                refused.append(refusal_of(target, target.parent.name, UnreadableError.code, text))
    return refused


def scan_unpacked(folder: Path) -> tuple[PeopleScan, Path | None]:
    """Who is in an unpacked archive, and the list of people to be imported first, without its column of pictures.

    Raises:
        UnreadableError: Nobody is in it, or the list is not UTF-8.
        InputError: The list has faults; the message names the lines.
    """
    root = _root(folder)
    found = root / LIST_NAME
    if not found.is_file():
        return scan_people(root), None
    header, lines = read_csv(found, _HINT)
    if PICTURES not in header:
        scan = scan_people(root)
        return replace(scan, refused=tuple(one for one in scan.refused if one.path != found)), found
    place = header.index(PICTURES)
    scan = _listed(root, lines, header.index("name") if "name" in header else 0, place)
    kept = [cells[:place] + cells[place + 1 :] for _, cells in lines]
    found.write_text(csv_text(header[:place] + header[place + 1 :], kept), encoding="utf-8", newline="")
    return scan, found


def _listed(root: Path, lines: list[tuple[int, list[str]]], name_place: int, place: int) -> PeopleScan:
    people: dict[str, PersonFolder] = {}
    refused: list[FileReview] = []
    faults: list[str] = []
    for line, cells in lines:
        if len(cells) <= max(place, name_place):
            continue  # the import says so
        try:
            person = clean_name(cells[name_place])
        except BadNameError:
            continue
        files = []
        for name in filter(None, (part.strip() for part in cells[place].split(_SEPARATOR))):
            try:
                path = root / _safe(name)
            except InputError as error:
                faults.append(f"line {line}: {error.message}")
                continue
            if path.is_file() and kind_of(path):
                files.append(path)
            else:
                why = "Is no photo and no video." if path.is_file() else "Is not in the archive."
                refused.append(refusal_of(path, person, UnreadableError.code, why))
        before = people.get(name_key(person), PersonFolder(person, ()))
        people[name_key(person)] = PersonFolder(before.name, (*before.files, *files))
    check_no_faults(root / LIST_NAME, faults, _HINT)
    return PeopleScan(tuple(person for person in people.values() if person.files), tuple(refused))


def _root(folder: Path) -> Path:
    """Where the people's folders are: people also pack the folder above."""
    entries = [entry for entry in folder.iterdir() if not is_clutter(entry)]
    if len(entries) == 1 and entries[0].is_dir():
        inner = [entry for entry in entries[0].iterdir() if not is_clutter(entry)]
        if (entries[0] / LIST_NAME).is_file() or all(entry.is_dir() for entry in inner):
            return entries[0]
    return folder


def _check_directory(path: Path, limits: ArchiveLimits) -> None:
    """Look at the end of the file, before anything is made of the directory, which may be endless."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT - _LOCATOR64_SIZE - _END64_SIZE))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise UnsupportedError("This is no ZIP archive.", "Pack one folder a person into a ZIP file.")
    count, directory = struct.unpack_from("<HI", tail, at + 10)
    locator = at - _LOCATOR64_SIZE
    if locator >= 0 and tail.startswith(_LOCATOR64, locator):
        end = locator - _END64_SIZE
        if end < 0 or not tail.startswith(_END64, end):
            raise UnreadableError("The archive is damaged: its directory is not where its end says.")
        count, directory = struct.unpack_from("<QQ", tail, end + 32)
    if count > limits.files or directory > limits.files * _HEAD_BYTES:
        raise TooLargeError(f"The archive holds more than {limits.files} files.", "Send it in parts.")


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        try:
            return zipfile.ZipFile(path, metadata_encoding="utf-8")
        except UnicodeDecodeError:
            return zipfile.ZipFile(path)  # by the format's own rule, code page 437
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise UnreadableError(f"The archive is damaged: {error}.") from error


def _files(archive: zipfile.ZipFile, limits: ArchiveLimits) -> dict[PurePosixPath, zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > limits.files:
        raise TooLargeError(f"The archive holds more than {limits.files} files.", "Send it in parts.")
    files: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry in entries:
        name = _safe(entry.filename)
        if entry.is_dir() or any(is_clutter(Path(part)) for part in name.parts):
            continue
        if entry.flag_bits & 1:
            raise UnsupportedError("The archive has a password.", "Pack it without one.")
        if entry.file_size > limits.file_bytes:
            raise TooLargeError(f"{name} has {entry.file_size} bytes unpacked; at most {limits.file_bytes} are taken.")
        files[name] = entry
    total = sum(entry.file_size for entry in files.values())
    if total > limits.bytes:
        raise TooLargeError(
            f"The archive has {total} bytes unpacked; at most {limits.bytes} are taken.", "Send it in parts."
        )
    return files


def _safe(name: str) -> PurePosixPath:
    """A path of an archive as one below a folder.

    Raises:
        InputError: It leads out of it.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name or PureWindowsPath(name).drive:
        raise InputError(
            f"The path {name[:100]!r} leads out of the archive.", "Pack the folders anew, with plain names."
        )
    return path
