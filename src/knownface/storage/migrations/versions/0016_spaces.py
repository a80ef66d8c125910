"""People's names have spaces where folders have underscores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Any

import sqlalchemy as sa
from alembic import op

from knownface.storage.spelling import spaced

revision = "0016"
down_revision = "0015"

_STRANGER = re.compile(r"unknown( \d+)?")
_LONGEST = 200
_TAIL = 8
"""Room for a number that tells two people of one name apart."""


_PEOPLE = sa.table("people", *map(sa.column, ("id", "name", "name_key")))
_REFERRING = {
    "attendance_entries": (("id", "name", "name_key"), ()),
    "former_names": (("id", "name", "name_key"), ("name_key",)),
    "refusals": (("id", "name_key", "source_sha256", "review_key"), ("name_key", "source_sha256", "review_key")),
}
"""What refers to people by their names: columns, and which of them are unique together."""


def upgrade() -> None:
    _respell_people()
    for name, (columns, unique) in _REFERRING.items():
        _respell(sa.table(name, *map(sa.column, columns)), unique)


def _respell_people() -> None:
    """Of two who had one name but for the underscores, the second gets a number: only people know if they are one."""
    connection, table = op.get_bind(), _PEOPLE
    taken = set(connection.scalars(sa.select(table.c.name_key)))
    for row in _underscored(table):
        name, key = spaced(row.name), spaced(row.name_key)
        for number in count(2):
            if key not in taken and not _STRANGER.fullmatch(key):
                break
            name = f"{spaced(row.name)[: _LONGEST - _TAIL]} ({number})"
            key = f"{spaced(row.name_key)} ({number})"
        taken.add(key)
        connection.execute(sa.update(table).where(table.c.id == row.id).values(name=name, name_key=key))


def _respell(table: sa.TableClause, unique: tuple[str, ...]) -> None:
    connection = op.get_bind()
    taken = (
        {tuple(row) for row in connection.execute(sa.select(*(table.c[name] for name in unique)))} if unique else set()
    )
    for row in _underscored(table):
        old = dict(row._mapping)
        new = {name: spaced(old[name]) for name in ("name", "name_key") if old.get(name)}
        key = tuple((old | new)[name] for name in unique)
        if unique and key in taken:
            connection.execute(sa.delete(table).where(table.c.id == row.id))
            continue
        taken.add(key)
        connection.execute(sa.update(table).where(table.c.id == row.id).values(new))


def _underscored(table: sa.TableClause) -> Sequence[sa.Row[Any]]:
    """Those whose spelling changes."""
    rows = op.get_bind().execute(sa.select(table).where(table.c.name_key.contains("_", autoescape=True))).all()
    return [row for row in rows if spaced(row.name_key) != row.name_key]
