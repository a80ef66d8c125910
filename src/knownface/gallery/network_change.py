"""The transaction that puts the vectors of another network in the place of those in use, as statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, func, insert, literal, select, update

from knownface.errors import GalleryEmptyError
from knownface.gallery.contracts import use_contract
from knownface.storage.failures import UnplacedError
from knownface.storage.history_schema import edits
from knownface.storage.schema import (
    contracts,
    former_thresholds,
    people,
    set_aside_templates,
    template_pictures,
    template_vectors,
    templates,
)
from knownface.storage.statements import chunks, dialect_of, storable


@dataclass(frozen=True, slots=True)
class NetworkChange:
    """What one change of network did.

    Attributes:
        templates: Templates and counter-examples that are searched now.
        restored: So many of them had been set aside before.
        set_aside: Templates that are set aside now.
        thresholds: People whose own threshold was a distance of the network before, and is not used any more.
    """

    templates: int
    restored: int
    set_aside: int
    thresholds: int


_SAME = [column.name for column in templates.c if column.name not in {"contract_id", "vector"}]
"""Columns that a template keeps when it is set aside, or comes back."""


def change_network(connection: Connection, number: int, lost: Mapping[int, str]) -> NetworkChange:
    """Have the vectors of a network in use from now on.

    Args:
        connection: In a writing transaction.
        number: Of the network's contract. Every template that is not among the lost has a vector of it.
        lost: Why the others have none, by their ids.

    Raises:
        UnplacedError: A GalleryEmptyError; no template would be left.
    """
    before = connection.scalar(select(contracts.c.id).where(contracts.c.in_use))
    unused = 0
    set_aside(connection, lost)
    if before != number:
        _swap_vectors(connection, number)
        unused = _swap_thresholds(connection, before, number)
        connection.execute(delete(edits))  # undoing one could bring back a vector of the network before
    restored = _restore(connection, number)
    use_contract(connection, number)
    count, aside = (
        connection.scalar(select(func.count()).select_from(table)) or 0 for table in (templates, set_aside_templates)
    )
    if not count:
        raise UnplacedError(
            GalleryEmptyError,
            "No face of {place} was found again, so nobody would be recognised; nothing was changed.",
            "Bring the files back to where they were enrolled from, or enrol again.",
        )
    return NetworkChange(count, restored, aside, unused)


def set_aside(connection: Connection, lost: Mapping[int, str]) -> None:
    """Take templates, by their ids, out of what is searched, each for a reason, and keep them."""
    aside = set_aside_templates
    for template_id, reason in lost.items():
        columns = [templates.c[name] for name in [*_SAME, "contract_id", "vector"]]
        query = select(
            *columns, literal(storable(reason)).label("reason"), template_pictures.c.jpeg, template_pictures.c.face
        ).outerjoin(template_pictures, template_pictures.c.template_id == templates.c.id)
        names = [*_SAME, "contract_id", "vector", "reason", "jpeg", "face"]
        connection.execute(insert(aside).from_select(names, query.where(templates.c.id == template_id)))
        connection.execute(update(aside).where(aside.c.id == template_id).values(reason=storable(reason)))
    for chunk in chunks(list(lost)):
        connection.execute(delete(templates).where(templates.c.id.in_(chunk)))


def _swap_vectors(connection: Connection, number: int) -> None:
    kept = template_vectors
    in_use = select(templates.c.id, templates.c.contract_id, templates.c.vector)
    connection.execute(insert(kept).from_select(["template_id", "contract_id", "vector"], in_use))
    new = select(kept.c.vector).where(kept.c.template_id == templates.c.id, kept.c.contract_id == number)
    connection.execute(update(templates).values(contract_id=number, vector=new.scalar_subquery()))
    connection.execute(delete(kept).where(kept.c.contract_id == number))


def _swap_thresholds(connection: Connection, before: int | None, number: int) -> int:
    """Own thresholds are distances of one network; returns how many people have none for the new one."""
    kept = former_thresholds
    own = select(people.c.id, literal(before), people.c.threshold).where(people.c.threshold.is_not(None))
    connection.execute(insert(kept).from_select(["person_id", "contract_id", "threshold"], own))
    there = select(kept.c.person_id).where(kept.c.contract_id == number)
    of_number = select(kept.c.threshold).where(kept.c.person_id == people.c.id, kept.c.contract_id == number)
    touched = people.c.threshold.is_not(None) | people.c.id.in_(there)
    connection.execute(update(people).where(touched).values(threshold=of_number.scalar_subquery()))
    connection.execute(delete(kept).where(kept.c.contract_id == number))
    unused = select(func.count()).select_from(kept).join(people).where(kept.c.contract_id == before)
    return connection.scalar(unused.where(people.c.threshold.is_(None))) or 0


def _restore(connection: Connection, number: int) -> int:
    """Bring back what is set aside and has a vector of the network; a face that was enrolled again meanwhile goes."""
    aside, there = set_aside_templates, select(templates.c.id)
    found = select(aside.c.id).where(aside.c.new_contract_id == number)
    count = connection.scalar(select(func.count()).select_from(templates)) or 0
    rows = select(*[aside.c[name] for name in _SAME], aside.c.new_contract_id, aside.c.new_vector)
    _insert_from(connection, templates, [*_SAME, "contract_id", "vector"], rows.where(aside.c.id.in_(found)))
    back = aside.c.id.in_(found) & aside.c.id.in_(there)
    pictures = select(aside.c.id, aside.c.jpeg, aside.c.face).where(back, aside.c.jpeg.is_not(None))
    _insert_from(connection, template_pictures, ["template_id", "jpeg", "face"], pictures)
    before = select(aside.c.id, aside.c.contract_id, aside.c.vector).where(back, aside.c.contract_id != number)
    _insert_from(connection, template_vectors, ["template_id", "contract_id", "vector"], before)
    connection.execute(delete(aside).where(aside.c.new_contract_id == number))
    return (connection.scalar(select(func.count()).select_from(templates)) or 0) - count


def _insert_from(connection: Connection, table: Table, names: list[str], rows: object) -> None:
    kind = dialect_of(connection)
    connection.execute(kind.insert(table).from_select(names, rows).on_conflict_do_nothing())
