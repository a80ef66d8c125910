from __future__ import annotations

import sqlite3
import stat
import sys
import threading

import pytest
from sqlalchemy import func, insert, select, text

from knownface.errors import (
    GalleryDamagedError,
    GalleryEmptyError,
    GalleryError,
    GalleryLockedError,
    GalleryVersionError,
    MissingExtraError,
    OutputError,
    SettingsError,
)
from knownface.storage import Database, insert_new, insert_one
from knownface.storage import engine as engine_module
from knownface.storage.schema import groups, meta


@pytest.fixture
def file(tmp_path):
    return tmp_path / "some folder" / "gallery.db"


@pytest.fixture
def database(file):
    opened = Database.open(file)
    yield opened
    opened.close()


def pragma(connection, name):
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_new_file_is_private_and_durable(database, file):
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with database.reading() as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2  # FULL
        assert pragma(connection, "foreign_keys") == 1
        assert pragma(connection, "secure_delete") == 1
        assert pragma(connection, "busy_timeout") == 30_000


def test_a_missing_gallery_is_not_made_unless_asked(file):
    with pytest.raises(GalleryEmptyError, match=r"gallery\.db"):
        Database.open(file, create=False)
    assert not file.parent.exists()


def test_an_empty_file_becomes_a_gallery(file):
    file.parent.mkdir()
    file.touch()
    with pytest.raises(GalleryEmptyError):
        Database.open(file, create=False)
    Database.open(file).close()
    Database.open(file, create=False).close()


def test_what_was_written_is_there_and_what_failed_is_not(database):
    with database.writing() as connection:
        connection.execute(insert(meta), {"key": "kept", "value": "1"})

    def fail():
        with database.writing() as connection:
            connection.execute(insert(meta), {"key": "lost", "value": "1"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).where(meta.c.key == "kept")) == 1
        assert connection.scalar(select(func.count()).where(meta.c.key == "lost")) == 0


def test_a_reader_sees_one_state(database):
    count = select(func.count()).select_from(meta)
    with database.reading() as connection:
        before = connection.scalar(count)
        with database.writing() as other:
            other.execute(insert(meta), {"key": "new", "value": "1"})
        assert connection.scalar(count) == before


def test_a_second_writer_is_told_who_is_in_the_way(database, file, monkeypatch):
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.1)
    other = Database.open(file)
    with database.writing(), pytest.raises(GalleryLockedError, match=r"gallery\.db"):  # noqa: SIM117
        with other.writing():
            pass
    with other.writing():
        pass
    other.close()


@pytest.mark.parametrize("location", ["file", ":memory:"])
def test_threads_that_write_at_once_wait_for_each_other(location, file):
    database = Database.open(file if location == "file" else location)

    def write(number):
        for step in range(10):
            with database.writing() as connection:
                connection.execute(insert(meta), {"key": f"{number}-{step}", "value": "1"})

    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).where(meta.c.value == "1")) == 60
    database.close()


def test_insert_new_passes_over_what_is_there(database):
    with database.writing() as connection:
        insert_new(connection, meta, [{"key": "a", "value": "1"}])
        insert_new(connection, meta, [{"key": "a", "value": "2"}, {"key": "b", "value": "2"}])
        insert_new(connection, meta, [])
        found = connection.scalars(select(meta.c.value).where(meta.c.key.in_(["a", "b"])).order_by(meta.c.key))
        assert found.all() == ["1", "2"]


def test_insert_one_returns_the_key(database):
    with database.writing() as connection:
        assert insert_one(connection, groups, {"name": "A", "name_key": "a"}) == 1


