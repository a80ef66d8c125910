"""Noticing cheaply that somebody changed a database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from knownface.storage.checks import connect_read_only
from knownface.storage.database import Database
from knownface.storage.failures import translated
from knownface.storage.schema import META_GENERATION, META_STAMP


class Watch(Protocol):
    """Notices whether a gallery was changed by anybody. One thread at a time may use it."""

    def version(self) -> int | str:
        """Something that differs from the last answer whenever a change was committed in between.

        Raises:
            GalleryError: The database cannot be read, or the server does not answer.
            ValueError: The watch was closed.
        """
        ...

    def close(self) -> None:
        """Close its connection."""
        ...


def open_watch(database: Database) -> Watch | None:
    """A watch over an open database; None over one in memory, which nobody else can change."""
    if database.location.file is not None:
        return FileWatch(database.location.file)
    return None if database.location.is_sqlite else ServerWatch(database)


class FileWatch:
    """Notices whether an SQLite file was changed by any other connection, in a few microseconds.

    A query through SQLAlchemy that reads the same from a table takes fifty times as long, which would be felt in a
    live video.
    """

    def __init__(self, file: Path) -> None:
        self._place = str(file)
        self._connection: sqlite3.Connection | None = connect_read_only(file)

    def version(self) -> int:
        """See :class:`Watch`, and https://www.sqlite.org/pragma.html#pragma_data_version."""
        if self._connection is None:
            raise ValueError("the watch is closed")
        with translated(self._place):
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def close(self) -> None:
        """Close its connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class ServerWatch:
    """Asks a server for the gallery's state: one round trip on a connection of its own, outside any transaction.

    ``LISTEN`` would save the round trip, but says nothing while a firewall or a connection pool swallows the
    notifications, and a name that was deleted must not come back for that.
    """

    _QUERY = f"SELECT string_agg(value, ' ' ORDER BY key) FROM meta WHERE key IN ('{META_GENERATION}', '{META_STAMP}')"  # noqa: S608

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._closed = False

    def version(self) -> str:
        """See :class:`Watch`."""
        if self._closed:
            raise ValueError("the watch is closed")
        with translated(str(self._database)):
            try:
                return self._ask()
            except DBAPIError as error:
                self._hang_up()
                if not error.connection_invalidated:
                    raise
            # The server was restarted since the last question: once more, on a new connection.
            return self._ask()

    def _ask(self) -> str:
        if self._connection is None:
            self._connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return str(self._connection.exec_driver_sql(self._QUERY).scalar_one())

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close its connection."""
        self._closed = True
        self._hang_up()
