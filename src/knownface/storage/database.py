"""``Database``: an open database, what it is called, and its three kinds of transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from knownface.errors import GalleryError
from knownface.storage.engine import open_engine, reading, writing
from knownface.storage.location import Location, parse_location
from knownface.storage.scrub import erasing, has_erased, scrub


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
        self._closed = False
        # A program that was stopped between a removal and its scrubbing left this to the next one.
        scrub(engine, str(location))

    @classmethod
    def open(cls, location: str | Path | Location, *, create: bool = True) -> Self:
        """Open a database at the newest schema; as :func:`knownface.storage.engine.open_engine`."""
        place = location if isinstance(location, Location) else parse_location(location)
        return cls(open_engine(place, create=create), place)

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
        with reading(self.engine, str(self)) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that alone may write; committed at the end of the block, rolled back on an error."""
        with writing(self.engine, str(self)) as connection:
            yield connection

    @contextmanager
    def erasing(self) -> Iterator[Connection]:
        """A transaction that takes something away for good; afterwards no file holds a trace of it."""
        with erasing(self.engine, str(self)) as connection:
            yield connection

    def scrub(self) -> bool:
        """Overwrite the last traces of what was removed; False where another program was reading all the time."""
        return scrub(self.engine, str(self), thorough=True)

    def close(self) -> None:
        """Close the database; anything but closing again is an error afterwards."""
        if self._closed:
            return
        self._closed = True
        try:
            # Whoever removed somebody stays for the time that it takes; others are not kept waiting.
            scrub(self._engine, str(self), thorough=has_erased(self._engine))
        finally:
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
