from __future__ import annotations

import errno
import sqlite3

import pytest
import sqlalchemy.exc

from knownface.errors import (
    GalleryDamagedError,
    GalleryError,
    GalleryLockedError,
    GalleryUnreachableError,
    InputError,
    OutputError,
)
from knownface.storage.failures import translated


def sqlite_error(code, kind=sqlite3.OperationalError):
    error = kind("what SQLite says")
    error.sqlite_errorcode = code
    return error


def raised_as(error):
    with pytest.raises(Exception) as caught, translated("the gallery"):  # noqa: PT011
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, GalleryLockedError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, GalleryLockedError),
        (sqlite3.SQLITE_LOCKED, GalleryLockedError),
        (sqlite3.SQLITE_CORRUPT, GalleryDamagedError),
        (sqlite3.SQLITE_CORRUPT_INDEX, GalleryDamagedError),
        (sqlite3.SQLITE_NOTADB, GalleryDamagedError),
        (sqlite3.SQLITE_IOERR_READ, GalleryDamagedError),
        (sqlite3.SQLITE_FULL, OutputError),
        (sqlite3.SQLITE_IOERR_WRITE, OutputError),
        (sqlite3.SQLITE_IOERR_FSYNC, OutputError),
        (sqlite3.SQLITE_READONLY, GalleryError),
        (sqlite3.SQLITE_READONLY_DIRECTORY, GalleryError),
        (sqlite3.SQLITE_CANTOPEN, GalleryError),
    ],
)
def test_what_sqlite_says_becomes_ours(code, kind):
    bare = raised_as(sqlite_error(code))
    wrapped = raised_as(sqlalchemy.exc.OperationalError("SELECT", {}, sqlite_error(code)))
    for ours in (bare, wrapped):
        assert type(ours) is kind
        assert "the gallery" in ours.message
        assert ours.hint
        assert ours.__cause__ is not None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, OutputError),
        (errno.EFBIG, OutputError),
        (errno.EDQUOT, OutputError),
        (errno.EACCES, GalleryError),
        (errno.EROFS, GalleryError),
        (errno.ENOTDIR, GalleryError),
    ],
)
def test_what_the_system_says_becomes_ours(number, kind):
    ours = raised_as(OSError(number, "what the system says"))
    assert type(ours) is kind
    assert "the gallery" in ours.message
    assert "what the system says" in ours.message


def test_all_connections_in_use():
    assert type(raised_as(sqlalchemy.exc.TimeoutError())) is GalleryLockedError


def test_a_server_that_does_not_answer():
    ours = raised_as(sqlalchemy.exc.OperationalError("SELECT", {}, ConnectionError("refused")))
    assert type(ours) is GalleryUnreachableError
    assert "refused" in ours.message


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_ERROR),
        sqlite_error(sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.IntegrityError),
        sqlite3.ProgrammingError("closed"),
        sqlalchemy.exc.IntegrityError("INSERT", {}, sqlite_error(sqlite3.SQLITE_CONSTRAINT, sqlite3.IntegrityError)),
        sqlalchemy.exc.InvalidRequestError("wrong"),
        InputError("ours already"),
        ValueError("somebody else's"),
    ],
)
def test_mistakes_of_our_own_and_other_errors_go_through(error):
    assert raised_as(error) is error
