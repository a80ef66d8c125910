from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import InputError, OutputError, UnreadableError
from knownface.tables import Table, csv_text, read_csv, write_xlsx

TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"))


@given(st.lists(TEXT, min_size=1, max_size=4), st.lists(TEXT, min_size=1, max_size=4))
def test_no_cell_is_a_formula_and_every_text_comes_back(columns, row):
    told = list(csv.reader(io.StringIO(csv_text(columns, [row]), newline="")))
    assert [cell.removeprefix("'") for cell in told[1]] == [cell.removeprefix("'") for cell in row] or row == [""]
    for cell in (*told[0], *(told[1] if row != [""] else [])):
        assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_numbers_stay_numbers():
    assert csv_text(["a"], [[-1.5]]) == "a\r\n-1.5\r\n"


def test_a_file_of_either_separator_is_read(tmp_path):
    path = tmp_path / "t.csv"
    for text in ("\ufeffName,B\n x ,\n\n,\n", "Name;B\r\nx;\r\n"):
        path.write_bytes(text.encode())
        assert read_csv(path, "hint") == (["name", "b"], [(2, ["x", ""])])
    for text in ("\ufeffsep=;\r\nName;B\r\nx;,\r\n", "SEP=\t\nName\tB\nx\t,\n"):
        path.write_bytes(text.encode())
        assert read_csv(path, "hint") == (["name", "b"], [(3, ["x", ","])])


@given(st.lists(st.text(st.characters(codec="utf-8")).map(str.strip), min_size=1, max_size=4).filter(any))
def test_what_is_kept_from_being_a_formula_is_read_as_it_was(tmp_path_factory, row):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(csv_text(["a"] * len(row), [row]).encode())
    [(_, cells)] = read_csv(path, "hint")[1]
    assert cells == row


def test_bad_files_are_told(tmp_path):
    path = tmp_path / "t.csv"
    for content, error in ((b"", InputError), (b'a\n"b', InputError), (b"\xff\xfe", UnreadableError)):
        path.write_bytes(content)
        with pytest.raises(error):
            read_csv(path, "hint")
    with pytest.raises(UnreadableError):
        read_csv(tmp_path, "hint")


def test_an_excel_file_keeps_texts_and_sums_durations(tmp_path):
    pytest.importorskip("xlsxwriter", reason="the extra xlsx is not installed")
    path = tmp_path / "t.xlsx"
    row = [
        "=1+1",
        "http://x.org",
        "007",
        -2.5,
        None,
        date(2026, 3, 2),
        datetime(2026, 3, 2, 12, tzinfo=UTC),
        timedelta(hours=30),
    ]
    write_xlsx(path, {"One": Table([f"c{i}" for i in range(8)], [row]), "Two": Table(["x"], [])})
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
        names = re.findall(r'sheet name="(\w+)"', book.read("xl/workbook.xml").decode())
    assert names == ["One", "Two"]
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert all(f"<t>{text}</t>" in texts for text in ("=1+1", "http://x.org", "007"))
    values = dict(re.findall(r'<c r="([A-H]2)"[^>]*><v>([^<]+)</v>', sheet))
    assert (values["D2"], values["F2"], values["G2"], values["H2"]) == ("-2.5", "46083", "46083.5", "1.25")
    assert "E2" not in values
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_excel_file_that_cannot_be_written_is_told(tmp_path):
    pytest.importorskip("xlsxwriter", reason="the extra xlsx is not installed")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        write_xlsx(tmp_path / "file" / "t.xlsx", {"One": Table(["a"], [])})
