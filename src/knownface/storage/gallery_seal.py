"""The seal that a database keeps: opening it, and giving everything another seal or none, as statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    select,
    tuple_,
    type_coerce,
    update,
)

from knownface.storage.events_schema import attendance_entries, sightings
from knownface.storage.history_schema import edits
from knownface.storage.schema import META_DATA_KEY, META_SEAL, held, meta, metadata, people
from knownface.storage.sealing.columns import DAMAGED_NAME, Sealed, SealedName, SealedText
from knownface.storage.sealing.keys import Secret
from knownface.storage.sealing.sealer import Sealer
from knownface.storage.statements import insert_new

_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Resealed:
    """What another seal, or none, did to the records.

    Attributes:
        records: How many there are.
        damaged: What could not be opened, such as "templates 5 (vector)".
    """

    records: int
    damaged: tuple[str, ...]


def stored_seal(connection: Connection) -> str | None:
    """The seal of an encrypted gallery, or None."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == META_SEAL))


def data_key_in_use(connection: Connection) -> str | None:
    """Which data key the records are sealed with; None where they are not."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == META_DATA_KEY))


def holds_nobody(connection: Connection) -> bool:
    """Whether nothing is kept yet that would have to be sealed."""
    return not any(
        connection.scalar(select(exists(select(t)))) for t in (people, held, sightings, attendance_entries, edits)
    )


def store_seal(connection: Connection, sealer: Sealer | None, secret: Secret | None) -> None:
    """Keep a seal in the place of the one before; None for none."""
    connection.execute(delete(meta).where(meta.c.key.in_([META_SEAL, META_DATA_KEY])))
    if sealer is not None and secret is not None:
        rows = [(META_SEAL, sealer.locked(secret)), (META_DATA_KEY, sealer.id.hex())]
        insert_new(connection, meta, [{"key": key, "value": value} for key, value in rows])


def reseal(connection: Connection, old: Sealer | None, new: Sealer | None) -> Resealed:
    """Open every record with one sealer and seal it with another; None is open.

    A damaged record stays as it is where there is a new sealer. Without one it goes, with its row where there must be a
    vector.

    Args:
        connection: In a writing transaction.
        old: What sealed them.
        new: What is to seal them.
    """
    count = 0
    damaged: list[str] = []
    for table in metadata.sorted_tables:
        columns = [column for column in table.c if isinstance(column.type, Sealed | SealedText | SealedName)]
        if columns:
            done = _reseal_table(connection, table, columns, old, new)
            count, damaged = count + done.records, [*damaged, *done.damaged]
    return Resealed(count, tuple(damaged))


def _reseal_table(
    connection: Connection, table: Table, columns: list[Column[Any]], old: Sealer | None, new: Sealer | None
) -> Resealed:
    keys = list(table.primary_key.columns)
    raw = {column.name: LargeBinary() if isinstance(column.type, Sealed) else Text() for column in columns}
    values = {name: bindparam(f"new_{name}", type_=kind) for name, kind in raw.items()}
    change = update(table).where(*(key == bindparam(f"at_{key.name}") for key in keys)).values(values)
    query = select(*keys, *(type_coerce(column, raw[column.name]).label(column.name) for column in columns))
    count = 0
    damaged: list[str] = []
    lost: list[tuple[Any, ...]] = []
    everywhere = connection.execute(select(*keys).order_by(*keys)).all()
    for start in range(0, len(everywhere), _AT_A_TIME):
        some = [tuple(row) for row in everywhere[start : start + _AT_A_TIME]]
        rows = []
        for row in connection.execute(query.where(tuple_(*keys).in_(some))).all():
            at = {f"at_{key.name}": row._mapping[key.name] for key in keys}
            for column in columns:
                value = row._mapping[column.name]
                count += value is not None and _concerns(column.type, old, new)
                at[f"new_{column.name}"], is_damaged = _resealed(column.type, value, old, new)
                if is_damaged:
                    numbers = ", ".join(str(row._mapping[key.name]) for key in keys)
                    damaged.append(f"{table.name} {numbers} ({column.name})")
                    if new is None and at[f"new_{column.name}"] is None and not column.nullable:
                        lost.append(tuple(row._mapping[key.name] for key in keys))
            if tuple(row._mapping[key.name] for key in keys) not in lost:
                rows.append(at)
        if rows:
            connection.execute(change, rows)
    if lost:
        connection.execute(delete(table).where(tuple_(*keys).in_(lost)))
    return Resealed(count, tuple(damaged))


def _name_resealed(kind: SealedName, value: str, old: Sealer | None, new: Sealer | None) -> tuple[str, bool]:
    opened = old.open_text(value, kind.kind) if old is not None and old.names else value
    sealed = new is not None and new.names
    if opened is None:
        return (value if sealed else DAMAGED_NAME), True
    return (new.seal_text(opened, kind.kind) if new is not None and new.names else opened), False


def _concerns(kind: Any, old: Sealer | None, new: Sealer | None) -> bool:
    """Whether a column is sealed, before or after: names are where the seal says so."""
    return not isinstance(kind, SealedName) or any(sealer is not None and sealer.names for sealer in (old, new))


def _resealed(kind: Any, value: Any, old: Sealer | None, new: Sealer | None) -> tuple[Any, bool]:
    """The value sealed anew, and whether it was damaged."""
    if value is None:
        return None, False
    if isinstance(kind, SealedName):
        return _name_resealed(kind, value, old, new)
    if isinstance(kind, Sealed):
        opened: Any = value if old is None else old.open(value, kind.kind)
        if opened is not None:
            return (opened if new is None else new.seal(opened, kind.kind)), False
    else:
        opened = value if old is None else old.open_text(value, kind.kind)
        if opened is not None:
            return (opened if new is None else new.seal_text(opened, kind.kind)), False
        if new is None:
            return kind.damaged, True
    return value if new is not None else None, True
