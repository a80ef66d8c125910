"""The one place where a database's errors become ours."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy.exc

from knownface.errors import (
    GalleryDamagedError,
    GalleryError,
    GalleryLockedError,
    GalleryUnreachableError,
    KnownFaceError,
    OutputError,
)

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_RIGHTS_HINT = "Ask the database's administrator for the rights; a standby server cannot be written."
_PERMISSION_HINT = (
    "Check who owns the file and its folder: both must be readable and writable, so copy a gallery from a read-only "
    "disk to another one first."
)

# https://www.sqlite.org/rescode.html; an extended code is one of these plus a multiple of 256.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_CLOSED_TO_US = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_SERVER_BUSY = {"55P03", "40P01", "40001", "53300"}
_SERVER_FULL = {"53100", "53200", "53400", "58030"}
_SERVER_DAMAGED = {"XX001", "XX002"}
_SERVER_FORBIDS = {"42501", "25006"}
_SERVER_OCCUPIED = {"42P07", "42710"}
_OWN_MISTAKES = (
    sqlalchemy.exc.DataError,
    sqlalchemy.exc.IntegrityError,
    sqlalchemy.exc.NotSupportedError,
    sqlalchemy.exc.ProgrammingError,
)

_FAILED_READS = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}


class UnplacedError(Exception):
    """One of our errors that does not know what the gallery is called; :func:`translated` fills that in.

    Args:
        kind: Of the error.
        message: With ``{place}`` where the gallery is named.
        hint: What to do about it; empty is the kind's own.
    """

    def __init__(self, kind: type[KnownFaceError], message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.hint = kind, message, hint


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn the errors of the database and the disk that happen inside into ours.

    Errors that can only be a mistake in our own code (wrong SQL, a broken constraint) are let through.

    Args:
        place: What the messages call the gallery: its file, or its URL without the password.

    Raises:
        GalleryLockedError: Another program kept the database locked for too long.
        GalleryDamagedError: The file is no database, or not any more.
        OutputError: The disk is full or failed to write.
        GalleryUnreachableError: The server does not answer.
        GalleryError: The file may not be read or written.
    """
    try:
        yield
    except UnplacedError as error:
        raise error.kind(error.message.replace("{place}", place), error.hint) from error
    except sqlalchemy.exc.TimeoutError as error:
        raise GalleryLockedError(f"All connections to the gallery {place} are in use.") from error
    except sqlalchemy.exc.DBAPIError as error:
        ours = _from_sqlite(error.orig, place) if isinstance(error.orig, sqlite3.Error) else _from_server(error, place)
        if ours is None:
            raise
        raise ours from error
    except sqlite3.Error as error:
        ours = _from_sqlite(error, place)
        if ours is None:
            raise
        raise ours from error
    except OSError as error:
        raise _from_os(error, place) from error


def _from_sqlite(error: sqlite3.Error, place: str) -> KnownFaceError | None:
    # Programming errors of the driver itself carry no code.
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    ours: KnownFaceError | None = None
    if code in _BUSY:
        ours = GalleryLockedError(f"Another program is using the gallery {place}.")
    elif code in _DAMAGED:
        ours = GalleryDamagedError(f"{place} is damaged or not a gallery ({error}).")
    elif code in _CLOSED_TO_US:
        ours = GalleryError(f"The gallery {place} may not be opened or written ({error}).", _PERMISSION_HINT)
    elif extended in _FAILED_READS:
        ours = GalleryDamagedError(f"The disk did not give back what the gallery {place} holds ({error}).")
    elif code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        ours = OutputError(f"The gallery {place} could not be written: {error}.")
    return ours


def _from_server(error: sqlalchemy.exc.DBAPIError, place: str) -> KnownFaceError | None:
    code = getattr(error.orig, "sqlstate", None)
    said = " ".join(str(error.orig).split()).rstrip(".")
    ours: KnownFaceError | None = GalleryUnreachableError(f"The database {place} did not answer as it should: {said}.")
    if code in _SERVER_BUSY:
        ours = GalleryLockedError(f"Others keep the gallery {place} busy ({said}).")
    elif code in _SERVER_FULL:
        ours = OutputError(f"The gallery {place} could not be written: {said}.", "The server needs more room.")
    elif code in _SERVER_DAMAGED:
        ours = GalleryDamagedError(f"{place} is damaged ({said}).", "Restore the server's own backup.")
    elif code in _SERVER_FORBIDS:
        ours = GalleryError(f"The gallery {place} may not be read or written ({said}).", _RIGHTS_HINT)
    elif code in _SERVER_OCCUPIED:
        ours = GalleryError(f"{place} holds tables of another program ({said}).", "Name a database of its own.")
    elif isinstance(error, _OWN_MISTAKES):
        ours = None
    return ours


def _from_os(error: OSError, place: str) -> KnownFaceError:
    reason = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        return OutputError(f"The gallery {place} could not be written: {reason}.")
    if error.errno in _FORBIDDEN:
        return GalleryError(f"The gallery {place} may not be opened or written: {reason}.", _PERMISSION_HINT)
    return GalleryError(
        f"The gallery {place} could not be opened: {reason}.",
        "Check the path: the setting gallery, or KNOWNFACE_GALLERY.",
    )
