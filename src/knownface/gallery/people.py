"""People and their groups, as statements over an open transaction."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, exists, func, or_, select, update

from knownface.errors import NameTakenError, UnknownPersonError
from knownface.gallery.former_names import forget_names, remember_name
from knownface.gallery.names import clean_external_id, clean_group, clean_name, label_key, name_key
from knownface.gallery.values import Person, PersonKey
from knownface.storage import insert_new
from knownface.storage.schema import groups, people, person_groups, refusals, templates
from knownface.storage.sealing.columns import readable, sealer_of
from knownface.storage.statements import chunks

Place: TypeAlias = tuple[str, int]
"""Where a page of people's rows ended: the name of the person, and the id of the row."""


def list_people(
    connection: Connection, group: str | None = None, person: PersonKey | None = None, ids: Sequence[int] | None = None
) -> list[Person]:
    """People in the order of their names; those of a group, the one meant, or those of some ids, where given."""
    counted = (
        select(people, func.count(templates.c.id).label("templates"))
        .outerjoin(templates, and_(templates.c.person_id == people.c.id, templates.c.negative.is_(False)))
        .group_by(people.c.id)
        .order_by(readable(people.c.name_key))
    )
    memberships = select(person_groups.c.person_id, groups.c.name).join(groups).order_by(groups.c.name_key)
    if person is not None:
        counted = counted.where(_is(person))
        memberships = memberships.join(people, people.c.id == person_groups.c.person_id).where(_is(person))
    if ids is not None:
        counted = counted.where(people.c.id.in_(ids))
        memberships = memberships.where(person_groups.c.person_id.in_(ids))
    if group is not None:
        members = select(person_groups.c.person_id).join(groups).where(groups.c.name_key == label_key(group))
        counted = counted.where(people.c.id.in_(members))
    of_person: dict[int, list[str]] = {}
    for person_id, group_name in connection.execute(memberships):
        of_person.setdefault(person_id, []).append(group_name)
    return [
        Person(
            id=row.id,
            name=row.name,
            external_id=row.external_id,
            groups=tuple(of_person.get(row.id, ())),
            threshold=row.threshold,
            templates=row.templates,
            created=row.created,
            until=row.until,
        )
        for row in connection.execute(counted)
    ]


def _has_external_id(connection: Connection, text: str) -> ColumnElement[bool]:
    """Whether a person's external id begins so; a sealed one is only found whole."""
    column = people.c.external_id
    sealed = sealer_of(connection.dialect) is not None
    return column == text if sealed else column.istartswith(text, autoescape=True)


def page_of_people(
    connection: Connection, *, search: str | None, group: str | None, after: str | None, limit: int
) -> list[Person]:
    """The next people in the order of their names.

    Args:
        connection: Of the database.
        search: A part of the name or the beginning of the external id, whatever the letter case.
        group: Only its members.
        after: The name after which the page begins.
        limit: How many at most.
    """
    query = select(people.c.id).order_by(readable(people.c.name_key)).limit(limit)
    if search:
        in_name = readable(people.c.name_key).contains(name_key(search), autoescape=True)
        query = query.where(in_name | _has_external_id(connection, search.strip()))
    if group is not None:
        members = select(person_groups.c.person_id).join(groups).where(groups.c.name_key == label_key(group))
        query = query.where(people.c.id.in_(members))
    if after is not None:
        query = query.where(readable(people.c.name_key) > name_key(after))
    return list_people(connection, ids=connection.scalars(query).all())


def in_places(query: Select[Any], row_id: ColumnElement[int], after: Place | None) -> Select[Any]:
    """Rows of people in the order of the people's names, each person's by id; those behind a place, where one is given.

    Args:
        query: Joined with ``people``.
        row_id: The rows' id.
        after: Where the page before ended.
    """
    if after is not None:
        key, letters = name_key(after[0]), readable(people.c.name_key)
        query = query.where(or_(letters > key, and_(people.c.name_key == key, row_id > after[1])))
    return query.order_by(readable(people.c.name_key), row_id)


def list_groups(connection: Connection) -> list[tuple[str, int]]:
    """The groups in the order of their names, and how many belong to each."""
    query = (
        select(groups.c.name, func.count())
        .join(person_groups, person_groups.c.group_id == groups.c.id)
        .group_by(groups.c.id)
        .order_by(groups.c.name_key)
    )
    return [(name, count) for name, count in connection.execute(query).all()]


def get_person(connection: Connection, person: PersonKey) -> Person:
    """The person meant.

    Raises:
        UnknownPersonError: There is nobody; the message lists names that come near.
    """
    found = list_people(connection, person=person)
    if not found:
        raise unknown_person(connection, person)
    return found[0]


def find_id(connection: Connection, person: PersonKey) -> int:
    """The id of the person meant.

    Raises:
        UnknownPersonError: There is nobody.
    """
    return int(_existing(connection, person).id)


def find_ids(connection: Connection, name_keys: Iterable[str]) -> list[int]:
    """The ids of the people who have one of these names."""
    of_chunks = (select(people.c.id).where(people.c.name_key.in_(chunk)) for chunk in chunks(sorted(name_keys)))
    return [person_id for query in of_chunks for person_id in connection.scalars(query)]


