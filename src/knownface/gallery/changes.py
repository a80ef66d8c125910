"""The count and the log of changes, by which every program that has a gallery open notices what the others did."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select, update

from knownface.storage.schema import (
    CHANGE_MOVED,
    CHANGE_NEGATIVE_REMOVED,
    CHANGE_PERSON,
    CHANGE_REMOVED,
    CHANGE_STATE,
    META_GENERATION,
    META_REARRANGED,
    META_STAMP,
    changes,
    meta,
)
from knownface.types import Ids

KEPT = 50_000
"""Rows of the log that are kept; a copy that is older compares itself with all templates, or is built anew."""


@dataclass(frozen=True, slots=True)
class State:
    """Which state of a gallery something was made from.

    Attributes:
        generation: One higher after every change of people or templates.
        stamp: New and random after every change of templates.
    """

    generation: int
    stamp: str


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What was done since a place in the log; additions aside, which have greater ids than all that was there.

    Attributes:
        position: The place in the log up to which this says it.
        removed: Templates that were removed, also some that were added since.
        negatives_removed: Counter-examples that were removed.
        moved: Templates and counter-examples that were given to somebody else; some may be gone by now.
        people: People who were renamed, got another threshold or were removed.
    """

    position: int
    removed: Ids
    negatives_removed: Ids
    moved: Ids
    people: Ids


def read_state(connection: Connection) -> State:
    """The gallery's present state."""
    values: dict[str, str] = {row.key: row.value for row in connection.execute(_STATE)}
    return State(int(values[META_GENERATION]), values[META_STAMP])


_STATE = select(meta.c.key, meta.c.value).where(meta.c.key.in_([META_GENERATION, META_STAMP]))


def read_position(connection: Connection) -> int:
    """The end of the log."""
    return connection.scalar(select(func.max(changes.c.id))) or 0


def read_changes(connection: Connection, position: int) -> Changes | None:
    """What was done since a place in the log, or None where the log does not reach back so far."""
    first = connection.scalar(select(func.min(changes.c.id)))
    if first is not None and first > position + 1:
        return None
    query = select(changes.c.id, changes.c.kind, changes.c.subject).where(changes.c.id > position)
    rows = connection.execute(query.order_by(changes.c.id)).all()

    def subjects(kind: str) -> Ids:
        return np.unique(np.array([row.subject for row in rows if row.kind == kind], dtype=np.int64))

    return Changes(
        rows[-1].id if rows else position,
        subjects(CHANGE_REMOVED),
        subjects(CHANGE_NEGATIVE_REMOVED),
        subjects(CHANGE_MOVED),
        subjects(CHANGE_PERSON),
    )


def stamp_at(connection: Connection, position: int) -> str | None:
    """The gallery's stamp when the log ended at a place, or None where the log does not say."""
    query = select(changes.c.stamp).where(changes.c.kind == CHANGE_STATE, changes.c.id <= position)
    stamp: str | None = connection.scalar(query.order_by(changes.c.id.desc()).limit(1))
    return stamp


def note_people_change(connection: Connection) -> None:
    """Note, in the transaction that makes it, a change of people or parameters that leaves the templates alone."""
    _set(connection, META_GENERATION, str(read_state(connection).generation + 1))


def note_templates_added(connection: Connection) -> None:
    """Note, in the transaction that makes it, that templates were added and nothing else was done to templates."""
    note_people_change(connection)
    stamp = uuid.uuid4().hex
    _set(connection, META_STAMP, stamp)
    connection.execute(insert(changes).values(kind=CHANGE_STATE, stamp=stamp))
    connection.execute(delete(changes).where(changes.c.id <= read_position(connection) - KEPT))


def note_templates_rearranged(connection: Connection) -> None:
    """Note, in the transaction that makes it, that templates were removed or given to another person."""
    note_templates_added(connection)
    _set(connection, META_REARRANGED, str(read_state(connection).generation))


def note_templates_replaced(connection: Connection) -> None:
    """Note, in the transaction that makes it, that templates of these ids have other vectors now.

    The log ends here, with a gap: whoever follows it reads everything anew.
    """
    connection.execute(insert(changes).values(kind=CHANGE_STATE))
    connection.execute(delete(changes))
    note_templates_rearranged(connection)


def _set(connection: Connection, key: str, value: str) -> None:
    connection.execute(update(meta).where(meta.c.key == key).values(value=value))
