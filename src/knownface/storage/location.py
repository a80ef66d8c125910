"""Where a gallery lies: a file, a database URL, or memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from knownface.errors import SettingsError

MEMORY = ":memory:"

_SECRETS = ("password", "passfile", "sslpassword", "sslkey")
"""Parameters of a URL that no message may show."""

_URL_HINT = (
    "Name a file, or a URL such as postgresql://user@host/database; write @, / and : of a password as %40, %2F, %3A."
)


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

    @property
    def is_memory(self) -> bool:
        """Whether it is gone when it is closed, and has one connection."""
        return self.file is None and self.is_sqlite

    def __str__(self) -> str:
        """The file, or the URL with its secrets hidden."""
        if self.file is not None:
            return str(self.file)
        if self.is_sqlite:
            return MEMORY
        hidden = {key: "***" for key in self.url.query if key.lower() in _SECRETS}
        shown = self.url.set(drivername="postgresql").update_query_dict(hidden)
        return shown.render_as_string(hide_password=True)


def parse_location(location: str | Path) -> Location:
    """Read a path (``~`` allowed), a database URL, or ``:memory:``.

    Raises:
        SettingsError: It is empty, no URL that makes sense, or names a database that is not known here.
    """
    text = str(location)
    if not text.strip():
        raise SettingsError("The gallery's location is empty.", 'Name a file: gallery="FILE", or KNOWNFACE_GALLERY.')
    if text == MEMORY:
        return Location(URL.create("sqlite", database=MEMORY), None)
    if "://" not in text:
        return _file_location(Path(text))
    url = _parse_url(text)
    if url.get_backend_name() in ("postgresql", "postgres"):
        return _server_location(url)
    if url.get_backend_name() != "sqlite":
        raise SettingsError(f"{url.drivername} is no database that a gallery can be kept in.", _URL_HINT)
    if not url.database or url.database == MEMORY:
        return Location(URL.create("sqlite", database=MEMORY), None)
    return _file_location(Path(url.database))


def _parse_url(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        # Without the cause: its message may quote the password.
        raise SettingsError(f"{text.partition('://')[0]}://… is no database URL.", _URL_HINT) from None


def _server_location(url: URL) -> Location:
    if "+" in url.drivername and not url.drivername.endswith("+psycopg"):
        raise SettingsError(f"{url.drivername} names a driver that is not used here.", _URL_HINT)
    if not url.database:
        raise SettingsError("The gallery's URL names no database.", _URL_HINT)
    return Location(url.set(drivername="postgresql+psycopg"), None)


def _file_location(path: Path) -> Location:
    file = path.expanduser().absolute()
    return Location(URL.create("sqlite", database=str(file)), file)
