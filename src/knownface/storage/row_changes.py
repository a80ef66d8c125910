"""What a transaction did to the rows about some people and Unknowns, as a value, and its reversal.

Rows are read before and after, and compared; whoever edits them need not know. Embeddings and pictures are never read:
a template that a merge dropped, since the other person had the same face, is made again from that one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Date, Table, and_, delete, insert, or_, select, true, update

from knownface.storage.events_schema import attendance_entries, events, offers, pending_alerts, sightings
from knownface.storage.history_schema import different_people, exclusions, former_names
from knownface.storage.schema import (
    CHANGE_PERSON,
    UtcDateTime,
    calibrations,
    changes,
    consents,
    groups,
    held,
    liveness_calibrations,
    people,
    person_groups,
    person_keys,
    refusals,
    set_aside_templates,
    template_pictures,
    templates,
)
from knownface.storage.spelling import spaced
from knownface.storage.statements import chunks, insert_new, insert_one

Cells: TypeAlias = dict[str, Any]
RowId: TypeAlias = Any
"""A number, but for calibrations of liveness, which are known by their check's fingerprint, a text."""
Rows: TypeAlias = dict[str, dict[RowId, Cells]]
"""For each table, the cells of each row by its id."""

_GROUPS = "groups"
"""Stands among a person's cells for the groups, as pairs of name and key: a group has no row of its own that lasts."""

_COLUMNS: dict[Table, tuple[str, ...]] = {
    people: tuple(column.name for column in people.c if column.name != "id"),
    templates: tuple(column.name for column in templates.c if column.name not in {"id", "vector"}),
    set_aside_templates: ("person_id",),
    sightings: ("person_id", "dismissed"),
    events: ("person_id",),
    pending_alerts: ("person_id",),
    offers: ("person_id",),
    held: ("person_id",),
    person_keys: ("person_id",),
    attendance_entries: tuple(column.name for column in attendance_entries.c if column.name != "id"),
    refusals: tuple(column.name for column in refusals.c if column.name != "id"),
    exclusions: tuple(column.name for column in exclusions.c if column.name != "id"),
    consents: tuple(column.name for column in consents.c if column.name != "id"),
    former_names: tuple(column.name for column in former_names.c if column.name != "id"),
    different_people: ("person_id", "other_id"),
    calibrations: tuple(column.name for column in calibrations.c if column.name != "id"),
    liveness_calibrations: tuple(column.name for column in liveness_calibrations.c if column.name != "fingerprint"),
}
CALIBRATED = (calibrations, liveness_calibrations)
"""What is the gallery's and nobody's."""
_NAMED = {table.name for table in (people, attendance_entries, refusals, former_names)}
_SEEN = (sightings, events, pending_alerts, offers, held, attendance_entries)
_BY_NAME = {table.name: table for table in _COLUMNS}

_FACE = ("source_sha256", "frame_time", "face_index", "contract_id", "negative")
"""The columns that say that two templates are the same face."""


class RowsChangedError(Exception):
    """Rows are not any more as the edit left them.

    Attributes:
        table: Which.
        row_id: The first of them.
    """

    def __init__(self, table: str, row_id: RowId) -> None:
        super().__init__(f"row {row_id} of {table}")
        self.table, self.row_id = table, row_id


@dataclass(slots=True)
class Scope:
    """Whose rows are compared; an edit that makes people adds them before the second reading.

    Attributes:
        people: Ids.
        unknowns: Numbers.
        name_keys: By which guest lists and refused files refer to people.
        seen: Whether to compare what was seen too: sightings, alerts, offered and held samples, attendance.
        calibrated: Of :data:`CALIBRATED`, which to compare; None for neither.
    """

    people: set[int] = field(default_factory=set)
    unknowns: set[int] = field(default_factory=set)
    name_keys: set[str] = field(default_factory=set)
    seen: bool = False
    calibrated: Table | None = None


@dataclass(frozen=True, slots=True)
class RowChanges:
    """What became of rows.

    Attributes:
        made: Ids of new rows, by table.
        gone: Cells of rows that went, by table and id.
        changed: By table: ids, and the cells before and after that they have in common.
    """

    made: dict[str, list[RowId]]
    gone: Rows
    changed: dict[str, list[tuple[list[RowId], Cells, Cells]]]

    def __bool__(self) -> bool:
        return bool(self.made or self.gone or self.changed)

    def touches(self, table: Table) -> bool:
        """Whether a row of this table was made, went or was changed."""
        return any(table.name in part for part in (self.made, self.gone, self.changed))

    @property
    def sessions(self) -> set[int]:
        """Attendance sessions of which an entry went."""
        return {cells["session_id"] for cells in self.gone.get(attendance_entries.name, {}).values()}

    def as_json(self) -> dict[str, Any]:
        """For :meth:`from_json`."""
        return {"made": self.made, "gone": self.gone, "changed": self.changed}

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> RowChanges:
        """What :meth:`as_json` gave, after its way through JSON."""
        gone = {
            table: {_row_id(table, i): _respelled(table, cells) for i, cells in rows.items()}
            for table, rows in read["gone"].items()
        }
        changed = {
            table: [(ids, _respelled(table, old), _respelled(table, new)) for ids, old, new in found]
            for table, found in read["changed"].items()
        }
        return cls(read["made"], gone, changed)


