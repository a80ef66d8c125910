"""Browser sessions: begun with a key, kept as hashes of their tokens, ended by the clock, the user or the key's end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select

from knownface.server.keys import secret_digest
from knownface.storage import Database
from knownface.storage.service_schema import web_sessions


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


class SessionStore:
    """The browser sessions in a gallery's database."""

    def __init__(self, database: Database, hours: float) -> None:
        self._database = database
        self._hours = hours

    def begin(self, key_id: int) -> str:
        """Begin a session with a key; returns its token, of which only the hash is kept."""
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        values = {
            "token_sha256": secret_digest(token),
            "key_id": key_id,
            "created": now,
            "expires": now + timedelta(hours=self._hours),
        }
        with self._database.writing() as connection:
            connection.execute(delete(web_sessions).where(web_sessions.c.expires < now))
            connection.execute(insert(web_sessions), values)
        return token

    def end(self, token: str) -> None:
        """End a session; does nothing if there is none."""
        with self._database.writing() as connection:
            connection.execute(delete(web_sessions).where(web_sessions.c.token_sha256 == secret_digest(token)))

    def all(self) -> dict[str, StoredSession]:
        """Every session that has not expired, by the hash of its token."""
        query = select(web_sessions).where(web_sessions.c.expires > datetime.now(UTC))
        with self._database.reading() as connection:
            return {row.token_sha256: StoredSession(row.key_id, row.expires) for row in connection.execute(query)}
