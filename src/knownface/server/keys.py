"""API keys: made, listed, rotated and revoked; kept as hashes.

A key is ``kf_<id>_<secret>``. The id is public and finds the row; the secret is 256 random bits, of which the database
keeps the SHA-256. A slow hash (Argon2, bcrypt) protects passwords that people think of and that can be guessed; 256
random bits cannot, and a slow hash would cost every request its time.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import Row, delete, select, update

from knownface.errors import UnknownKeyError
from knownface.gallery.names import clean_label
from knownface.storage import Database, insert_one
from knownface.storage.service_schema import api_keys, web_sessions

Role: TypeAlias = Literal["device", "viewer", "operator", "admin"]
"""What a key may do, each role all that the one before it may. ``device``: ask who is on a picture. ``viewer``: read.
``operator``: enrol, edit, delete, export. ``admin``: keys, audit log, webhooks, calibration."""

ROLES: tuple[Role, ...] = get_args(Role)
PREFIX = "kf"


def allows(role: Role, needed: Role) -> bool:
    """Whether a role may do what another one may."""
    return ROLES.index(role) >= ROLES.index(needed)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, without its secret.

    Attributes:
        id: Never given to another key.
        name: What people call it, such as "front door".
        role: What it may do.
        token_id: The public part of the key itself.
        created: UTC.
        rotated: When it was last given a new secret.
        expires: From when on it is not valid any more.
        revoked: When it was revoked.
        last_used: To the minute.
    """

    id: int
    name: str
    role: Role
    token_id: str
    created: datetime
    rotated: datetime | None
    expires: datetime | None
    revoked: datetime | None
    last_used: datetime | None

    def valid(self, now: datetime) -> bool:
        """Whether it opens anything at a time."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, which is shown once and never again."""

    key: Key
    token: str


def secret_digest(secret: str) -> str:
    """Hex SHA-256 of a secret of high entropy."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class KeyStore:
    """The keys in a gallery's database.

    Args:
        database: The gallery's, which holds the keys.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: Role, expires: datetime | None = None) -> NewKey:
        """Make a key.

        Raises:
            BadNameError: The name is empty, too long or cannot be printed.
        """
        token_id, secret = secrets.token_hex(5), secrets.token_urlsafe(32)
        values: dict[str, Any] = {
            "name": clean_label(name, "name of the key"),
            "role": role,
            "token_id": token_id,
            "secret_sha256": secret_digest(secret),
            "created": datetime.now(UTC),
            "expires": expires,
        }
        with self._database.writing() as connection:
            key_id = insert_one(connection, api_keys, values)
        return NewKey(self.get(key_id), _token(token_id, secret))

    def get(self, key_id: int) -> Key:
        """One key.

        Raises:
            UnknownKeyError: There is none of this id.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        if row is None:
            raise UnknownKeyError(f"There is no key {key_id}.")
        return _key(row)

    def all(self) -> list[Key]:
        """Every key, revoked ones too, oldest first."""
        with self._database.reading() as connection:
            return [_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.id))]

    def rotate(self, key_id: int) -> NewKey:
        """Give a key a new secret; the old one, and every browser session begun with it, is void at once.

        Raises:
            UnknownKeyError: There is none of this id, or it was revoked.
        """
        key = self.get(key_id)
        if key.revoked is not None:
            raise UnknownKeyError(f"The key {key_id} was revoked.", "Make another one.")
        secret = secrets.token_urlsafe(32)
        self._change(key_id, rotated=datetime.now(UTC), secret_sha256=secret_digest(secret))
        return NewKey(self.get(key_id), _token(key.token_id, secret))

    def revoke(self, key_id: int) -> Key:
        """Make a key void for good, with every browser session begun with it.

        Raises:
            UnknownKeyError: There is none of this id.
        """
        key = self.get(key_id)
        if key.revoked is None:
            key = replace(key, revoked=datetime.now(UTC))
            self._change(key_id, revoked=key.revoked)
        return key

    def _change(self, key_id: int, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(**values))
            connection.execute(delete(web_sessions).where(web_sessions.c.key_id == key_id))

    def note_use(self, used: Mapping[int, datetime]) -> None:
        """Store when keys were last used."""
        with self._database.writing() as connection:
            for key_id, at in used.items():
                connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used=at))

    def secrets(self) -> dict[str, tuple[Key, str]]:
        """Every key that was not revoked, with the digest of its secret, by the public part."""
        query = select(api_keys).where(api_keys.c.revoked.is_(None))
        with self._database.reading() as connection:
            return {row.token_id: (_key(row), row.secret_sha256) for row in connection.execute(query)}


def split_token(token: str) -> tuple[str, str] | None:
    """Public part and secret of a key, or None if it has not the form of one."""
    parts = token.split("_", 2)
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == PREFIX else None


def _token(token_id: str, secret: str) -> str:
    return f"{PREFIX}_{token_id}_{secret}"


def _key(row: Row[Any]) -> Key:
    return Key(
        id=row.id,
        name=row.name,
        role=row.role,
        token_id=row.token_id,
        created=row.created,
        rotated=row.rotated,
        expires=row.expires,
        revoked=row.revoked,
        last_used=row.last_used,
    )
