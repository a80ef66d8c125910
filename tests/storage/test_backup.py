from __future__ import annotations

import sqlite3
import stat
import threading

import pytest
from sqlalchemy import insert, select

from knownface.errors import (
    GalleryDamagedError,
    GalleryError,
    GalleryLockedError,
    GalleryVersionError,
    OutputError,
    UnreadableError,
)
from knownface.storage import Database, backup, restore
from knownface.storage.schema import META_STAMP, meta


def put(database, key, value="1"):
    with database.writing() as connection:
        connection.execute(insert(meta), {"key": key, "value": value})


def keys(file):
    database = Database.open(file, create=False)
    with database.reading() as connection:
        found = set(connection.scalars(select(meta.c.key)))
    database.close()
    return found


@pytest.fixture
def file(tmp_path):
    return tmp_path / "g.db"


@pytest.fixture
def copy(file, tmp_path):
    """A backup that holds the key "old"; the gallery holds "new" besides. Nobody has either open."""
    database = Database.open(file)
    put(database, "old")
    backup(database, tmp_path / "backups" / "b.db")
    put(database, "new")
    database.close()
    return tmp_path / "backups" / "b.db"


def test_a_backup_is_one_private_file_with_everything(copy):
    assert keys(copy) >= {"old"}
    assert "new" not in keys(copy)
    assert [path.name for path in copy.parent.iterdir()] == ["b.db"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_backup_can_be_made_while_others_write(file, tmp_path):
    database = Database.open(file)
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            put(database, str(number))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    for number in range(5):
        backup(database, tmp_path / f"{number}.db")
    stop.set()
    writer.join()
    database.close()
    for number in range(5):
        found = {int(key) for key in keys(tmp_path / f"{number}.db") if key.isdigit()}
        assert found == set(range(len(found)))


def test_an_existing_file_is_overwritten_only_if_asked(file, tmp_path):
    database = Database.open(file)
    target = tmp_path / "b.db"
    target.write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        backup(database, target)
    assert target.read_text() == "precious"
    backup(database, target, overwrite=True)
    with pytest.raises(OutputError, match="itself"):
        backup(database, file, overwrite=True)
    database.close()
    assert keys(target)


def test_a_damaged_gallery_gives_no_backup(file, tmp_path, monkeypatch):
    monkeypatch.setattr("knownface.storage.checks.QUICK_CHECK_BYTES", 0)
    database = Database.open(file)
    put(database, "large", "x" * 500_000)
    database.close()
    content = bytearray(file.read_bytes())
    content[-20 * 8192 :] = b"\xff" * 20 * 8192
    file.write_bytes(content)
    database = Database.open(file)
    with pytest.raises(GalleryDamagedError):
        backup(database, tmp_path / "b.db")
    database.close()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "b"))] == []


def test_restoring_puts_the_old_state_back_and_keeps_the_newer_one(file, copy):
    before = keys(file)
    kept = restore(copy, file).kept
    assert kept == file.with_name("g.db.before-restore")
    assert "new" not in keys(file)
    assert keys(kept) == before
    assert restore(copy, file).kept == file.with_name("g.db.before-restore-2")
    assert keys(copy) >= {"old"}


def test_restoring_where_nothing_was_just_puts_it_there(copy, tmp_path):
    target = tmp_path / "elsewhere" / "g.db"
    assert restore(copy, target).kept is None
    assert "old" in keys(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_restored_gallery_is_not_taken_for_the_one_that_was_there(file, copy):
    def stamp():
        with sqlite3.connect(file) as connection:
            found = connection.execute("SELECT value FROM meta WHERE key = ?", (META_STAMP,)).fetchone()[0]
        connection.close()
        return found

    before = stamp()
    restore(copy, file)
    assert stamp() != before


@pytest.mark.parametrize("damage", ["cut", "text", "overwritten"])
def test_a_damaged_backup_replaces_nothing(file, copy, damage):
    before = file.read_bytes()
    content = bytearray(copy.read_bytes())
    if damage == "cut":
        del content[-8192:]
    elif damage == "text":
        content[:] = b"no database" * 100
    else:
        content[8192 : 2 * 8192] = b"\xff" * 8192
    copy.write_bytes(content)
    with pytest.raises(GalleryDamagedError, match=r"b\.db"):
        restore(copy, file)
    assert file.read_bytes() == before
    assert copy.read_bytes() == content


def test_a_newer_or_foreign_or_missing_backup_replaces_nothing(file, copy, tmp_path):
    before = file.read_bytes()
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE knownface_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(GalleryVersionError):
        restore(copy, file)
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE visits (url)")
    connection.close()
    with pytest.raises(GalleryError, match="another program"):
        restore(tmp_path / "other.db", file)
    with pytest.raises(UnreadableError):
        restore(tmp_path / "none.db", file)
    with pytest.raises(GalleryError, match="itself"):
        restore(file, file)
    with pytest.raises(GalleryError, match="no file"):
        restore(copy, ":memory:")
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backups", "g.db", "other.db"]


def test_a_gallery_that_is_open_is_not_replaced(file, copy):
    database = Database.open(file)
    with database.reading() as connection:
        connection.execute(select(meta)).all()
    with pytest.raises(GalleryLockedError, match="open"):
        restore(copy, file)
    database.close()
    assert "new" in keys(file)
    restore(copy, file)
    assert "new" not in keys(file)


def test_a_damaged_gallery_can_be_replaced_and_is_kept_byte_for_byte(file, copy):
    damaged = b"what is left of it" * 1000
    file.write_bytes(damaged)
    file.with_name("g.db-wal").write_bytes(b"old log")
    kept = restore(copy, file).kept
    assert kept.read_bytes() == damaged
    assert kept.with_name(kept.name + "-wal").read_bytes() == b"old log"
    assert "old" in keys(file)