def _id(table: Table) -> ColumnElement[Any]:
    return table.c.fingerprint if table is liveness_calibrations else table.c.id


def _row_id(table: str, written: str) -> RowId:
    """An id that was a key of JSON, as it was."""
    return written if table == liveness_calibrations.name else int(written)


def _respelled(table: str, cells: Cells) -> Cells:
    """Names as they are spelled now; edits of earlier versions have them as they were."""
    if table not in _NAMED:
        return cells
    return {name: spaced(value) if name in {"name", "name_key"} and value else value for name, value in cells.items()}


def read_rows(connection: Connection, scope: Scope) -> Rows:
    """The rows about these people, Unknowns and names."""
    rows: Rows = {}
    for table, names in _COLUMNS.items():
        columns = [table.c[name] for name in names]
        rows[table.name] = {
            row.row_id: {name: _plain(row._mapping[name]) for name in names}
            for condition in _conditions(table, scope)
            for row in connection.execute(select(_id(table).label("row_id"), *columns).where(condition))
        }
    for cells in rows[people.name].values():
        cells[_GROUPS] = []
    for chunk in chunks(sorted(scope.people)):
        query = select(person_groups.c.person_id, groups.c.name, groups.c.name_key).join(groups)
        of_chunk = query.where(person_groups.c.person_id.in_(chunk)).order_by(groups.c.name_key)
        for person_id, name, key in connection.execute(of_chunk):
            rows[people.name][person_id][_GROUPS].append([name, key])
    return rows


def difference(before: Rows, after: Rows) -> RowChanges:
    """What happened between two readings."""
    made: dict[str, list[RowId]] = {}
    gone: Rows = {}
    changed: dict[str, list[tuple[list[RowId], Cells, Cells]]] = {}
    for table, new in after.items():
        old = before[table]
        alike: dict[str, tuple[list[RowId], Cells, Cells]] = {}
        for row_id in sorted(old.keys() & new.keys()):
            names = [name for name, value in old[row_id].items() if value != new[row_id][name]]
            if names:
                pair = ({n: old[row_id][n] for n in names}, {n: new[row_id][n] for n in names})
                alike.setdefault(json.dumps(pair), ([], *pair))[0].append(row_id)
        if alike:
            changed[table] = list(alike.values())
        if new.keys() - old.keys():
            made[table] = sorted(new.keys() - old.keys())
        if old.keys() - new.keys():
            gone[table] = {row_id: old[row_id] for row_id in sorted(old.keys() - new.keys())}
    return RowChanges(made, gone, changed)


def revert(connection: Connection, done: RowChanges) -> dict[int, int]:
    """Put rows back to what they were.

    What was deleted since stays deleted. People who were made stay where they have got something else since.

    Returns:
        New ids of templates that went, which are others: copies of a gallery rely on ids that only grow.

    Raises:
        RowsChangedError: A row is not any more as the edit left it; the transaction must be rolled back.
    """
    for table in _BY_NAME.values():
        for ids, _, after in done.changed.get(table.name, []):
            _check(connection, table, ids, after)
    _restore_people(connection, done)
    # First, since what comes back may have the unique key of what was made in its place.
    for table in reversed(_BY_NAME.values()):
        if table is not people:
            _delete(connection, table, done.made.get(table.name, []))
    for table in _BY_NAME.values():
        if table is not people:
            for ids, before, _ in done.changed.get(table.name, []):
                for chunk in chunks(ids):
                    connection.execute(update(table).where(_id(table).in_(chunk)).values(_stored(table, before)))
    renumbered = _restore_templates(connection, done)
    for table in (attendance_entries, refusals, exclusions, former_names, different_people, *CALIBRATED):
        gone = done.gone.get(table.name, {})
        rows = [{_id(table).name: row_id, **_stored(table, cells)} for row_id, cells in gone.items()]
        insert_new(connection, table, [row for row in rows if _are_there(connection, row)])
    _delete(connection, people, _without_possessions(connection, done.made.get(people.name, [])))
    connection.execute(delete(groups).where(groups.c.id.not_in(select(person_groups.c.group_id))))
    return renumbered


def _delete(connection: Connection, table: Table, ids: list[RowId]) -> None:
    for chunk in chunks(ids):
        connection.execute(delete(table).where(_id(table).in_(chunk)))


