from __future__ import annotations

import pytest

from knownface.errors import InputError, UnreadableError
from knownface.events import Guest, read_guests


@pytest.fixture
def write(tmp_path):
    def make(text, encoding="utf-8"):
        path = tmp_path / "guests.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return make


def test_a_list_of_a_spreadsheet(write):
    path = write('\ufeffName,External_ID,Table,Profile\r\nAnn  Lee,T1,5,\r\n\r\nZoë,,,"a, b"\r\n')
    assert read_guests(path) == [
        Guest("Ann Lee", "T1", {"table": "5"}),
        Guest("Zoë", None, {"profile": "a, b"}),
    ]


def test_semicolons_are_read_too(write):
    assert read_guests(write("name;table\nAnn, Dr.;5\n")) == [Guest("Ann, Dr.", None, {"table": "5"})]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("name\n", "names no guest"),
        ("table\n5\n", "column 'name'"),
        ("name,name\nA,B\n", "twice"),
        ("name,\nA,B\n", "without a name"),
        ("name,table\nAnn\n", "line 2: 1 cells"),
        ("name\nUnknown\n", "line 2"),
        ("name,external_id\nA,1\nB,1\n", "line 3: the external id of line 2"),
        ("name,table\nAnn,\x07\n", "cannot be printed"),
        ("name,table\nAnn," + "x" * 2001 + "\n", "longer than"),
        ('name\n"Ann\n', "line"),
    ],
)
def test_faults_are_told(write, text, told):
    with pytest.raises(InputError, match=told):
        read_guests(write(text))


def test_other_encodings_and_missing_files(write, tmp_path):
    with pytest.raises(UnreadableError, match="UTF-8"):
        read_guests(write("name\nZoë\n", "latin-1"))
    with pytest.raises(UnreadableError):
        read_guests(tmp_path / "none.csv")
