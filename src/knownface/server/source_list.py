"""The list of the sources that the service watches, in the gallery's database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, delete, select, update

from knownface.errors import NameTakenError, NotFoundError
from knownface.gallery.names import clean_label
from knownface.media import Source, parse_source
from knownface.storage import Database, insert_one
from knownface.storage.service_schema import watched_sources


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A source as it is listed.

    Attributes:
        id: Its number.
        name: What people call it.
        source: Where it is; the address may hold a password, the source's name does not.
        running: Whether it is to be watched.
        created: UTC.
    """

    id: int
    name: str
    source: Source
    running: bool
    created: datetime


class SourceList:
    """Reads and changes the list; any thread may call.

    Args:
        database: The gallery's, which holds it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[ListedSource]:
        """Every source, in the order of their names."""
        with self._database.reading() as connection:
            rows = connection.execute(select(watched_sources).order_by(watched_sources.c.name)).all()
        return [_listed(row) for row in rows]

    def get(self, source_id: int) -> ListedSource:
        """One source.

        Raises:
            NotFoundError: There is none of this number.
        """
        with self._database.reading() as connection:
            query = select(watched_sources).where(watched_sources.c.id == source_id)
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no source {source_id}.")
        return _listed(row)

    def add(self, name: str, address: str) -> int:
        """Add a source that is to be watched; returns its number.

        Raises:
            BadNameError: The name cannot be one.
            NameTakenError: Another source has it.
            UnsupportedError: The address is of a kind that is not read.
        """
        label = clean_label(name, "source's name")
        parse_source(address)
        with self._database.writing() as connection:
            if connection.scalar(select(watched_sources.c.id).where(watched_sources.c.name == label)) is not None:
                raise NameTakenError(f"There is a source {label!r} already.", "Choose another name.")
            values = {"name": label, "address": address, "running": True, "created": datetime.now(UTC)}
            return insert_one(connection, watched_sources, values)

    def note(self, source_id: int, *, running: bool) -> None:
        """Note whether a source is to be watched."""
        with self._database.writing() as connection:
            changed = update(watched_sources).where(watched_sources.c.id == source_id).values(running=running)
            connection.execute(changed)

    def remove(self, source_id: int) -> None:
        """Forget a source and its address."""
        with self._database.writing() as connection:
            connection.execute(delete(watched_sources).where(watched_sources.c.id == source_id))


def _listed(row: Row[int | str | bool | datetime]) -> ListedSource:
    return ListedSource(row.id, row.name, parse_source(row.address), row.running, row.created)
