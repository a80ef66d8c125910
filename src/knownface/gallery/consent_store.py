"""The consents of a gallery's people."""

from __future__ import annotations

from sqlalchemy import select

from knownface.gallery import consents as sql
from knownface.gallery.consents import Consent, NewConsent
from knownface.gallery.people import find_id, list_people
from knownface.gallery.values import Person, PersonKey
from knownface.storage import Database
from knownface.storage.schema import consents


class ConsentStore:
    """Writing down, listing and withdrawing consents; demanding them.

    Args:
        database: The gallery's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def required(self) -> bool:
        """Whether nobody is enrolled, named or recorded without a valid consent. Stands in the gallery itself."""
        with self._database.reading() as connection:
            return sql.is_required(connection)

    def require(self, required: bool = True) -> None:
        """Demand consent from now on, or no more; every program that has the gallery open follows."""
        if required != self.required:
            with self._database.writing() as connection:
                sql.set_required(connection, required=required)

    def give(self, person: PersonKey, consent: NewConsent, recorded_by: str = "") -> Consent:
        """Write a consent down.

        Raises:
            UnknownPersonError: There is no such person.
        """
        with self._database.writing() as connection:
            person_id = find_id(connection, person)
            made = sql.add_consent(connection, person_id, consent, recorded_by)
            return next(one for one in sql.list_consents(connection, person_id) if one.id == made)

    def withdraw(self, person: PersonKey) -> int:
        """Withdraw what the person has given; returns how many consents stood.

        In a gallery that demands consent they are named and recorded no more, from the next frame on. What was enrolled
        and recorded stays until they are removed.

        Raises:
            UnknownPersonError: There is no such person.
        """
        with self._database.writing() as connection:
            return sql.withdraw_consents(connection, consents.c.person_id == find_id(connection, person))

    def missing(self) -> list[Person]:
        """Who has none that is valid today, in the order of their names."""
        with self._database.reading() as connection:
            valid = {one.person_id for one in sql.list_consents(connection) if one.holds_on(sql.today())}
            return [person for person in list_people(connection) if person.id not in valid]

    def list(self, person: PersonKey | None = None) -> list[Consent]:
        """A person's, or everybody's by name; the oldest first, withdrawn ones included.

        Raises:
            UnknownPersonError: There is no such person.
        """
        with self._database.reading() as connection:
            return sql.list_consents(connection, None if person is None else find_id(connection, person))

    def follow(self, earlier: Database) -> None:
        """Let what was withdrawn, removed or demanded in the gallery before a restore count in this one.

        Consents of the backup that do not stand in the earlier gallery are withdrawn, and it demands them if that did.

        Args:
            earlier: The gallery whose place a backup has taken.
        """
        with earlier.reading() as connection:
            required = sql.is_required(connection)
            standing = set(connection.scalars(select(consents.c.key).where(consents.c.withdrawn.is_(None))))
        with self._database.writing() as connection:
            keys = set(connection.scalars(select(consents.c.key))) - standing
            for key in sorted(keys):
                sql.withdraw_consents(connection, consents.c.key == key)
            if required and not sql.is_required(connection):
                sql.set_required(connection, required=True)
