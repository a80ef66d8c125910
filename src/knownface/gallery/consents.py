"""Who may be enrolled, named and recorded, and what for: the consents of people, as statements over a transaction.

Where the gallery demands consent, every room asks here: decisions by :class:`Permits` of the snapshot, rows that are
written or exported by :func:`require` and :func:`permitted`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select, true, update

from knownface.errors import ConsentError, PersonError
from knownface.gallery.changes import note_people_change
from knownface.storage import insert_new
from knownface.storage.schema import META_CONSENT, META_CONSENTS, consents, meta, people
from knownface.storage.sealing.columns import readable
from knownface.storage.statements import storable
from knownface.types import Purpose

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

Basis: TypeAlias = Literal[
    "consent", "contract", "legal-obligation", "vital-interests", "public-task", "legitimate-interests"
]
"""The legal bases of GDPR Art. 6(1), a to f."""
BASES: tuple[Basis, ...] = get_args(Basis)


@dataclass(frozen=True, slots=True)
class NewConsent:
    """A consent, or another legal basis, to be written down.

    Attributes:
        given_by: Who gave it: the person, or a guardian.
        given_on: The day from which it holds.
        purposes: What for: photos, live cameras, being counted as present.
        guardian: Whether somebody else gave it for the person, such as a parent.
        basis: The legal basis.
        document: Where the signed paper is, such as a file number.
        until: The last day on which it holds; None is until it is withdrawn.
    """

    given_by: str
    given_on: date
    purposes: Collection[Purpose] = PURPOSES
    guardian: bool = False
    basis: Basis = "consent"
    document: str = ""
    until: date | None = None

    def __post_init__(self) -> None:
        if not self.given_by.strip():
            raise PersonError("A consent must say who gave it.", "Name the person, or the guardian.")
        if not self.purposes or not set(self.purposes) <= set(PURPOSES):
            raise PersonError("A consent must say what it is for.", f"Choose among {', '.join(PURPOSES)}.")
        if self.basis not in BASES:
            raise PersonError(f"{self.basis!r} is no legal basis.", f"Choose one of {', '.join(BASES)}.")
        if self.until is not None and self.until < self.given_on:
            raise PersonError("A consent cannot end before it was given.", "Check both dates.")

    def same(self, other: NewConsent) -> bool:
        """Whether both say the same, in whatever order the purposes stand."""
        return replace(self, purposes=frozenset(self.purposes)) == replace(other, purposes=frozenset(other.purposes))


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that was written down.

    Attributes:
        id: Never given to another one.
        person_id: Whose.
        name: The person's.
        given: What was written down.
        recorded: When, UTC.
        recorded_by: By whom.
        withdrawn: When it was withdrawn, UTC; None while it stands.
    """

    id: int
    person_id: int
    name: str
    given: NewConsent
    recorded: datetime
    recorded_by: str
    withdrawn: datetime | None

    def holds_on(self, day: date) -> bool:
        """Whether it is valid on a day."""
        until = self.given.until
        return self.withdrawn is None and self.given.given_on <= day and (until is None or day <= until)

    def to_dict(self) -> dict[str, Any]:
        """As the REST service answers it."""
        given = self.given
        return {
            "id": self.id,
            "person_id": self.person_id,
            "name": self.name,
            "given_by": given.given_by,
            "guardian": given.guardian,
            "basis": given.basis,
            "given_on": given.given_on.isoformat(),
            "until": None if given.until is None else given.until.isoformat(),
            "purposes": list(given.purposes),
            "document": given.document,
            "recorded": self.recorded,
            "recorded_by": self.recorded_by,
            "withdrawn": self.withdrawn,
            "valid": self.holds_on(today()),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Permits:
    """The consents that stand in a gallery that demands them, as a snapshot holds them.

    Attributes:
        stamp: New after every change of consents.
        standing: Person id, purposes, first and last day of each that was not withdrawn.
    """

    stamp: str
    standing: tuple[tuple[int, frozenset[str], date, date | None], ...]
    _of_day: dict[tuple[str, date], frozenset[int]] = field(default_factory=dict, repr=False)

    def people(self, purpose: Purpose) -> frozenset[int]:
        """The ids of those who may be named for a purpose today; the same object until that changes."""
        day = today()
        if (purpose, day) not in self._of_day:
            self._of_day[purpose, day] = frozenset(
                person
                for person, purposes, first, last in self.standing
                if purpose in purposes and first <= day and (last is None or day <= last)
            )
        return self._of_day[purpose, day]


def today() -> date:
    """The day by the clock and time zone of this machine, by which consents begin and end."""
    return datetime.now().astimezone().date()


def is_required(connection: Connection) -> bool:
    """Whether the gallery demands consent."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == META_CONSENT)) == "required"


def set_required(connection: Connection, *, required: bool) -> None:
    """Let the gallery demand consent, or no more; every program that has it open follows."""
    connection.execute(delete(meta).where(meta.c.key == META_CONSENT))
    if required:
        insert_new(connection, meta, [{"key": META_CONSENT, "value": "required"}])
    _note(connection)


def read_permits(connection: Connection, before: Permits | None) -> Permits | None:
    """Who may be named; None where the gallery demands no consent."""
    query = select(meta.c.key, meta.c.value).where(meta.c.key.in_([META_CONSENT, META_CONSENTS]))
    values = {row.key: row.value for row in connection.execute(query)}
    if META_CONSENT not in values:
        return None
    stamp = values.get(META_CONSENTS, "")
    if before is not None and before.stamp == stamp:
        return before
    columns = consents.c.person_id, consents.c.purposes, consents.c.given_on, consents.c.until
    rows = connection.execute(select(*columns).where(consents.c.withdrawn.is_(None)))
    return Permits(stamp, tuple((row[0], frozenset(row[1].split(",")), row[2], row[3]) for row in rows))


def permitted(
    connection: Connection, column: ColumnElement[Any], purpose: Purpose | None = None
) -> ColumnElement[bool]:
    """The condition that rows are about nobody, or about people who may be named.

    Args:
        connection: The caller's transaction.
        column: Holds the person's id, or NULL.
        purpose: What for; None is any purpose.
    """
    if not is_required(connection):
        return true()
    return or_(column.is_(None), column.in_(select(consents.c.person_id).where(_valid(purpose))))


def require(connection: Connection, ids: Iterable[int], purpose: Purpose | None = None) -> None:
    """Raise where the gallery demands consent and one of these people has none.

    Raises:
        ConsentError: One of them has none; the message names the first.
    """
    wanted = set(ids)
    if not wanted or not is_required(connection):
        return
    missing = wanted - set(connection.scalars(select(consents.c.person_id).where(_valid(purpose))))
    if missing:
        name = connection.scalar(select(people.c.name).where(people.c.id == min(missing)))
        what = "" if purpose is None else f" for {purpose}"
        raise ConsentError(f"{name!r} has given no valid consent{what}, which this gallery demands.")


def check_strangers_allowed(connection: Connection) -> None:
    """Raise where the gallery demands consent: a counter-example is the face of somebody who gave none.

    Raises:
        ConsentError: It does.
    """
    if is_required(connection):
        raise ConsentError(
            "A counter-example keeps the face of somebody who has given no consent, which this gallery demands.",
            "Raise the person's own threshold instead.",
        )


def add_consent(connection: Connection, person_id: int, new: NewConsent, recorded_by: str) -> int:
    """Write a consent down; returns its id."""
    values = {
        "key": uuid.uuid4().hex,
        "person_id": person_id,
        "given_by": storable(new.given_by.strip()),
        "guardian": new.guardian,
        "basis": new.basis,
        "given_on": new.given_on,
        "until": new.until,
        "purposes": ",".join(purpose for purpose in PURPOSES if purpose in new.purposes),
        "document": storable(new.document.strip()),
        "recorded": datetime.now(UTC),
        "recorded_by": storable(recorded_by),
    }
    made = connection.execute(insert(consents).returning(consents.c.id), values).scalar_one()
    _note(connection)
    return int(made)


def withdraw_consents(connection: Connection, where: ColumnElement[bool]) -> int:
    """Withdraw those that stand; returns how many."""
    standing = and_(where, consents.c.withdrawn.is_(None))
    count = connection.execute(update(consents).where(standing).values(withdrawn=datetime.now(UTC))).rowcount
    if count:
        _note(connection)
    return count


def move_consents(connection: Connection, person_id: int, to_person: int) -> None:
    """Give the consents of somebody who is joined into another to the other."""
    connection.execute(update(consents).where(consents.c.person_id == person_id).values(person_id=to_person))
    _note(connection)


def list_consents(connection: Connection, person_id: int | None = None) -> list[Consent]:
    """Everybody's or one person's, by name, the oldest first."""
    query = select(consents, people.c.name).join(people).order_by(readable(people.c.name_key), consents.c.id)
    if person_id is not None:
        query = query.where(consents.c.person_id == person_id)
    return [_consent(row) for row in connection.execute(query)]


def _consent(row: Row[Any]) -> Consent:
    purposes = tuple(purpose for purpose in PURPOSES if purpose in row.purposes.split(","))
    given = NewConsent(row.given_by, row.given_on, purposes, row.guardian, row.basis, row.document, row.until)
    return Consent(row.id, row.person_id, row.name, given, row.recorded, row.recorded_by, row.withdrawn)


def _valid(purpose: Purpose | None) -> ColumnElement[bool]:
    day = today()
    parts = [
        consents.c.withdrawn.is_(None),
        consents.c.given_on <= day,
        or_(consents.c.until.is_(None), consents.c.until >= day),
    ]
    if purpose is not None:
        parts.append(consents.c.purposes.contains(purpose))
    return and_(*parts)


def _note(connection: Connection) -> None:
    connection.execute(delete(meta).where(meta.c.key == META_CONSENTS))
    insert_new(connection, meta, [{"key": META_CONSENTS, "value": uuid.uuid4().hex}])
    note_people_change(connection)