def find_or_create(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The ids of the people of exactly these names; those that there are not are made.

    Raises:
        BadNameError: A name cannot be anybody's.
        NameTakenError: Somebody's name differs from one only in letter case.
    """
    wanted = {name: clean_name(name) for name in names}
    keys = {name: name_key(clean) for name, clean in wanted.items()}
    now = datetime.now(UTC)
    insert_new(
        connection,
        people,
        [{"name": clean, "name_key": keys[name], "created": now} for name, clean in wanted.items()],
    )
    found: dict[str, tuple[int, str]] = {}
    for chunk in chunks(sorted(set(keys.values()))):
        query = select(people.c.id, people.c.name, people.c.name_key).where(people.c.name_key.in_(chunk))
        found.update({key: (person_id, name) for person_id, name, key in connection.execute(query).all()})
    for name, clean in wanted.items():
        there = found[keys[name]][1]
        if there != clean:
            raise NameTakenError(f"There is a {there!r}, which differs from {clean!r} only in letter case.")
    return {name: found[keys[name]][0] for name in wanted}


def unknown_person(connection: Connection, person: PersonKey) -> UnknownPersonError:
    """The error that says that nobody has this id, or this name, with the names that come near."""
    if isinstance(person, int):
        return UnknownPersonError(f"Nobody in the gallery has the id {person}.")
    name = person
    by_key = {row.name_key: row.name for row in connection.execute(select(people.c.name_key, people.c.name))}
    near = [by_key[key] for key in difflib.get_close_matches(name_key(name), by_key, n=3, cutoff=0.6)]
    guess = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
    return UnknownPersonError(f"Nobody in the gallery is called {name!r}.{guess}")


def rename(connection: Connection, person: PersonKey, new_name: str) -> None:
    """Give a person another name; what is remembered about refused files goes along, and of the name before.

    Raises:
        UnknownPersonError: There is nobody.
        BadNameError: The new name cannot be anybody's.
        NameTakenError: Somebody else has it.
    """
    row, new_name = _existing(connection, person), clean_name(new_name)
    other = _row(connection, new_name)
    if other is not None and other.id != row.id:
        raise NameTakenError(f"There is a {other.name!r} already.")
    move_refusals(connection, name_key(row.name), name_key(new_name))
    values = {"name": new_name, "name_key": name_key(new_name)}
    connection.execute(update(people).where(people.c.id == row.id).values(values))
    if name_key(row.name) != name_key(new_name):
        remember_name(connection, row.id, row.name)
    forget_names(connection, [name_key(new_name)])


def move_refusals(connection: Connection, key: str, new_key: str) -> None:
    """Let refused files count for another name."""
    if key == new_key:
        return
    there = refusals.alias()
    twin = exists().where(
        there.c.name_key == new_key,
        there.c.source_sha256 == refusals.c.source_sha256,
        there.c.review_key == refusals.c.review_key,
    )
    connection.execute(delete(refusals).where(refusals.c.name_key == key, twin))
    connection.execute(update(refusals).where(refusals.c.name_key == key).values(name_key=new_key))


def set_external_id(connection: Connection, person_id: int, external_id: str | None) -> None:
    """Set or clear a person's external id.

    Raises:
        PersonError: It cannot be one.
        NameTakenError: Somebody else has it.
    """
    external_id = clean_external_id(external_id)
    if external_id is not None:
        owner = select(people.c.name).where(people.c.external_id == external_id, people.c.id != person_id)
        other = connection.scalar(owner)
        if other is not None:
            raise NameTakenError(f"{other!r} has the external id {external_id!r}.", "Choose another external id.")
    connection.execute(update(people).where(people.c.id == person_id).values(external_id=external_id))


def set_groups(connection: Connection, person_id: int, names: Iterable[str]) -> None:
    """Make a person a member of these groups and no others; groups are made as needed, and go with the last member.

    Raises:
        BadNameError: A name cannot be a group's.
    """
    wanted = {label_key(group): group for group in map(clean_group, names)}
    insert_new(connection, groups, [{"name": group, "name_key": key} for key, group in wanted.items()])
    connection.execute(delete(person_groups).where(person_groups.c.person_id == person_id))
    ids = connection.scalars(select(groups.c.id).where(groups.c.name_key.in_(wanted))).all()
    insert_new(connection, person_groups, [{"person_id": person_id, "group_id": group_id} for group_id in ids])
    drop_empty_groups(connection)


def drop_empty_groups(connection: Connection) -> None:
    """Delete the groups that nobody belongs to."""
    connection.execute(delete(groups).where(~exists().where(person_groups.c.group_id == groups.c.id)))


def remove_people(connection: Connection, ids: Sequence[int]) -> None:
    """Delete people with everything that hangs on them."""
    keys = connection.scalars(select(people.c.name_key).where(people.c.id.in_(ids))).all()
    connection.execute(delete(refusals).where(refusals.c.name_key.in_(keys)))
    connection.execute(delete(people).where(people.c.id.in_(ids)))
    drop_empty_groups(connection)


def _is(person: PersonKey) -> ColumnElement[bool]:
    return people.c.id == person if isinstance(person, int) else people.c.name_key == name_key(person)


def _row(connection: Connection, person: PersonKey) -> Row[int, str] | None:
    return connection.execute(select(people.c.id, people.c.name).where(_is(person))).one_or_none()


def _existing(connection: Connection, person: PersonKey) -> Row[int, str]:
    row = _row(connection, person)
    if row is None:
        raise unknown_person(connection, person)
    return row
