"""Which files a gallery has seen, as statements over an open transaction."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, distinct, func, select

from knownface.gallery.names import name_key
from knownface.gallery.values import Refusal
from knownface.storage import insert_new
from knownface.storage.schema import people, refusals, templates
from knownface.storage.sealing.columns import readable
from knownface.storage.statements import chunks, storable

NameAndFile = tuple[str, str]
"""A person's name key and the SHA-256 of a file."""


def read_known(connection: Connection) -> set[NameAndFile]:
    """Every file that a person was enrolled from."""
    query = (
        select(people.c.name_key, templates.c.source_sha256)
        .join(templates, templates.c.person_id == people.c.id)
        .where(templates.c.negative.is_(False))
        .distinct()
    )
    return {(key, sha256) for key, sha256 in connection.execute(query).all()}


def read_refusals(connection: Connection, review_key: str) -> dict[NameAndFile, Refusal]:
    """The files refused under these rules."""
    query = select(refusals).where(refusals.c.review_key == review_key)
    return {
        (row.name_key, row.source_sha256): Refusal(
            row.source, row.source_sha256, row.review_key, row.reason, row.detail
        )
        for row in connection.execute(query)
    }


def count_refused(connection: Connection, reason: str) -> int:
    """How many files were refused for a reason; a file that was meant for two people, or refused twice, counts once."""
    query = select(func.count(distinct(refusals.c.source_sha256))).where(refusals.c.reason == reason)
    return connection.scalar(query) or 0


def add_refusals(connection: Connection, refused: Iterable[tuple[str, Refusal]]) -> None:
    """Remember refused files by the name of the person meant; what is remembered already stays."""
    rows = [
        {
            "name_key": name_key(name),
            "source_sha256": refusal.sha256,
            "review_key": refusal.review_key,
            "reason": refusal.reason,
            "detail": storable(refusal.detail),
            "source": storable(refusal.source),
        }
        for name, refusal in refused
    ]
    insert_new(connection, refusals, rows)


def read_people_of_files(connection: Connection, sha256s: Iterable[str]) -> dict[str, list[str]]:
    """For each of these files that is enrolled: the names of the people it is enrolled for, in alphabetical order."""
    names: dict[str, list[str]] = {}
    for chunk in chunks(sorted(set(sha256s))):
        query = (
            select(templates.c.source_sha256, people.c.name, people.c.name_key)
            .distinct()
            .join(people, people.c.id == templates.c.person_id)
            .where(templates.c.source_sha256.in_(chunk), templates.c.negative.is_(False))
            .order_by(readable(people.c.name_key))
        )
        for sha256, name, _ in connection.execute(query).all():
            names.setdefault(sha256, []).append(name)
    return names
