"""Names that people had, so that folders of these names still mean them; statements over an open transaction."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, exists, insert, select, update

from knownface.gallery.names import name_key
from knownface.storage.history_schema import former_names
from knownface.storage.schema import people
from knownface.storage.statements import chunks


def remember_name(connection: Connection, person_id: int, name: str) -> None:
    """Let a name mean a person who does not have it any more."""
    forget_names(connection, [name_key(name)])
    connection.execute(insert(former_names).values(person_id=person_id, name=name, name_key=name_key(name)))


def forget_names(connection: Connection, name_keys: Iterable[str]) -> None:
    """Let names mean nobody but who has them."""
    for chunk in chunks(sorted(set(name_keys))):
        connection.execute(delete(former_names).where(former_names.c.name_key.in_(chunk)))


def move_names(connection: Connection, person_id: int, to_person: int) -> None:
    """Let a person's former names mean another."""
    own = former_names.c.person_id == person_id
    connection.execute(update(former_names).where(own).values(person_id=to_person))


def read_former_names(connection: Connection, person_id: int | None = None) -> dict[str, tuple[str, str]]:
    """For each former name's key, the name as it was and the person's name now; of everybody, or of one.

    A name that somebody has means them alone.
    """
    now = people.alias()
    taken = exists().where(now.c.name_key == former_names.c.name_key)
    columns = (former_names.c.name_key, former_names.c.name, people.c.name.label("now"))
    query = select(*columns).select_from(former_names.join(people)).where(~taken)
    if person_id is not None:
        query = query.where(former_names.c.person_id == person_id)
    return {row.name_key: (row.name, row.now) for row in connection.execute(query)}
