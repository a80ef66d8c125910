"""What every part of a gallery stands on: the open database and its transactions."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Self

from sqlalchemy import Connection

from knownface.gallery.changes import note_templates_rearranged, read_changes, read_position
from knownface.gallery.index.saved import delete_index, forget_templates
from knownface.storage import Database

_log = logging.getLogger(__name__)


class GalleryDatabase:
    """An open database; use :class:`knownface.gallery.Gallery`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        """The open database, for rooms that keep tables of their own in it (see :mod:`knownface.events`)."""
        self._location = database.location
        self._place = str(database)

    def close(self) -> None:
        """Close the database; anything but closing again is an error afterwards."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def location(self) -> str:
        """The file, or the URL without the password."""
        return self._place

    def scrub(self) -> bool:
        """Overwrite the last traces of what was removed now, and not only when the gallery is closed.

        Only a gallery of more than 64 MB has any. It is written anew, which takes about 10 s for each GB; meanwhile
        it can be searched and not changed.

        Returns:
            Whether nothing is left to do; False where another program was reading all the time. A server's traces
            are its own affair.
        """
        return self.database.scrub()

    def _reading(self) -> AbstractContextManager[Connection]:
        return self.database.reading()

    def _writing(self) -> AbstractContextManager[Connection]:
        return self.database.writing()

    @contextmanager
    def _removing(self) -> Iterator[Connection]:
        """A transaction that takes templates or people away; afterwards no file holds a trace of them."""
        with self.database.erasing() as connection:
            before = read_position(connection)
            yield connection
            note_templates_rearranged(connection)
            if self._location.file is not None:
                changes = read_changes(connection, before)
                if changes is None:
                    delete_index(self._location.file)
                else:
                    forget_templates(self._location.file, changes.removed)
