"""Files that were taken out of a person's, so that an enrolment does not bring them back; statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, exists, select, update

from knownface.storage import insert_new
from knownface.storage.history_schema import exclusions
from knownface.storage.schema import people, templates
from knownface.storage.sealing.columns import readable
from knownface.storage.statements import chunks


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A file that was taken out of a person's.

    Attributes:
        id: Of the exclusion.
        person_id: Whose.
        name: The person's.
        source: Where the file was.
        source_sha256: Hex digest of its content.
        created: UTC.
    """

    id: int
    person_id: int
    name: str
    source: str
    source_sha256: str
    created: datetime


def exclude_files_of(connection: Connection, template_ids: Iterable[int]) -> None:
    """Remember the files of templates that are about to be taken out; counter-examples aside."""
    now = datetime.now(UTC)
    columns = (templates.c.person_id, templates.c.source, templates.c.source_sha256)
    for chunk in chunks(sorted(set(template_ids))):
        query = select(*columns).where(templates.c.id.in_(chunk), templates.c.negative.is_(False))
        rows = [{**row._mapping, "created": now} for row in connection.execute(query)]
        insert_new(connection, exclusions, rows)


def list_exclusions(connection: Connection, person_id: int | None = None) -> list[Exclusion]:
    """What is excluded, of everybody in the order of their names, or of one person; oldest first."""
    query = select(exclusions, people.c.name).join(people).order_by(readable(people.c.name_key), exclusions.c.id)
    if person_id is not None:
        query = query.where(exclusions.c.person_id == person_id)
    return [
        Exclusion(row.id, row.person_id, row.name, row.source, row.source_sha256, row.created)
        for row in connection.execute(query)
    ]


def lift(connection: Connection, pairs: Iterable[tuple[int, str]]) -> int:
    """Let files, by person id and SHA-256, be enrolled again; returns how many were excluded."""
    return sum(
        connection.execute(
            delete(exclusions).where(exclusions.c.person_id == person_id, exclusions.c.source_sha256 == sha256)
        ).rowcount
        for person_id, sha256 in set(pairs)
    )


def move_exclusions(connection: Connection, person_id: int, to_person: int) -> None:
    """Let files that are excluded for a person be excluded for another."""
    there = exclusions.alias()
    twin = exists().where(there.c.person_id == to_person, there.c.source_sha256 == exclusions.c.source_sha256)
    connection.execute(delete(exclusions).where(exclusions.c.person_id == person_id, twin))
    own = exclusions.c.person_id == person_id
    connection.execute(update(exclusions).where(own).values(person_id=to_person))
