"""Where a gallery lies: a file, a database URL, or memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from knownface.errors import SettingsError

MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class Location:
    """A gallery's place.

    Attributes:
        url: What SQLAlchemy opens.
        file: The SQLite file, or None for memory and for a server.
    """

    url: URL
    file: Path | None

    @property
    def is_sqlite(self) -> bool:
        """Whether SQLite keeps it, in a file or in memory."""
        return self.url.get_backend_name() == "sqlite"

    def __str__(self) -> str:
        """The file, or the URL with its password hidden."""
        if self.file is not None:
            return str(self.file)
        return MEMORY if self.is_sqlite else self.url.render_as_string(hide_password=True)


def parse_location(location: str | Path) -> Location:
    """Read a path (``~`` allowed), a database URL, or ``:memory:``.

    Raises:
        SettingsError: It is empty or no URL that makes sense.
    """
    text = str(location)
    if not text.strip():
        raise SettingsError("The gallery's location is empty.", "Set --gallery or KNOWNFACE_GALLERY to a file.")
    if text == MEMORY:
        return Location(URL.create("sqlite", database=MEMORY), None)
    if "://" not in text:
        return _file_location(Path(text))
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise SettingsError(
            f"{text.partition('://')[0]}://… is no database URL.",
            "It looks like postgresql://user@host/database.",
        ) from error
    if url.get_backend_name() != "sqlite":
        return Location(url, None)
    if not url.database or url.database == MEMORY:
        return Location(URL.create("sqlite", database=MEMORY), None)
    return _file_location(Path(url.database))


def _file_location(path: Path) -> Location:
    file = path.expanduser().absolute()
    return Location(URL.create("sqlite", database=str(file)), file)
