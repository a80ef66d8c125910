"""Kiosks: screens at doors, each with a key of the role ``device``, one attendance session, a source and a PIN.

What a kiosk sees counts in its session and in no other: its source is never given to another kiosk.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from knownface.errors import BadRequestError, NotFoundError
from knownface.events.attendance import get_session
from knownface.gallery.names import clean_label
from knownface.server.keys import KeyStore, NewKey
from knownface.storage import Database, insert_one
from knownface.storage.events_schema import sightings
from knownface.storage.service_schema import attendance_kiosks, watched_sources

PIN: Final = r"[0-9]{4,12}"
"""What a PIN looks like."""
_COST = {"n": 2**14, "r": 8, "p": 1}
"""Of scrypt (RFC 7914). A PIN has few values: what protects it is that few can be tried, and who reads the database."""


@dataclass(frozen=True, slots=True)
class Kiosk:
    """A screen at a door.

    Attributes:
        id: Never given to another kiosk.
        key_id: Of the key that opens it; None once the key has another kiosk.
        session_id: The attendance session; None once it is deleted.
        source: What its sightings are kept under.
        pin: The PIN's hash.
    """

    id: int
    key_id: int | None
    session_id: int | None
    source: str
    pin: str


class KioskStore:
    """The kiosks in a gallery's database.

    Args:
        database: The gallery's.
        keys: Its keys.
    """

    def __init__(self, database: Database, keys: KeyStore) -> None:
        self._database, self._keys = database, keys

    def set_up(self, session_id: int, place: str, pin: str, key_id: int | None = None) -> tuple[Kiosk, NewKey | None]:
        """Set up a kiosk for a session.

        Args:
            session_id: The attendance session that its check-ins count in.
            place: What people call it, such as "Entrance".
            pin: Four to twelve digits, without which nobody leaves it.
            key_id: A key of the role ``device`` that has, or is to have, a screen; its kiosk until now, if any, ends.
                None makes a key.

        Returns:
            The kiosk, and the key that was made for it.

        Raises:
            UnknownSessionError, UnknownKeyError: There is no such session or key.
            BadRequestError: The PIN is none, or the key has another role or is void.
            BadNameError: The place has a name that nothing can have.
        """
        label = clean_label(place, "kiosk's place")
        session, now = get_session(self._database, session_id), datetime.now(UTC)
        if not re.fullmatch(PIN, pin):
            raise BadRequestError("This is no PIN.", "Give four to twelve digits.")
        made = self._keys.create(label, "device") if key_id is None else None
        key = self._keys.get(key_id) if key_id is not None else made.key  # type: ignore[union-attr]  # one of the two
        if key.role != "device" or not key.valid(now):
            raise BadRequestError(
                f"The key {key.name!r} cannot open a kiosk.", "Choose a valid key of the role device."
            )
        table = attendance_kiosks
        with self._database.writing() as connection:
            connection.execute(update(table).where(table.c.key_id == key.id).values(key_id=None))
            source = _new_source(connection, f"{session.name}: {label}"[:200])
            values = {
                "key_id": key.id,
                "session_id": session_id,
                "source": source,
                "pin": pin_hash(pin),
                "created": now,
            }
            kiosk_id = insert_one(connection, table, values)
            row = connection.execute(select(table).where(table.c.id == kiosk_id)).one()
        return _kiosk(row), made

    def of_key(self, key_id: int | None) -> Kiosk:
        """The kiosk that a key opens.

        Raises:
            NotFoundError: It opens none.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                select(attendance_kiosks).where(attendance_kiosks.c.key_id == key_id)
            ).one_or_none()
        if row is None:
            raise NotFoundError("This key has no kiosk.", "Set one up: the session's page, Kiosk.")
        return _kiosk(row)

    def has_key(self, key_id: int | None) -> bool:
        """Whether a key opens a kiosk."""
        with self._database.reading() as connection:
            return _taken(connection, attendance_kiosks.c.key_id, key_id)

    def has_source(self, source: str) -> bool:
        """Whether a source is, or was, a kiosk's."""
        with self._database.reading() as connection:
            return _taken(connection, attendance_kiosks.c.source, source)


def _new_source(connection: Connection, label: str) -> str:
    columns = (attendance_kiosks.c.source, sightings.c.source, watched_sources.c.name)
    names = (label if number == 1 else f"{label} {number}" for number in count(1))
    return next(name for name in names if not any(_taken(connection, column, name) for column in columns))


def _taken(connection: Connection, column: Any, value: object) -> bool:
    return connection.execute(select(column).where(column == value).limit(1)).first() is not None


def pin_hash(pin: str) -> str:
    """Salt and hash of a PIN, as they are kept."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${hashlib.scrypt(pin.encode(), salt=salt, **_COST).hex()}"


def pin_fits(pin: str, kept: str) -> bool:
    """Whether a PIN is the one that a hash was made of."""
    salt, _, digest = kept.partition("$")
    tried = hashlib.scrypt(pin.encode(), salt=bytes.fromhex(salt), **_COST)
    return hmac.compare_digest(tried, bytes.fromhex(digest))


def _kiosk(row: Row[Any]) -> Kiosk:
    return Kiosk(row.id, row.key_id, row.session_id, row.source, row.pin)
