"""Embeddings of files that were embedded before, by the file's content and everything that they depend on.

One SQLite file in the cache folder, readable by its owner only: embeddings of faces are personal data. It holds no
names and no paths. Deleting it costs nothing but time.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Self

import numpy as np

from knownface.errors import OutputError
from knownface.settings import Settings
from knownface.types import Embeddings

log = logging.getLogger(__name__)

FILE_NAME = "evaluation.sqlite"
_VERSION = 1


class FaceCache:
    """A store of arrays; use it as a context manager. May be used by several threads and programs at once.

    Args:
        folder: The cache folder; made where it is missing.

    Raises:
        OutputError: The folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}.") from error
        try:
            self._database = self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise OutputError(f"{self.path} cannot be used: {error}.", "Delete it; it is made again.") from error
            log.warning("%s is damaged (%s); it is made anew.", self.path, error)
            self.path.unlink()
            self.path.touch(mode=0o600)
            self._database = self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=30.0, check_same_thread=False)
        try:
            if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                database.execute("DROP TABLE IF EXISTS faces")
                database.execute(f"PRAGMA user_version = {_VERSION}")
            database.execute(
                "CREATE TABLE IF NOT EXISTS faces (recipe TEXT, sha256 TEXT, frames INTEGER, rows INTEGER, data BLOB, "
                "PRIMARY KEY (recipe, sha256)) WITHOUT ROWID"
            )
            database.commit()
        except sqlite3.Error:
            database.close()
            raise
        return database

    def get(self, recipe: str, sha256: str) -> tuple[int, Embeddings] | None:
        """How many pictures of a file were looked at and what was found in them, one row a face; None if unknown."""
        query = "SELECT frames, rows, data FROM faces WHERE recipe = ? AND sha256 = ?"
        try:
            with self._lock:
                found = self._database.execute(query, (recipe, sha256)).fetchone()
        except sqlite3.Error as error:
            raise OutputError(f"{self.path} cannot be used: {error}.", "Delete it; it is made again.") from error
        if found is None:
            return None
        frames, rows, data = found
        array = np.frombuffer(data, dtype="<f4")
        return frames, array.reshape(rows, -1) if rows else np.empty((0, 0), dtype=np.float32)

    def put(self, recipe: str, found: list[tuple[str, int, Embeddings]]) -> None:
        """Note what was found in some files: SHA-256, pictures looked at, one row a face.

        Raises:
            OutputError: The file cannot be written.
        """
        rows = [
            (recipe, sha, frames, len(a), np.ascontiguousarray(a, dtype="<f4").tobytes()) for sha, frames, a in found
        ]
        try:
            with self._lock, self._database:
                self._database.executemany("INSERT OR REPLACE INTO faces VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise OutputError(f"{self.path} cannot be written: {error}.", "Delete it, or make room.") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_cache(settings: Settings) -> AbstractContextManager[FaceCache | None]:
    """The cache; none where galleries are encrypted, since what is sealed there would lie open in it."""
    return FaceCache(settings.cache) if settings.gallery_key is None else nullcontext()


def delete_cache(settings: Settings) -> None:
    """Delete the cache of faces; it costs nothing but time."""
    for end in ("", "-journal", "-wal", "-shm"):
        (settings.cache / f"{FILE_NAME}{end}").unlink(missing_ok=True)
