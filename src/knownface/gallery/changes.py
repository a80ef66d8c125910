"""The count of changes, by which every program that has a gallery open notices what the others did."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from knownface.storage.schema import META_GENERATION, META_REARRANGED, META_STAMP, meta


@dataclass(frozen=True, slots=True)
class State:
    """Which state of a gallery something was made from.

    Attributes:
        generation: One higher after every change of people or templates.
        rearranged: The generation of the last change of templates that was more than an addition.
        stamp: New and random after every change of templates.
    """

    generation: int
    rearranged: int
    stamp: str


def read_state(connection: Connection) -> State:
    """The gallery's present state."""
    values: dict[str, str] = {row.key: row.value for row in connection.execute(_STATE)}
    return State(int(values[META_GENERATION]), int(values[META_REARRANGED]), values[META_STAMP])


_STATE = select(meta.c.key, meta.c.value).where(meta.c.key.in_([META_GENERATION, META_REARRANGED, META_STAMP]))


def note_people_change(connection: Connection) -> None:
    """Note, in the transaction that makes it, a change that leaves the templates as they are."""
    _set(connection, META_GENERATION, str(read_state(connection).generation + 1))


def note_templates_added(connection: Connection) -> None:
    """Note, in the transaction that makes it, that templates were added and nothing else was done to templates."""
    note_people_change(connection)
    _set(connection, META_STAMP, uuid.uuid4().hex)


def note_templates_rearranged(connection: Connection) -> None:
    """Note, in the transaction that makes it, that templates were removed or given to another person."""
    note_templates_added(connection)
    _set(connection, META_REARRANGED, str(read_state(connection).generation))


def _set(connection: Connection, key: str, value: str) -> None:
    connection.execute(update(meta).where(meta.c.key == key).values(value=value))
