"""People who look alike and are two, as somebody has said; statements over an open transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from sqlalchemy import Connection, delete, or_, select

from knownface.storage.history_schema import different_people
from knownface.storage.statements import insert_new

Pair: TypeAlias = tuple[int, int]
"""Ids of two people, the smaller first."""


def note_different(connection: Connection, person_id: int, others: Iterable[int]) -> None:
    """Remember that somebody is none of these others."""
    pairs = [sorted((person_id, other)) for other in others if other != person_id]
    insert_new(connection, different_people, [{"person_id": one, "other_id": other} for one, other in pairs])


def read_different(connection: Connection) -> set[Pair]:
    """Every pair that is known to be two people."""
    table = different_people
    return {(one, other) for one, other in connection.execute(select(table.c.person_id, table.c.other_id))}


def move_different(connection: Connection, person_id: int, to_person: int) -> None:
    """Let whoever is not a person be not another one either, into whom the person is joined."""
    table = different_people
    own = or_(table.c.person_id == person_id, table.c.other_id == person_id)
    others = {
        id_ for pair in connection.execute(select(table.c.person_id, table.c.other_id).where(own)) for id_ in pair
    }
    connection.execute(delete(table).where(own))
    note_different(connection, to_person, others - {person_id})
