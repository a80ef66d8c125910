"""``Database``: an open database, what it is called, and its three kinds of transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, delete

from knownface.errors import GalleryError, KnownFaceError
from knownface.storage import engine as engines
from knownface.storage.failures import translated
from knownface.storage.location import Location, parse_location
from knownface.storage.schema import META_SCRUB, meta
from knownface.storage.scrub import is_marked, mark_for_scrubbing, overwrite
from knownface.storage.server import see_one_state, take_write_lock

_log = logging.getLogger(__name__)


class Database:
    """A gallery's database; it may be used from several threads, and several programs may have the same one open.

    Every error of the database and the disk leaves a transaction as one of ours that names the place; see
    :func:`knownface.storage.failures.translated`.

    Args:
        engine: Open, at the newest schema.
        location: Where it lies.
    """

    def __init__(self, engine: Engine, location: Location) -> None:
        self.location = location
        self._engine = engine
        self._closed = self._erased = False
        # A program that was stopped between a removal and its scrubbing left this to the next one.
        self.scrub(thorough=False)

    @classmethod
    def open(cls, location: str | Path | Location, *, create: bool = True) -> Self:
        """Open a gallery's database at the newest schema.

        Args:
            location: A path, a database URL, or ``:memory:`` (gone when the database is closed).
            create: Whether to make the file, and its folder, where there is none.

        Raises:
            GalleryEmptyError: There is none, and ``create`` is False.
            GalleryDamagedError: The file is damaged or no database; it is left untouched.
            GalleryVersionError: A newer knownface wrote it; it is left untouched.
            GalleryLockedError: Another program kept it locked for longer than
                :data:`knownface.storage.engine.BUSY_SECONDS`.
            OutputError: The disk is full.
            MissingExtraError: The URL names a server, and its driver is not installed.
            GalleryError: It may not be read or written, belongs to another program, or the server does not answer.
        """
        place = location if isinstance(location, Location) else parse_location(location)
        with translated(str(place)):
            return cls(engines.open_engine(place, create=create), place)

    def __str__(self) -> str:
        """The file, or the URL without the password."""
        return str(self.location)

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine.

        Raises:
            GalleryError: The database was closed.
        """
        self.check_open()
        return self._engine

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def check_open(self) -> None:
        """Raise if the database was closed.

        Raises:
            GalleryError: It was.
        """
        if self._closed:
            raise GalleryError(f"The gallery {self} was closed.", "Open it again.")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database, whatever others write meanwhile."""
        with translated(str(self)), self.engine.connect() as connection:
            if not self.location.is_sqlite:
                see_one_state(connection)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that alone may write; committed at the end of the block, rolled back on an error.

        It takes the write lock at once: a transaction that begins by reading and then wants to write would fail,
        instead of waiting, if another program has written in between.
        """
        with (
            translated(str(self)),
            self.engine.connect().execution_options(knownface_write=True) as connection,
            connection.begin(),
        ):
            if not self.location.is_sqlite:
                take_write_lock(connection, engines.BUSY_SECONDS)
            yield connection

    @contextmanager
    def erasing(self) -> Iterator[Connection]:
        """A transaction that takes something away for good; afterwards no file holds a trace of it."""
        with self.writing() as connection:
            yield connection
            mark_for_scrubbing(connection)
        self._erased = True
        self.scrub(thorough=False)

    def scrub(self, *, thorough: bool = True) -> bool:
        """Overwrite the traces of what was removed, where something was.

        The rows themselves are overwritten as they are deleted (``secure_delete``), and the write-ahead log, which
        holds earlier states of pages, is emptied here. That alone leaves some traces: when SQLite moves rows between
        pages, copies of them may stay in the gaps of the old page, and outlive the row. So the file is written anew,
        at once where it is small; a large one only when asked.

        A server's traces are its own affair.

        Args:
            thorough: Whether a file of any size is written anew, which takes about 10 s for each GB.

        Returns:
            Whether nothing is left to do. False for a large file, and where another program was reading: the next
            removal, closing or opening tries again.
        """
        if not self.location.is_sqlite:
            return True
        with self.reading() as connection:
            if not is_marked(connection):
                return True
        try:
            with translated(str(self)), closing(self.engine.raw_connection()) as pooled:
                done = overwrite(pooled.driver_connection, thorough=thorough)
            if done:
                with self.writing() as connection:
                    connection.execute(delete(meta).where(meta.c.key == META_SCRUB))
        except KnownFaceError as error:
            _log.warning("What was removed from %s is not yet overwritten; the next start tries again: %s", self, error)
            return False
        return done

    def close(self) -> None:
        """Close the database; anything but closing again is an error afterwards."""
        if self._closed:
            return
        try:
            # Whoever removed somebody stays for the time that it takes; others are not kept waiting.
            self.scrub(thorough=self._erased)
        finally:
            self._closed = True
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
