"""SQLAlchemy's engine for a gallery's database."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Dialect, Engine, QueuePool, create_engine, event

from knownface.errors import GalleryEmptyError
from knownface.storage.checks import check_file, is_new
from knownface.storage.location import Location
from knownface.storage.migrate import migrate
from knownface.storage.sealing.columns import OPEN_NAME, sealer_of
from knownface.storage.server import check_made, make_server_engine

BUSY_SECONDS = 30.0
"""How long a writer waits for another one before it says that the gallery is locked."""

PAGE_SIZE = 8192
"""Of a new file, in bytes. Rows with 512 numbers of 4 bytes leave almost half of SQLite's usual 4096 empty."""


def open_engine(place: Location, *, create: bool) -> Engine:
    """An engine at the newest schema; :meth:`knownface.storage.Database.open` says what it raises."""
    if place.file is not None:
        _prepare_file(place.file, create=create)
    engine = _make_engine(place)
    try:
        if not place.is_sqlite and not create:
            check_made(engine)
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _prepare_file(file: Path, *, create: bool) -> None:
    if is_new(file):
        if not create:
            raise GalleryEmptyError(f"There is no gallery at {file}.")
        file.parent.mkdir(parents=True, exist_ok=True)
        _create_private(file)
    else:
        check_file(file)
    _use_write_ahead_log(file)


def _create_private(file: Path) -> None:
    # Faces are personal data: SQLite gives its side files the same rights as the database.
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def _use_write_ahead_log(file: Path) -> None:
    # SQLite does not wait for others while it changes the mode, hence the loop. A file system that cannot do WAL
    # (some network shares) stays in the older mode, which is as safe, and slower.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
                if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
                    connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _make_engine(place: Location) -> Engine:
    if not place.is_sqlite:
        return make_server_engine(place)
    # One connection for memory: a second one would see an empty database, and a thread waits for the first.
    sizes = {"pool_size": 1, "max_overflow": 0} if place.file is None else {}
    engine = create_engine(
        place.url,
        poolclass=QueuePool,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        **sizes,
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "connect", partial(_teach_names, engine.dialect))
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    # With isolation_level None the driver starts no transactions behind our back; _begin does.
    connection.isolation_level = None
    for pragma in (
        "synchronous = FULL",  # a power cut takes nothing that was committed
        "foreign_keys = ON",
        "secure_delete = ON",  # deleted rows are overwritten
        "temp_store = MEMORY",  # what is sorted by opened names must not lie in a file
    ):
        connection.execute(f"PRAGMA {pragma}")


def _teach_names(dialect: Dialect, connection: sqlite3.Connection, _record: object) -> None:
    """Have SQLite read sealed names, where it is to order or search by them; see ``sealing/columns.py``."""

    def opened(value: str | None, kind: str) -> str | None:
        sealer = sealer_of(dialect)
        return value if value is None or sealer is None else sealer.open_text(value, kind) or ""

    connection.create_function(OPEN_NAME, 2, opened, deterministic=True)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("knownface_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
