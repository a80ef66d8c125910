"""What every part of a gallery stands on: the open database and its transactions."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Connection, Engine

from knownface.errors import GalleryError
from knownface.gallery.changes import note_templates_rearranged, read_changes, read_position
from knownface.gallery.saved_index import delete_index, forget_templates
from knownface.storage import Location, reading, writing
from knownface.storage.scrub import erasing, has_erased, scrub

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

    def close(self) -> None:
        """Close the database; anything but closing again is an error afterwards."""
        if self._closed:
            return
        self._closed = True
        try:
            # Whoever removed somebody stays for the time that it takes; others are not kept waiting.
            scrub(self._engine, self._place, thorough=has_erased(self._engine))
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

    @property
    def engine(self) -> Engine:
        """The open database, for rooms that keep tables of their own in it (see :mod:`knownface.events`).

        Raises:
            GalleryError: The gallery was closed.
        """
        self._check_open()
        return self._engine

    def scrub(self) -> bool:
        """Overwrite the last traces of what was removed now, and not only when the gallery is closed.

        Only a gallery of more than 64 MB has any. It is written anew, which takes about 10 s for each GB; meanwhile
        it can be searched and not changed.

        Returns:
            Whether nothing is left to do; False where another program was reading all the time. A server's traces
            are its own affair.
        """
        self._check_open()
        return scrub(self._engine, self._place, thorough=True)

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
        with erasing(self.engine, self._place) as connection:
            before = read_position(connection)
            yield connection
            note_templates_rearranged(connection)
            if self._location.file is not None:
                changes = read_changes(connection, before)
                if changes is None:
                    delete_index(self._location.file)
                else:
                    forget_templates(self._location.file, changes.removed)

    def _check_open(self) -> None:
        if self._closed:
            raise GalleryError(f"The gallery {self._place} was closed.", "Open it again.")
