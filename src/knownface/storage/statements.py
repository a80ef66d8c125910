"""What statements of every room need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert

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


def dialect_of(connection: Connection) -> Any:
    """SQLAlchemy's module for a connection's database, with its own ``insert``; the others stay unloaded."""
    return import_module(f"sqlalchemy.dialects.{connection.dialect.name}")


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; those that a unique key has already are passed over."""
    if rows:
        connection.execute(dialect_of(connection).insert(table).on_conflict_do_nothing(), rows)


def insert_one(connection: Connection, table: Table, values: dict[str, Any]) -> int:
    """Insert a row into a table whose key is one whole number; returns that number."""
    key = connection.execute(insert(table), values).inserted_primary_key
    assert key is not None  # noqa: S101  (an insert of one row always has one)
    return int(key[0])
