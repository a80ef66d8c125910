"""What statements of every room need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert
from sqlalchemy.dialects import postgresql, sqlite

_T = TypeVar("_T")

_CHUNK = 500
"""SQLite before 3.32 allows 999 values in a statement."""


def chunks(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Pieces small enough for one ``IN (...)``."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def storable(text: str) -> str:
    """A text that any database takes: a path that is no valid text in the system's encoding carries surrogates."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; those that a unique key has already are passed over."""
    if rows:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(kind.insert(table).on_conflict_do_nothing(), rows)


def insert_one(connection: Connection, table: Table, values: dict[str, Any]) -> int:
    """Insert a row into a table whose key is one whole number; returns that number."""
    key = connection.execute(insert(table), values).inserted_primary_key
    assert key is not None  # noqa: S101  (an insert of one row always has one)
    return int(key[0])
