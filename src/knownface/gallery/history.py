"""``History``: what was edited, and undoing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from knownface.errors import EditConflictError, NameTakenError, UnknownEditError
from knownface.gallery import edit_log
from knownface.gallery.changes import note_people_change, note_templates_rearranged
from knownface.gallery.edit_texts import Said
from knownface.gallery.index.gallery_index import GalleryIndex
from knownface.gallery.spread import follow_templates
from knownface.storage import Database
from knownface.storage.history_schema import edits
from knownface.storage.row_changes import CALIBRATED, RowChanges, RowsChangedError, revert
from knownface.storage.schema import people, templates

_CHANGED = {
    "people": "the person was edited",
    "templates": "a template was given to somebody else",
    "sightings": "a sighting was given to somebody else or dismissed",
    "attendance_entries": "the attendance was changed",
    "calibrations": "the gallery was calibrated",
    "liveness_calibrations": "the gallery was calibrated",
}


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that was done to a gallery and can be undone, or the undoing of it.

    Attributes:
        id: Later edits have greater ones.
        at: UTC.
        kind: ``change`` (name, external id, groups, threshold), ``merge``, ``split``, ``move`` (templates), ``not``
            (counter-examples), ``import`` (of people), ``name-unknown``, ``dismiss``, ``calibrate``, ``different``
            (people who look alike) or ``undo``.
        text: What was done, a sentence, with the names of that time.
        said: The same in parts, for who says it in other words; empty of what an earlier version wrote down.
        undone: Whether it was undone; the undoing of an edit cannot be.
        undoes: Of an undoing: the id of the edit that it undid.
    """

    id: int
    at: datetime
    kind: str
    text: str
    said: tuple[Said, ...]
    undone: bool
    undoes: int | None

    @property
    def can_be_undone(self) -> bool:
        """Whether it is an edit that was not undone; edits since may still be in the way."""
        return not self.undone and self.undoes is None

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        return {**asdict(self), "can_be_undone": self.can_be_undone}


def _edit(row: Row[Any], *, undone: bool) -> Edit:
    return Edit(row.id, row.at, row.kind, row.text, tuple(edit_log.said_of(row)), undone, row.undoes)


class History:
    """What was edited in a gallery in the last 30 days, and undoing it.

    Removing people, templates and sightings is final, and takes what is written here of a person along.

    Args:
        database: The gallery's.
        index: What searches it.
    """

    def __init__(self, database: Database, index: GalleryIndex) -> None:
        self._database, self._index = database, index

    def edits(self, *, limit: int = 100, before: int | None = None) -> list[Edit]:
        """Edits, the latest first.

        Args:
            limit: How many at most.
            before: Only those with smaller ids: the last id of the page before.
        """
        undoing = edits.alias()
        query = select(edits, undoing.c.id.label("undone_by")).outerjoin(undoing, undoing.c.undoes == edits.c.id)
        if before is not None:
            query = query.where(edits.c.id < before)
        with self._database.reading() as connection:
            rows: Sequence[Row[Any]] = connection.execute(query.order_by(edits.c.id.desc()).limit(limit)).all()
        return [_edit(row, undone=row.undone_by is not None) for row in rows]

    def get(self, edit_id: int) -> Edit:
        """One edit.

        Raises:
            UnknownEditError: There is none of this id, or none any more.
        """
        found = self.edits(limit=1, before=edit_id + 1)
        if not found or found[0].id != edit_id:
            raise UnknownEditError(f"The history has no edit {edit_id}.")
        return found[0]

    def undo(self, edit_id: int | None = None) -> Edit:
        """Undo an edit; the gallery is then what it was before, but for what was added or deleted since.

        What was deleted since stays deleted. Somebody whom the edit made stays if more was enrolled or seen of them.

        Args:
            edit_id: Which; None is the latest that was not undone.

        Returns:
            The edit that was undone.

        Raises:
            UnknownEditError: There is none, or none any more.
            EditConflictError: It was undone already, or the same people were edited since.
            NameTakenError: Somebody else has got a name or external id since that would come back.
        """
        with self._database.reading() as connection:
            found = self._find(connection, edit_id)
        removes = bool(edit_log.changes_of(found).made) if found.undoes is None else False
        with self._index.removing() if removes else self._database.writing() as connection:
            row = self._find(connection, found.id)
            self._undo(connection, row)
            edit_log.note_undoing(connection, row)
        return _edit(row, undone=True)

    def _find(self, connection: Connection, edit_id: int | None) -> Row[Any]:
        undone = select(edits.c.undoes).where(edits.c.undoes.is_not(None))
        query = select(edits)
        if edit_id is None:
            query = query.where(edits.c.undoes.is_(None), edits.c.id.not_in(undone)).order_by(edits.c.id.desc())
        else:
            query = query.where(edits.c.id == edit_id)
        row = connection.execute(query.limit(1)).one_or_none()
        if row is None:
            raise UnknownEditError(
                "There is nothing to undo." if edit_id is None else f"The history has no edit {edit_id}."
            )
        return row

    def _undo(self, connection: Connection, row: Row[Any]) -> None:
        if row.undoes is not None:
            raise EditConflictError(f"Edit {row.id} is an undoing, which cannot be undone.", "Do it again instead.")
        if connection.scalar(select(edits.c.id).where(edits.c.undoes == row.id)) is not None:
            raise EditConflictError(f"Edit {row.id} was undone already: {row.text}")
        later = edit_log.later_edit(connection, row.id)
        if later is not None:
            raise EditConflictError(
                f"Edit {row.id} cannot be undone, since there is a later one of the same: {later.text}",
                f"Undo edit {later.id} first.",
            )
        done = edit_log.changes_of(row)
        _check_names(connection, done)
        try:
            renumbered = revert(connection, done)
        except RowsChangedError as error:
            why = _CHANGED.get(error.table, "it was changed")
            raise EditConflictError(f"Edit {row.id} cannot be undone, since {why} meanwhile: {row.text}") from error
        edit_log.renumber_templates(connection, edit_log.subjects_of(connection, row.id), renumbered)
        if done.touches(templates):
            note_templates_rearranged(connection)
            follow_templates(connection)
        elif any(map(done.touches, (people, *CALIBRATED))):
            note_people_change(connection)


def _check_names(connection: Connection, done: RowChanges) -> None:
    """Raise if somebody else has a name or external id that would come back."""
    returning = [(set(ids), before) for ids, before, _ in done.changed.get(people.name, [])]
    returning += [({person_id}, cells) for person_id, cells in done.gone.get(people.name, {}).items()]
    # Those who give it back are among the edited; what they have goes before it comes.
    edited = {i for ids, _, _ in done.changed.get(people.name, []) for i in ids}
    for ids, cells in returning:
        for column, what in ((people.c.name_key, "name"), (people.c.external_id, "external id")):
            value = cells.get(column.name)
            if value is None:
                continue
            others = select(people.c.name).where(column == value, people.c.id.not_in(ids | edited))
            other = connection.scalar(others)
            if other is not None:
                raise NameTakenError(
                    f"The {what} {cells.get('name', value)!r} is {other!r}'s now.", "Rename them first."
                )
