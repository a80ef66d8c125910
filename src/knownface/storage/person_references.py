"""Rows of other rooms that refer to a person, when people are merged or removed.

Most of it is the schema's own: a person's removal cascades (``ON DELETE CASCADE``). What SQL cannot declare is here,
below both the gallery, which merges and removes people, and :mod:`knownface.events`, which fills these tables.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, exists, func, or_, select, update

from knownface.storage.events_schema import attendance_entries, events, offers, pending_alerts, sightings
from knownface.storage.history_schema import SUBJECT_PERSON, edit_subjects
from knownface.storage.schema import (
    held,
    metadata,
    people,
    person_keys,
    refusals,
    template_pictures,
    template_vectors,
    templates,
)

_KINDS = {
    "set_aside_templates": "set_aside",
    "attendance_entries": "attendance",
    "person_groups": "groups",
    "former_thresholds": "thresholds",
}
"""What the rows of a table are called, where its own name would not tell."""


def move_references(connection: Connection, person_id: int, name_key: str, to_person: int) -> None:
    """Move a person's sightings, alerts, offered samples, held pictures and attendance to another person.

    Args:
        connection: The caller's transaction.
        person_id: Whose rows are moved.
        name_key: The name by which guest lists refer to this person that were made before the person was enrolled.
        to_person: To whom.
    """
    _link_guests(connection, person_id, name_key)
    for table in (sightings, events, pending_alerts, offers, held, person_keys):
        connection.execute(update(table).where(table.c.person_id == person_id).values(person_id=to_person))
    entry = attendance_entries
    of_person = select(entry).where(entry.c.person_id == person_id)
    for row in connection.execute(of_person).all():
        of_target = select(entry).where(entry.c.session_id == row.session_id, entry.c.person_id == to_person)
        twin = connection.execute(of_target).one_or_none()
        values = {"person_id": to_person}
        if twin is not None:
            # A session holds a person once.
            connection.execute(delete(entry).where(entry.c.id == twin.id))
            values = _joined(twin, row)
        connection.execute(update(entry).where(entry.c.id == row.id).values(values))


def delete_guests(connection: Connection, name_key: str) -> None:
    """Delete guests of a name from every guest list; those that are linked to a person are deleted with the person."""
    entry = attendance_entries
    connection.execute(delete(entry).where(entry.c.name_key == name_key, entry.c.person_id.is_(None)))


def count_references(connection: Connection, person_id: int, name_key: str) -> dict[str, int]:
    """What goes with a person when they are removed: how many rows of each kind, kinds without any included.

    Every table that refers to people is counted, also one that is added later.
    """

    def count(table: Table, *where: ColumnElement[bool]) -> int:
        return connection.scalar(select(func.count()).select_from(table).where(*where)) or 0

    of_person = templates.c.person_id == person_id
    own = select(templates.c.id).where(of_person)
    guests = attendance_entries.c.name_key == name_key, attendance_entries.c.person_id.is_(None)
    subject = edit_subjects.c.kind == SUBJECT_PERSON, edit_subjects.c.number == person_id
    counts = {
        "templates": count(templates, of_person, templates.c.negative.is_(False)),
        "counter_examples": count(templates, of_person, templates.c.negative.is_(True)),
        "pictures": count(template_pictures, template_pictures.c.template_id.in_(own)),
        "vectors": count(template_vectors, template_vectors.c.template_id.in_(own)),
    }
    for table in metadata.sorted_tables:
        about = [key.parent == person_id for key in table.foreign_keys if key.column is people.c.id]
        if about and table is not templates:
            counts[_KINDS.get(table.name, table.name)] = count(table, or_(*about))
    counts["attendance"] += count(attendance_entries, *guests)
    counts["refusals"] = count(refusals, refusals.c.name_key == name_key)
    counts["edits"] = count(edit_subjects, *subject)
    return counts


def _link_guests(connection: Connection, person_id: int, name_key: str) -> None:
    entry, there = attendance_entries, attendance_entries.alias()
    linked = exists().where(there.c.session_id == entry.c.session_id, there.c.person_id == person_id)
    # Of two guests of one name in a session only the first can be this person.
    first = (
        select(func.min(entry.c.id))
        .where(entry.c.name_key == name_key, entry.c.person_id.is_(None), ~linked)
        .group_by(entry.c.session_id)
    )
    for entry_id in connection.scalars(first).all():
        connection.execute(update(entry).where(entry.c.id == entry_id).values(person_id=person_id))


def _joined(one: Row[Any], other: Row[Any]) -> dict[str, Any]:
    """Two entries of one session as one: the guest list's facts, the earlier arrival and the later departure."""
    listed = one if one.listed or not other.listed else other
    came = min((row for row in (one, other) if row.first_seen is not None), key=lambda row: row.first_seen, default=one)
    return {
        **{key: getattr(listed, key) for key in ("name", "name_key", "external_id", "facts")},
        "person_id": one.person_id,
        "listed": one.listed or other.listed,
        "first_seen": came.first_seen,
        "last_seen": max((row.last_seen for row in (one, other) if row.last_seen is not None), default=None),
        "source": came.source,
        "by_hand": one.by_hand or other.by_hand,
    }