GARBAGE = {
    "text": b"this is no database at all, but long enough to hold the header of one" * 100,
    "short": b"short",
    "header-only": b"SQLite format 3\0" + bytes(84),
    "zeros": bytes(8192),
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_database_is_refused_and_left_as_it_is(content, tmp_path):
    file = tmp_path / "gallery.db"
    file.write_bytes(content)
    with pytest.raises(GalleryDamagedError, match=r"gallery\.db"):
        Database.open(file)
    assert file.read_bytes() == content


@pytest.mark.parametrize("damage", ["cut", "overwritten", "header"])
def test_a_damaged_gallery_is_refused_and_left_as_it_is(damage, database, file):
    with database.writing() as connection:
        insert_new(connection, meta, [{"key": str(i), "value": "x" * 3000} for i in range(100)])
    database.close()
    content = bytearray(file.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "overwritten":
        content[len(content) // 2 : len(content) // 2 + 3 * 8192] = b"\xff" * 3 * 8192
    else:
        content[16:40] = b"\xff" * 24
    file.write_bytes(content)
    with pytest.raises(GalleryDamagedError) as caught:
        Database.open(file)
    assert str(file) in caught.value.message
    assert file.read_bytes() == content


def test_damage_in_a_large_file_is_told_when_it_is_met(database, file, monkeypatch):
    monkeypatch.setattr("knownface.storage.checks.QUICK_CHECK_BYTES", 0)
    with database.writing() as connection:
        insert_new(connection, meta, [{"key": str(i), "value": "x" * 3000} for i in range(100)])
    database.close()
    content = bytearray(file.read_bytes())
    content[-40 * 8192 : -10 * 8192] = b"\xff" * 30 * 8192
    file.write_bytes(content)
    again = Database.open(file)
    with pytest.raises(GalleryDamagedError), again.reading() as connection:
        connection.execute(select(meta)).all()
    again.close()


def test_a_newer_version_is_refused_and_left_as_it_is(database, file):
    with database.writing() as connection:
        connection.execute(text("UPDATE knownface_version SET version_num = '9999'"))
    database.close()
    content = file.read_bytes()
    with pytest.raises(GalleryVersionError, match="9999"):
        Database.open(file)
    assert file.read_bytes() == content


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path):
    file = tmp_path / "history.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE visits (url)")
    connection.close()
    content = file.read_bytes()
    with pytest.raises(GalleryError, match="another program"):
        Database.open(file)
    assert file.read_bytes() == content


def test_a_folder_is_no_gallery(tmp_path):
    with pytest.raises(GalleryError, match="not a file"):
        Database.open(tmp_path)


def test_a_path_through_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(GalleryError, match="file"):
        Database.open(tmp_path / "file" / "gallery.db")


@pytest.mark.parametrize("location", ["gallery.db", "folder/gallery.db"])
def test_a_folder_that_may_not_be_written_is_told(ordinary_folder, location):
    ordinary_folder.chmod(0o500)
    with pytest.raises(GalleryError, match=r"gallery\.db may not be opened") as caught:
        Database.open(ordinary_folder / location)
    ordinary_folder.chmod(0o700)
    assert "Check who owns" in caught.value.hint


@pytest.mark.parametrize("rights", [0o000, 0o400])
def test_a_gallery_that_may_not_be_read_or_written_is_told(ordinary_folder, rights):
    file = ordinary_folder / "gallery.db"
    Database.open(file).close()
    content = file.read_bytes()
    file.chmod(rights)
    ordinary_folder.chmod(0o500)
    with pytest.raises(GalleryError, match=r"gallery\.db may not be opened"):
        Database.open(file)
    ordinary_folder.chmod(0o700)
    file.chmod(0o600)
    assert file.read_bytes() == content


def test_a_database_that_may_not_be_written_is_told(database):
    def write():
        with database.writing() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.execute(insert(meta), {"key": "a", "value": "1"})

    with pytest.raises(GalleryError, match="may not be opened or written"):
        write()


def test_a_full_disk_is_told_and_leaves_everything_as_it_was(database, file):
    def write():
        with database.writing() as connection:
            pages = pragma(connection, "page_count")
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
            insert_new(connection, meta, [{"key": str(i), "value": "x" * 5000} for i in range(100)])

    with pytest.raises(OutputError, match=r"gallery\.db"):
        write()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(meta)) == 3


def test_a_server_without_its_driver_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match="PostgreSQL") as caught:
        Database.open("postgresql://localhost/faces")
    assert "[postgres]" in caught.value.hint


def test_an_unknown_kind_of_server_is_refused():
    with pytest.raises(SettingsError, match="nosuch"):
        Database.open("nosuch://localhost/faces")
