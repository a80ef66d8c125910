"""The log of edits that can be undone, as statements over an open transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, Table, delete, exists, select, update

from knownface.errors import GalleryDamagedError
from knownface.gallery.edit_texts import Said, sentence
from knownface.storage import insert_new, insert_one
from knownface.storage.failures import UnplacedError
from knownface.storage.history_schema import (
    SUBJECT_CALIBRATION,
    SUBJECT_PERSON,
    SUBJECT_SESSION,
    SUBJECT_UNKNOWN,
    edit_subjects,
    edits,
)
from knownface.storage.row_changes import CALIBRATED, RowChanges, Scope, difference, read_rows
from knownface.storage.statements import storable

KEPT = timedelta(days=30)
"""How far back edits can be undone; older ones are forgotten with the names in them."""

EditKind: TypeAlias = Literal[
    "change", "merge", "split", "move", "not", "import", "name-unknown", "dismiss", "calibrate", "different", "undo"
]


_written: ContextVar[list[int] | None] = ContextVar("written", default=None)


@contextmanager
def edits_written() -> Iterator[list[int]]:
    """The ids of the edits that are written down meanwhile, in this context and on threads that were given it."""
    ids: list[int] = []
    token = _written.set(ids)
    try:
        yield ids
    finally:
        _written.reset(token)


@dataclass(slots=True)
class EditNote:
    """What an edit says of itself while it is made.

    Attributes:
        scope: Whose rows it may change; people whom it makes are to be added.
        said: What was done; the sentence is made of it.
    """

    scope: Scope
    said: Sequence[Said] = ()


@contextmanager
def recorded(
    connection: Connection,
    kind: EditKind,
    *,
    people: Iterable[int] = (),
    unknowns: Iterable[int] = (),
    name_keys: Iterable[str] = (),
    seen: bool = False,
    calibrated: Table | None = None,
) -> Iterator[EditNote]:
    """Write an edit down, in the transaction that makes it, so that it can be undone; nothing where nothing changed.

    Args:
        connection: The transaction.
        kind: What is done.
        people: Whom it is about.
        unknowns: Unknowns whom it is about.
        name_keys: Names that people have before and after it.
        seen: Whether it touches what was seen of them.
        calibrated: Which calibration of the gallery it touches, of its rule or of liveness; None for neither.
    """
    note = EditNote(Scope(set(people), set(unknowns), set(name_keys), seen, calibrated))
    before = read_rows(connection, note.scope)
    yield note
    done = difference(before, read_rows(connection, note.scope))
    if done:
        edit_id = _insert(connection, kind, sentence(note.said), {**done.as_json(), "said": note.said})
        numbers = {
            SUBJECT_PERSON: note.scope.people,
            SUBJECT_UNKNOWN: note.scope.unknowns,
            SUBJECT_SESSION: done.sessions,
            SUBJECT_CALIBRATION: set() if calibrated is None else {CALIBRATED.index(calibrated)},
        }
        _add_subjects(connection, edit_id, {(kind, number) for kind, those in numbers.items() for number in those})
        written = _written.get()
        if written is not None:
            written.append(edit_id)


def note_undoing(connection: Connection, row: Row[Any]) -> int:
    """Write down that an edit was undone; returns the id of its undoing."""
    said = [{"key": "undone"}, *said_of(row)]
    edit_id = _insert(connection, "undo", f"Undone: {row.text}", {"said": said}, undoes=row.id)
    _add_subjects(connection, edit_id, subjects_of(connection, row.id))
    return edit_id


def _insert(
    connection: Connection, kind: EditKind, text: str, details: dict[str, Any], undoes: int | None = None
) -> int:
    now = datetime.now(UTC)
    connection.execute(delete(edits).where(edits.c.at < now - KEPT))
    values = {"at": now, "kind": kind, "text": storable(text), "undoes": undoes, "details": json.dumps(details)}
    return insert_one(connection, edits, values)


def _add_subjects(connection: Connection, edit_id: int, subjects: Iterable[tuple[str, int]]) -> None:
    rows = [{"edit_id": edit_id, "kind": kind, "number": number} for kind, number in sorted(subjects)]
    insert_new(connection, edit_subjects, rows)


def subjects_of(connection: Connection, edit_id: int) -> set[tuple[str, int]]:
    """Kinds and numbers of what an edit is about."""
    query = select(edit_subjects.c.kind, edit_subjects.c.number).where(edit_subjects.c.edit_id == edit_id)
    return {(kind, number) for kind, number in connection.execute(query)}


def said_of(row: Row[Any]) -> list[Said]:
    """What an edit did, in parts; nothing of one that an earlier version wrote down, or that is damaged."""
    said: list[Said] = json.loads(row.details).get("said", []) if row.details else []
    return said


def changes_of(row: Row[Any]) -> RowChanges:
    """What an edit did to rows.

    Raises:
        UnplacedError: A GalleryDamagedError; that is not known any more.
    """
    if not row.details:
        raise UnplacedError(GalleryDamagedError, f"Edit {row.id} is damaged in {{place}}, so it cannot be undone.", "")
    return RowChanges.from_json(json.loads(row.details))


def later_edit(connection: Connection, edit_id: int) -> Row[Any] | None:
    """The latest edit of the same people or Unknowns that was made after an edit and not undone."""
    undoing = edits.alias()
    own, other = edit_subjects.alias(), edit_subjects.alias()
    shared = exists().where(
        own.c.edit_id == edit_id,
        other.c.edit_id == edits.c.id,
        own.c.kind == other.c.kind,
        own.c.number == other.c.number,
    )
    undone = exists().where(undoing.c.undoes == edits.c.id)
    query = select(edits).where(edits.c.id > edit_id, edits.c.undoes.is_(None), ~undone, shared)
    return connection.execute(query.order_by(edits.c.id.desc()).limit(1)).one_or_none()


def renumber_templates(connection: Connection, subjects: Iterable[tuple[str, int]], new: dict[int, int]) -> None:
    """Let earlier edits of the same people mean templates by the ids that they have got."""
    if not new:
        return
    people = [number for kind, number in subjects if kind == SUBJECT_PERSON]
    about = select(edit_subjects.c.edit_id).where(
        edit_subjects.c.kind == SUBJECT_PERSON, edit_subjects.c.number.in_(people)
    )
    for row in connection.execute(select(edits).where(edits.c.id.in_(about), edits.c.undoes.is_(None))).all():
        if not row.details:
            continue
        rows = json.loads(row.details)
        for ids in (rows["made"].get("templates", []), *(ids for ids, _, _ in rows["changed"].get("templates", []))):
            ids[:] = [new.get(i, i) for i in ids]
        connection.execute(update(edits).where(edits.c.id == row.id).values(details=json.dumps(rows)))


def inherit_edits(connection: Connection, person_id: int, to_person: int) -> None:
    """Let the edits of somebody who is joined into another be about the other too, so that they go with them."""
    query = select(edit_subjects.c.edit_id).where(
        edit_subjects.c.kind == SUBJECT_PERSON, edit_subjects.c.number == person_id
    )
    for edit_id in connection.scalars(query).all():
        _add_subjects(connection, edit_id, [(SUBJECT_PERSON, to_person)])


def forget_edits(connection: Connection, kind: str, numbers: Iterable[int]) -> None:
    """Delete the edits about people, or attendance sessions, that are removed."""
    about = select(edit_subjects.c.edit_id).where(
        edit_subjects.c.kind == kind, edit_subjects.c.number.in_(list(numbers))
    )
    connection.execute(delete(edits).where(edits.c.id.in_(about)))