def _conditions(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if table in CALIBRATED:
        return [true()] if scope.calibrated is table else found
    if table in _SEEN and not scope.seen:
        return found
    if table is not refusals:
        whose = table.c.id if table is people else table.c.person_id
        found += [whose.in_(chunk) for chunk in chunks(sorted(scope.people))]
    if table is different_people:
        found += [table.c.other_id.in_(chunk) for chunk in chunks(sorted(scope.people))]
    if table is sightings:
        found += [table.c.unknown.in_(chunk) for chunk in chunks(sorted(scope.unknowns))]
    if table is attendance_entries:
        nobody = table.c.person_id.is_(None)
        found += [and_(nobody, table.c.name_key.in_(chunk)) for chunk in chunks(sorted(scope.name_keys))]
    if table is refusals or table is former_names:
        found += [table.c.name_key.in_(chunk) for chunk in chunks(sorted(scope.name_keys))]
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _stored(table: Table, cells: Cells) -> Cells:
    def stored(name: str, value: Any) -> Any:
        kind = table.c[name].type
        if value is not None and isinstance(kind, UtcDateTime):
            return datetime.fromisoformat(value)
        return date.fromisoformat(value) if value is not None and isinstance(kind, Date) else value

    return {name: stored(name, value) for name, value in cells.items() if name in table.c}


def _check(connection: Connection, table: Table, ids: list[RowId], wanted: Cells) -> None:
    names = [name for name in wanted if name in table.c]
    columns = [table.c[name] for name in names]
    for chunk in chunks(ids):
        for row in connection.execute(select(_id(table).label("row_id"), *columns).where(_id(table).in_(chunk))):
            if any(_plain(row._mapping[name]) != wanted[name] for name in names):
                raise RowsChangedError(table.name, row.row_id)


def _restore_people(connection: Connection, done: RowChanges) -> None:
    changed = [(ids, before) for ids, before, _ in done.changed.get(people.name, [])]
    # First, since two people may have exchanged theirs.
    for chunk in chunks([i for ids, before in changed if "external_id" in before for i in ids]):
        connection.execute(update(people).where(people.c.id.in_(chunk)).values(external_id=None))
    for ids, before in changed:
        _set_people(connection, ids, before)
    for person_id, cells in done.gone.get(people.name, {}).items():
        connection.execute(insert(people), {"id": person_id, **_stored(people, cells)})
        _set_groups(connection, person_id, cells[_GROUPS])
        connection.execute(insert(changes).values(kind=CHANGE_PERSON, subject=person_id))


def _set_people(connection: Connection, ids: list[int], cells: Cells) -> None:
    for person_id in ids:
        if stored := _stored(people, cells):
            connection.execute(update(people).where(people.c.id == person_id).values(stored))
        if _GROUPS in cells:
            _set_groups(connection, person_id, cells[_GROUPS])


def _set_groups(connection: Connection, person_id: int, wanted: list[list[str]]) -> None:
    insert_new(connection, groups, [{"name": name, "name_key": key} for name, key in wanted])
    connection.execute(delete(person_groups).where(person_groups.c.person_id == person_id))
    ids = connection.scalars(select(groups.c.id).where(groups.c.name_key.in_([key for _, key in wanted]))).all()
    insert_new(connection, person_groups, [{"person_id": person_id, "group_id": group_id} for group_id in ids])


def _restore_templates(connection: Connection, done: RowChanges) -> dict[int, int]:
    """Make templates again that went since somebody else's showed the same face, from that one, where it is there."""
    renumbered: dict[int, int] = {}
    for row_id, cells in done.gone.get(templates.name, {}).items():
        same = [templates.c[name].is_not_distinct_from(cells[name]) for name in _FACE]
        twin = select(templates.c.id, templates.c.vector).where(*same, templates.c.person_id != cells["person_id"])
        found = connection.execute(twin.order_by(templates.c.id)).first()
        if found is None:
            continue
        renumbered[row_id] = insert_one(connection, templates, {**_stored(templates, cells), "vector": found.vector})
        _copy_picture(connection, found.id, renumbered[row_id])
    return renumbered


def _copy_picture(connection: Connection, twin: int, template_id: int) -> None:
    table = template_pictures
    picture = connection.execute(select(table).where(table.c.template_id == twin)).one_or_none()
    if picture is not None:
        connection.execute(insert(table), {**picture._mapping, "template_id": template_id})


def _are_there(connection: Connection, row: Cells) -> bool:
    """Whether everybody is there whom a row is about."""
    whose = {row[name] for name in ("person_id", "other_id") if row.get(name) is not None}
    return set(connection.scalars(select(people.c.id).where(people.c.id.in_(whose)))) == whose


def _without_possessions(connection: Connection, ids: list[int]) -> list[int]:
    """Those of some people who have neither templates nor anything that was seen of them."""
    has = or_(
        *(
            people.c.id.in_(select(t.c.person_id).where(t.c.person_id.in_(ids)))
            for t in (templates, set_aside_templates, *_SEEN)
        )
    )
    return list(connection.scalars(select(people.c.id).where(people.c.id.in_(ids), ~has)))
