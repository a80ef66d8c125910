"""Deletion that deletes: no byte of what was removed stays in a file of the gallery."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Connection, Engine, delete, select

from knownface.errors import KnownFaceError
from knownface.storage.engine import insert_new, reading, writing
from knownface.storage.failures import translated
from knownface.storage.schema import META_SCRUB, meta

_log = logging.getLogger(__name__)

_WAIT_MILLISECONDS = 5000

PROMPT_BYTES = 64 * 1024 * 1024
"""Files up to this size are written anew at once, which takes less than half a second."""

_ERASED = "knownface_erased"
"""Option of an engine through which something was erased."""


def mark_for_scrubbing(connection: Connection) -> None:
    """Note, in the transaction that removes something, that traces are to be overwritten afterwards."""
    insert_new(connection, meta, [{"key": META_SCRUB, "value": "1"}])


@contextmanager
def erasing(engine: Engine, place: str) -> Iterator[Connection]:
    """A transaction that takes something away for good; afterwards no file holds a trace of it."""
    with writing(engine, place) as connection:
        yield connection
        mark_for_scrubbing(connection)
    engine.update_execution_options(**{_ERASED: True})
    scrub(engine, place)


def has_erased(engine: Engine) -> bool:
    """Whether something was erased through this engine."""
    return bool(engine.get_execution_options().get(_ERASED, False))


def is_marked(connection: Connection) -> bool:
    """Whether something was removed whose traces are not yet overwritten."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == META_SCRUB)) is not None


def scrub(engine: Engine, place: str, *, thorough: bool = False) -> bool:
    """Overwrite the traces of what was removed, where something was.

    The rows themselves are overwritten as they are deleted (``secure_delete``), and the write-ahead log, which holds
    earlier states of pages, is emptied here. That alone leaves some traces: when SQLite moves rows between pages,
    copies of them may stay in the gaps of the old page, and outlive the row. So the file is written anew, at once
    where it is small; a large one only when asked.

    A server's traces are its own affair.

    Args:
        engine: The database.
        place: What messages call it.
        thorough: Whether a file of any size is written anew, which takes about 10 s for each GB.

    Returns:
        Whether nothing is left to do. False for a large file, and where another program was reading: the next
        removal, closing or opening tries again.
    """
    if engine.dialect.name != "sqlite":
        return True
    with reading(engine, place) as connection:
        if not is_marked(connection):
            return True
    try:
        with translated(place), closing(engine.raw_connection()) as pooled:
            done = _overwrite(pooled.driver_connection, thorough=thorough)
        if done:
            with writing(engine, place) as connection:
                connection.execute(delete(meta).where(meta.c.key == META_SCRUB))
    except KnownFaceError as error:
        _log.warning("What was removed from %s is not yet overwritten; the next start tries again: %s", place, error)
        return False
    return done


def _overwrite(connection: object, *, thorough: bool) -> bool:
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
