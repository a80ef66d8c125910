"""Deletion that deletes: no byte of what was removed stays in a file of the gallery."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing

from sqlalchemy import Connection, Engine, delete, select

from knownface.errors import KnownFaceError
from knownface.storage.engine import insert_new, reading, writing
from knownface.storage.failures import translated
from knownface.storage.schema import META_SCRUB, meta

_log = logging.getLogger(__name__)

_WAIT_MILLISECONDS = 5000


def mark_for_scrubbing(connection: Connection) -> None:
    """Note, in the transaction that removes something, that traces are to be overwritten afterwards."""
    insert_new(connection, meta, [{"key": META_SCRUB, "value": "1"}])


def scrub(engine: Engine, place: str) -> bool:
    """Overwrite the traces of what was removed, where something was.

    ``secure_delete`` alone leaves some: when SQLite moves rows between pages, copies of them stay in the gaps of the
    old page, and outlive the row. So the file is written anew, and the write-ahead log, which holds earlier states
    of pages, is emptied. A server's traces are its own affair.

    Returns:
        Whether nothing is left to do. False where another program was reading: the next removal, closing or opening
        tries again.
    """
    if engine.dialect.name != "sqlite":
        return True
    with reading(engine, place) as connection:
        if connection.scalar(select(meta.c.value).where(meta.c.key == META_SCRUB)) is None:
            return True
    try:
        with translated(place), closing(engine.raw_connection()) as pooled:
            done = _rewrite(pooled.driver_connection)
        if done:
            with writing(engine, place) as connection:
                connection.execute(delete(meta).where(meta.c.key == META_SCRUB))
    except KnownFaceError as error:
        _log.warning("What was removed from %s is not yet overwritten; the next start tries again: %s", place, error)
        return False
    return done


def _rewrite(connection: object) -> bool:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101  (engine is SQLite's)
    (wait,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_MILLISECONDS}")
    try:
        connection.execute("VACUUM")
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {wait}")
    return bool(busy == 0)
