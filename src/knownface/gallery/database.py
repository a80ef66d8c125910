"""What every part of a gallery stands on: the open database and its transactions."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from knownface.errors import GalleryError
from knownface.gallery.changes import note_templates_rearranged
from knownface.gallery.saved_index import delete_index
from knownface.storage import Location, open_engine, parse_location, reading, writing
from knownface.storage.scrub import mark_for_scrubbing, scrub

_log = logging.getLogger(__name__)


class GalleryDatabase:
    """An open database; use :class:`knownface.gallery.Gallery`."""

    def __init__(self, engine: Engine, location: Location) -> None:
        self._engine = engine
        self._location = location
        self._place = str(location)
        self._closed = False
        # A program that was stopped between a removal and its scrubbing left this to the next one.
        scrub(engine, self._place)

    @classmethod
    def open(cls, location: str | Path, *, create: bool = True) -> Self:
        """Open a gallery.

        Args:
            location: A file, a database URL, or ``":memory:"`` for one that is gone when it is closed.
            create: Whether a gallery that does not exist is made, with the folders above it.

        Raises:
            GalleryEmptyError: There is none, and ``create`` is False.
            GalleryDamagedError, GalleryVersionError: It cannot be used; it is left untouched.
            GalleryLockedError: Another program kept it locked for half a minute.
            OutputError: The disk is full.
            GalleryError: It may not be read or written, or is another program's file.
        """
        place = parse_location(location)
        return cls(open_engine(place, create=create), place)

    def close(self) -> None:
        """Close the database; anything but closing again is an error afterwards."""
        if self._closed:
            return
        self._closed = True
        try:
            scrub(self._engine, self._place)
        finally:
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def location(self) -> str:
        """The file, or the URL without the password."""
        return self._place

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._check_open()
        with reading(self._engine, self._place) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        self._check_open()
        with writing(self._engine, self._place) as connection:
            yield connection

    @contextmanager
    def _removing(self) -> Iterator[Connection]:
        """A transaction that takes templates or people away; afterwards no file holds a trace of them."""
        with self._writing() as connection:
            yield connection
            note_templates_rearranged(connection)
            mark_for_scrubbing(connection)
            if self._location.file is not None:
                delete_index(self._location.file)
        scrub(self._engine, self._place)

    def _check_open(self) -> None:
        if self._closed:
            raise GalleryError(f"The gallery {self._place} was closed.", "Open it again.")
