"""Backups in which every person's records are sealed by a key of the person's own, which the backup does not hold.

Who is removed from the gallery loses that key, and no backup brings them back (crypto-shredding). The gallery itself
need not seal so: what is removed from it is overwritten.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection, Table, insert, select, update

from knownface.errors import GalleryKeyError
from knownface.storage.checks import connect_read_only
from knownface.storage.history_schema import edits
from knownface.storage.schema import META_PERSON_SEAL, metadata, people, person_keys
from knownface.storage.sealing.columns import Sealed, SealedText
from knownface.storage.sealing.keys import KEY_BYTES
from knownface.storage.sealing.person_keys import OwnKey
from knownface.storage.sealing.sealer import TEXT_MAGIC

_TEXT = "sealed:2:"
_AT_A_TIME = 1000


def whole_keys(connection: Connection) -> dict[str, bytes]:
    """Every secret that can be opened, by its key."""
    rows = connection.execute(select(person_keys.c.key, person_keys.c.secret))
    return {key: secret for key, secret in rows if len(secret) == KEY_BYTES}


def make_keys(connection: Connection) -> dict[int, OwnKey]:
    """A key of each person; made, in a writing transaction, for those who have none that can be used."""
    rows = connection.execute(
        select(person_keys.c.person_id, person_keys.c.key, person_keys.c.secret).order_by(person_keys.c.id)
    )
    found = {person: OwnKey(key, secret) for person, key, secret in rows if len(secret) == KEY_BYTES}
    lacking = [person for person in connection.scalars(select(people.c.id)) if person not in found]
    made = {person: OwnKey.new() for person in lacking}
    if made:
        rows_of = [{"key": k.key, "person_id": person, "secret": k.secret} for person, k in made.items()]
        connection.execute(insert(person_keys), rows_of)
    return {**found, **made}


def put_keys(connection: Connection, keys: Mapping[str, bytes]) -> None:
    """Give a restored gallery the secrets that its backup did not hold."""
    for key in connection.scalars(select(person_keys.c.key)).all():
        if key in keys:
            connection.execute(update(person_keys).where(person_keys.c.key == key).values(secret=keys[key]))


def is_sealed_by_person(file: Path) -> bool:
    """Whether a backup's people are sealed by keys of their own."""
    connection = connect_read_only(file)
    try:
        found = connection.execute("SELECT 1 FROM meta WHERE key = ?", (META_PERSON_SEAL,)).fetchone()
    finally:
        connection.close()
    return found is not None


def seal_people(copy: sqlite3.Connection, keys: Mapping[int, OwnKey]) -> None:
    """Seal each person's records in a copy of the gallery, and take out what would tell of people otherwise.

    Edits go, since they are of several people; so do the secrets. Who has no key, since they came while the copy was
    made, is left out.
    """
    copy.execute("PRAGMA foreign_keys = ON")
    copy.execute("PRAGMA journal_mode = MEMORY")
    copy.execute("BEGIN IMMEDIATE")
    copy.execute(f"DELETE FROM {edits.name}")  # noqa: S608
    copy.execute(f"DELETE FROM {person_keys.name}")  # noqa: S608
    for (person,) in copy.execute("SELECT id FROM people").fetchall():
        if person not in keys:
            copy.execute("DELETE FROM people WHERE id = ?", (person,))
            continue
        row = keys[person].key, person, b""
        copy.execute("INSERT INTO person_keys (key, person_id, secret) VALUES (?, ?, ?)", row)

    def sealed(person: int, value: bytes | str) -> bytes | str:
        if isinstance(value, str):
            return _TEXT + base64.b64encode(keys[person].seal(value.encode())).decode()
        return keys[person].seal(value)

    _change(copy, sealed)
    copy.execute("INSERT INTO meta (key, value) VALUES (?, '1')", (META_PERSON_SEAL,))
    copy.execute("COMMIT")
    # The rows of before must not stay in gaps of the file.
    copy.execute("VACUUM")


def open_people(copy: sqlite3.Connection, secrets: Mapping[str, bytes]) -> list[str]:
    """Open each person's records in a copy of a backup; who has no key any more is taken out of it.

    A damaged record stays as it is, and is told as damaged when the gallery is used.

    Returns:
        The names of those who were taken out; their numbers, where names are sealed.
    """
    copy.execute("PRAGMA foreign_keys = ON")
    copy.execute("PRAGMA secure_delete = ON")
    copy.execute("BEGIN IMMEDIATE")
    query = "SELECT p.id, p.name, k.key FROM people p LEFT JOIN person_keys k ON k.person_id = p.id ORDER BY p.id"
    rows = copy.execute(query).fetchall()
    keys = {person: OwnKey(key, secrets[key]) for person, _, key in rows if key in secrets}
    if rows and not keys:
        copy.execute("ROLLBACK")
        raise GalleryKeyError(
            "None of the people in this backup has a key in the store that was named.",
            "Name the file that was written with this backup or after it; nothing was changed.",
        )
    lost = [(person, name) for person, name, _ in rows if person not in keys]
    copy.executemany("DELETE FROM people WHERE id = ?", [(person,) for person, _ in lost])

    def opened(person: int, value: bytes | str) -> bytes | str:
        if isinstance(value, bytes):
            return keys[person].open(value) or value
        try:
            raw = keys[person].open(base64.b64decode(value.removeprefix(_TEXT), validate=True))
        except ValueError:
            raw = None
        return value if raw is None else raw.decode()

    _change(copy, opened)
    copy.execute("DELETE FROM meta WHERE key = ?", (META_PERSON_SEAL,))
    copy.execute("COMMIT")
    copy.execute("VACUUM")
    return [f"person {person}" if name.startswith(TEXT_MAGIC) else name for person, name in lost]


def _change(copy: sqlite3.Connection, change: Callable[[int, bytes | str], bytes | str]) -> None:
    for table, whose in _of_people():
        names = [column.name for column in table.c if isinstance(column.type, Sealed | SealedText)]
        columns, values = ", ".join(names), ", ".join(f"{name} = ?" for name in names)
        query = f"SELECT rowid, {whose}, {columns} FROM {table.name} WHERE rowid > ? ORDER BY rowid LIMIT {_AT_A_TIME}"  # noqa: S608
        last = -1
        while rows := copy.execute(query, (last,)).fetchall():
            last = rows[-1][0]
            changed = [
                (*(None if value is None else change(person, value) for value in of_person), row)
                for row, person, *of_person in rows
                if person is not None
            ]
            copy.executemany(f"UPDATE {table.name} SET {values} WHERE rowid = ?", changed)  # noqa: S608


def _of_people() -> Iterator[tuple[Table, str]]:
    """The tables with sealed columns of people, and how a row of each tells whose it is."""
    for table in metadata.sorted_tables:
        if table in (edits, person_keys) or not any(isinstance(c.type, Sealed | SealedText) for c in table.c):
            continue
        if table is people:
            yield table, "id"
        elif "person_id" in table.c:
            yield table, "person_id"
        else:
            yield table, f"(SELECT person_id FROM templates WHERE templates.id = {table.name}.template_id)"  # noqa: S608
