"""Deletion that deletes: no byte of what was removed stays in a file of the gallery."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, select

from knownface.storage.schema import META_SCRUB, meta
from knownface.storage.statements import insert_new

_WAIT_MILLISECONDS = 5000

PROMPT_BYTES = 64 * 1024 * 1024
"""Files up to this size are written anew at once, which takes less than half a second."""


def mark_for_scrubbing(connection: Connection) -> None:
    """Note, in the transaction that removes something, that traces are to be overwritten afterwards."""
    insert_new(connection, meta, [{"key": META_SCRUB, "value": "1"}])


def is_marked(connection: Connection) -> bool:
    """Whether something was removed whose traces are not yet overwritten."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == META_SCRUB)) is not None


def overwrite(connection: object, *, thorough: bool) -> bool:
    """Write a file anew and empty its write-ahead log.

    Args:
        connection: SQLite's own, in no transaction.
        thorough: Whether a file that is larger than :data:`PROMPT_BYTES` is written anew as well.

    Returns:
        Whether no trace is left: the file was written anew, and nobody was reading the log.
    """
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101  (engine is SQLite's)
    (wait,) = connection.execute("PRAGMA busy_timeout").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    rewrite = thorough or pages * page_size <= PROMPT_BYTES
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_MILLISECONDS if rewrite else 0}")
    try:
        if rewrite:
            connection.execute("VACUUM")
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {wait}")
    return rewrite and bool(busy == 0)
