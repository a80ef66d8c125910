from __future__ import annotations

from pathlib import Path

import pytest

from knownface.errors import SettingsError
from knownface.storage import parse_location


def test_a_path_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert parse_location("a b?#%.db").file == tmp_path / "a b?#%.db"
    assert parse_location(Path("x/y.db")).file == tmp_path / "x" / "y.db"
    assert parse_location("~/g.db").file == tmp_path / "home" / "g.db"
    assert str(parse_location("g.db")) == str(tmp_path / "g.db")


def test_sqlite_urls_are_files_too(tmp_path):
    assert parse_location(f"sqlite:///{tmp_path}/g.db").file == tmp_path / "g.db"
    assert parse_location("sqlite://").file is None


def test_memory_is_no_file():
    place = parse_location(":memory:")
    assert (place.file, place.is_sqlite, str(place)) == (None, True, ":memory:")


def test_a_server_is_named_without_its_password():
    place = parse_location("postgresql://ann:secret@host/faces")
    assert place.file is None
    assert not place.is_sqlite
    assert str(place) == "postgresql://ann:***@host/faces"


@pytest.mark.parametrize(
    "location",
    [
        "postgresql://ann@host/faces?password=secret",
        "postgresql://ann:secret@host/faces?sslpassword=secret&sslmode=require",
        "postgres://ann:secret@host:5433/faces",
        "postgresql+psycopg://ann:secret@host/faces?passfile=/home/secret",
    ],
)
def test_no_secret_of_a_url_is_shown(location):
    place = parse_location(location)
    assert "secret" not in str(place)
    assert str(place).startswith("postgresql://ann")
    assert "secret" in place.url.render_as_string(hide_password=False)
    assert place.url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "location",
    [
        "postgresql://ann:x@y:secret@host:secret/faces",
        "postgresql://ann:secret@host:99x/faces",
        "postgresql://ann:secret@host",
        "postgresql+pg8000://ann:secret@host/faces",
        "mysql://ann:secret@host/faces",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_telling_its_password(location):
    with pytest.raises(SettingsError) as caught:
        parse_location(location)
    error = caught.value
    while error is not None:
        assert "secret" not in str(error)
        error = error.__cause__
    assert "postgresql://user@host/database" in caught.value.hint


@pytest.mark.parametrize("location", ["", "  ", "://", "sqlite//://x y"])
def test_what_is_neither_is_refused(location):
    with pytest.raises(SettingsError):
        parse_location(location)
