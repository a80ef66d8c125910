"""Browser sessions: begun with a key, kept as hashes of their tokens, ended by the clock, the user or the key's end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update

from knownface.server.keys import Key, Role, secret_digest
from knownface.storage import Database
from knownface.storage.service_schema import web_sessions

SECURE_COOKIE, PLAIN_COOKIE = "__Host-knownface", "knownface"
"""What a browser keeps the token in, under TLS and without; the first is held to this host, this path and TLS."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it is kept: whose it is and until when."""

    key_id: int
    expires: datetime


def csrf_token(session: str) -> str:
    """What a page sends along with a change, derived from the session's token.

    A page of another site can have the browser send the cookie, but can neither read nor derive this
    (OWASP, "Cross-Site Request Forgery Prevention", token derived by a one-way function).
    """
    return secret_digest(f"csrf {session}")


DEVICE_HOURS: Final = 400 * 24.0
"""A screen at a door is not signed in by hand every day; browsers keep no cookie longer (RFC 6265bis)."""


class SessionStore:
    """The browser sessions in a gallery's database.

    Args:
        database: The gallery's.
        hours: How long they last, but those of keys of the role ``device``, whose screens renew them.
    """

    def __init__(self, database: Database, hours: float) -> None:
        self._database = database
        self._hours = hours

    def hours(self, role: Role) -> float:
        """How long the session of a key lasts."""
        return DEVICE_HOURS if role == "device" else self._hours

    def begin(self, key: Key) -> str:
        """Begin a session with a key; returns its token, of which only the hash is kept."""
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        values = {
            "token_sha256": secret_digest(token),
            "key_id": key.id,
            "created": now,
            "expires": now + timedelta(hours=self.hours(key.role)),
        }
        with self._database.writing() as connection:
            connection.execute(delete(web_sessions).where(web_sessions.c.expires < now))
            connection.execute(insert(web_sessions), values)
        return token

    def renew(self, token: str, role: Role) -> None:
        """Have a session last as long from now as it did at first."""
        expires = datetime.now(UTC) + timedelta(hours=self.hours(role))
        ours = web_sessions.c.token_sha256 == secret_digest(token)
        with self._database.writing() as connection:
            connection.execute(update(web_sessions).where(ours).values(expires=expires))

    def end(self, token: str) -> None:
        """End a session; does nothing if there is none."""
        with self._database.writing() as connection:
            connection.execute(delete(web_sessions).where(web_sessions.c.token_sha256 == secret_digest(token)))

    def all(self) -> dict[str, StoredSession]:
        """Every session that has not expired, by the hash of its token."""
        query = select(web_sessions).where(web_sessions.c.expires > datetime.now(UTC))
        with self._database.reading() as connection:
            return {row.token_sha256: StoredSession(row.key_id, row.expires) for row in connection.execute(query)}
