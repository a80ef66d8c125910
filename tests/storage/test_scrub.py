from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, select

from knownface.storage import Database
from knownface.storage import scrub as module
from knownface.storage.schema import META_SCRUB, meta, people
from knownface.storage.scrub import is_marked, mark_for_scrubbing


def everything(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_removed_is_in_no_file(tmp_path, seed):
    """Rows of changing sizes are moved between pages, which leaves copies that ``secure_delete`` forgets.

    With one of these seeds it did, before files were written anew.
    """
    rng = random.Random(seed)
    database = Database.open(tmp_path / "g.db")
    held, gone = [], []
    for _ in range(100):
        new = [f"{rng.getrandbits(64):016x}" * rng.randint(1, 12) for _ in range(rng.randint(1, 8))]
        held += new
        with database.writing() as connection:
            rows = [{"name": name, "name_key": name, "created": datetime.now(UTC)} for name in new]
            connection.execute(insert(people), rows)
        out = [held.pop(rng.randrange(len(held))) for _ in range(rng.randint(1, min(6, len(held))))]
        gone += out
        with database.writing() as connection:
            connection.execute(delete(people).where(people.c.name.in_(out)))
            mark_for_scrubbing(connection)
        assert database.scrub(thorough=False)
    content = everything(tmp_path)
    assert all(name[:16].encode() in content for name in held)
    assert not any(name[:16].encode() in content for name in gone)
    database.close()


def test_where_nothing_was_removed_nothing_is_done(tmp_path, monkeypatch):
    database = Database.open(tmp_path / "g.db")
    monkeypatch.setattr("knownface.storage.database.overwrite", None)
    assert database.scrub(thorough=False)
    database.close()


def test_while_somebody_reads_it_is_put_off(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "_WAIT_MILLISECONDS", 50)
    database, other = Database.open(tmp_path / "g.db"), Database.open(tmp_path / "g.db")
    with database.writing() as connection:
        mark_for_scrubbing(connection)
    with other.reading() as connection:
        connection.execute(select(meta)).all()
        assert not database.scrub(thorough=False)
    with database.reading() as connection:
        assert connection.scalar(select(meta.c.value).where(meta.c.key == META_SCRUB)) == "1"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    other.close()
    assert database.scrub(thorough=False)
    with database.reading() as connection:
        assert connection.scalar(select(meta.c.value).where(meta.c.key == META_SCRUB)) is None
    database.close()


def test_without_room_it_is_put_off_and_said(tmp_path, monkeypatch, caplog):
    def full(connection, *, thorough):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    database = Database.open(tmp_path / "g.db")
    with database.writing() as connection:
        mark_for_scrubbing(connection)
    with monkeypatch.context() as patched:
        patched.setattr("knownface.storage.database.overwrite", full)
        assert not database.scrub(thorough=False)
    assert "not yet overwritten" in caplog.text
    assert database.scrub(thorough=False)
    database.close()


def test_a_large_file_is_written_anew_only_when_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PROMPT_BYTES", 0)
    database = Database.open(tmp_path / "g.db")
    with database.erasing() as connection:
        connection.execute(delete(people))
    assert (tmp_path / "g.db-wal").stat().st_size == 0  # the log, at once
    with database.reading() as connection:
        assert is_marked(connection)
    assert not database.scrub(thorough=False)
    assert database.scrub()
    with database.reading() as connection:
        assert not is_marked(connection)
    database.close()


def test_in_memory_it_works_as_well():
    database = Database.open(":memory:")
    with database.writing() as connection:
        mark_for_scrubbing(connection)
    assert database.scrub(thorough=False)
    database.close()


def test_the_side_files_are_gone_once_everybody_has_closed(tmp_path):
    database = Database.open(tmp_path / "g.db")
    with database.writing() as connection:
        mark_for_scrubbing(connection)
    database.scrub(thorough=False)
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["g.db"]
