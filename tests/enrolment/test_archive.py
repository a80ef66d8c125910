"""ZIP archives of people: read as folders are, and never believed."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image as PilImage

from knownface.enrolment.archive import ArchiveLimits, check_archive, scan_unpacked, unpack_archive
from knownface.errors import InputError, TooLargeError, UnreadableError, UnsupportedError

LIMITS = ArchiveLimits(files=5, file_bytes=10_000, bytes=20_000)


def photo() -> bytes:
    buffer = io.BytesIO()
    PilImage.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def packed(tmp_path: Path):
    """Packs files, by their names, into an archive."""

    def pack(files: Mapping[str, bytes | str], name: str = "a.zip") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in files.items():
                archive.writestr(entry, content)
        return path

    return pack


def people_of(path: Path, folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    refused = unpack_archive(path, folder, LIMITS)
    scan, _ = scan_unpacked(folder)
    reasons = [f"{one.path.name}: {one.reason}" for one in (*refused, *scan.refused)]
    return {person.name: [file.name for file in person.files] for person in scan.people}, reasons


def test_folders_are_people_also_below_one_more_folder(packed, tmp_path: Path) -> None:
    inner = packed({"x/1.png": photo()}, "inner.zip").read_bytes()
    path = packed(
        {
            "class/Ada_Lovelace/1.png": photo(),
            "class\\Ada_Lovelace\\2.png": photo(),
            "class/Žofie/a.png": photo(),
            "class/Žofie/more.zip": inner,
            "__MACOSX/._1.png": b"x",
            "class/.DS_Store": b"x",
        }
    )
    assert check_archive(path, ArchiveLimits(files=6)) == 4
    unpacked = tmp_path / "out"
    refused = unpack_archive(path, unpacked, ArchiveLimits())
    scan, listed = scan_unpacked(unpacked)
    assert {person.name: len(person.files) for person in scan.people} == {"Ada Lovelace": 2, "Žofie": 1}
    assert ([one.reason for one in (*refused, *scan.refused)], listed) == (["unsupported"], None)


def test_a_list_names_people_and_their_pictures(packed, tmp_path: Path) -> None:
    rows = "name,groups,pictures\nAda,staff,p/1.png; p/2.png\nBob,,p/3.png\nCy,,\n"
    path = packed({"people.csv": rows, "p/1.png": photo(), "p/2.png": "no photo", "q.png": photo()})
    unpack_archive(path, tmp_path / "out", LIMITS)
    scan, listed = scan_unpacked(tmp_path / "out")
    assert {person.name: [file.name for file in person.files] for person in scan.people} == {"Ada": ["1.png", "2.png"]}
    assert [(one.path.name, one.text) for one in scan.refused] == [("3.png", "Is not in the archive.")]
    assert listed is not None
    assert listed.read_text().splitlines() == ["name,groups", "Ada,staff", "Bob,", "Cy,"]
    away = packed({"people.csv": "name,pictures\nAda,../../etc/passwd\n", "p/1.png": photo()}, "b.zip")
    unpack_archive(away, tmp_path / "out2", LIMITS)
    with pytest.raises(InputError, match=r"line 2: .*leads out of the archive"):
        scan_unpacked(tmp_path / "out2")


@pytest.mark.parametrize("name", ["../a/1.png", "a/../../b.png", "/etc/x.png", "C:\\x.png", "a\\..\\..\\x.png"])
def test_paths_that_lead_out_are_refused_and_nothing_is_written(packed, tmp_path: Path, name: str) -> None:
    path = packed({"Ada/1.png": photo(), name: photo()})
    with pytest.raises(InputError, match="leads out of the archive"):
        check_archive(path, LIMITS)
    with pytest.raises(InputError):
        unpack_archive(path, tmp_path / "out", LIMITS)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_bombs_are_refused_before_they_are_unpacked(packed) -> None:
    for files, words in (
        ({f"a/{number}.png": b"" for number in range(6)}, "more than 5 files"),
        ({"a/1.png": bytes(10_001)}, "a/1.png has 10001 bytes unpacked; at most 10000"),
        ({f"a/{number}.png": bytes(9_000) for number in range(3)}, "27000 bytes unpacked; at most 20000"),
    ):
        with pytest.raises(TooLargeError, match=words):
            check_archive(packed(files), LIMITS)


def test_lies_about_how_much_there_is_are_found_out(packed, tmp_path: Path) -> None:
    content = bytearray(packed({f"a/{number}{'x' * 900}.png": b"" for number in range(5)}).read_bytes())
    end = content.rfind(b"PK\x05\x06")
    many = tmp_path / "many.zip"
    many.write_bytes(bytes(content))
    with pytest.raises(TooLargeError):  # few files, as it says, in an endless directory
        check_archive(many, LIMITS)
    small = bytearray(packed({"Ada/1.png": photo() + bytes(9_000), "Bob/1.png": photo()}).read_bytes())
    for head, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = small.find(head)
        small[at + place : at + place + 4] = struct.pack("<I", 50)  # it says that it is small
    lying = tmp_path / "lying.zip"
    lying.write_bytes(bytes(small))
    people, reasons = people_of(lying, tmp_path / "out")
    assert (people, reasons) == ({"Bob": ["1.png"]}, ["1.png: unreadable", "Ada: no-pictures"])
    assert sum(file.stat().st_size for file in (tmp_path / "out").rglob("*") if file.is_file()) < 1_000
    content[end - 20 : end - 16] = b"PK\x06\x07"
    many.write_bytes(bytes(content))
    with pytest.raises(UnreadableError):  # of Zip64, and does not say what that says
        check_archive(many, ArchiveLimits())


def test_archives_of_the_kind_zip64_are_taken_within_the_same_limits(
    packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)  # so that few files are enough for one
    path = packed({"Ada/1.png": photo(), "Bob/1.png": photo()})
    assert b"PK\x06\x06" in path.read_bytes()
    assert people_of(path, tmp_path / "out") == ({"Ada": ["1.png"], "Bob": ["1.png"]}, [])
    with pytest.raises(TooLargeError, match="more than 5 files"):
        check_archive(packed({f"a/{number}.png": b"" for number in range(6)}, "many.zip"), LIMITS)
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x06\x06")
    content[at + 40 : at + 48] = struct.pack("<Q", 2**40)
    path.write_bytes(bytes(content))
    with pytest.raises(TooLargeError):
        check_archive(path, LIMITS)


def test_what_is_no_archive_or_has_a_password_is_refused(packed, tmp_path: Path) -> None:
    nothing = tmp_path / "x.zip"
    nothing.write_bytes(photo())
    with pytest.raises(UnsupportedError, match="no ZIP archive"):
        check_archive(nothing, LIMITS)
    whole = bytearray(packed({"Ada/1.png": photo()}).read_bytes())
    at = whole.find(b"PK\x01\x02")
    whole[at + 8] |= 1
    nothing.write_bytes(bytes(whole))
    with pytest.raises(UnsupportedError, match="password"):
        check_archive(nothing, LIMITS)
    nothing.write_bytes(bytes(whole[at + 20 :]))
    with pytest.raises(UnreadableError, match="damaged"):
        check_archive(nothing, LIMITS)
