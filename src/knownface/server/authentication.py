"""Authentication: whose key or browser session a request carries."""

from __future__ import annotations

import hmac
import threading
from datetime import UTC, datetime

from knownface.server.keys import Key, KeyStore, secret_digest, split_token
from knownface.server.sessions import SessionStore, StoredSession


class Authenticator:
    """Keeps every key and session in memory, so that a request costs no query.

    :meth:`refresh` is called every second, and at once after a change made here; so what the command line revokes
    is void within a second.
    """

    def __init__(self, keys: KeyStore, sessions: SessionStore) -> None:
        self._store, self._session_store = keys, sessions
        self._keys: dict[str, tuple[Key, str]] = {}
        self._by_id: dict[int, Key] = {}
        self._sessions: dict[str, StoredSession] = {}
        self._used: dict[int, datetime] = {}
        self._lock = threading.Lock()
        self.refresh()

    def refresh(self) -> None:
        """Read keys and sessions anew."""
        with self._lock:
            keys, sessions = self._store.secrets(), self._session_store.all()
            self._by_id = {key.id: key for key, _ in keys.values()}
            self._keys, self._sessions = keys, sessions

    def knows(self, token: str) -> bool:
        """Whether there is a key of this public part, or a browser session of this token, valid or not any more."""
        parts = split_token(token)
        return secret_digest(token) in self._sessions if parts is None else parts[0] in self._keys

    def by_token(self, token: str) -> Key | None:
        """The key of a token, if it is valid."""
        parts = split_token(token)
        if parts is None:
            return None
        key, digest = self._keys.get(parts[0], (None, ""))
        same = hmac.compare_digest(secret_digest(parts[1]), digest)
        return self._valid(key if same else None)

    def by_session(self, token: str) -> Key | None:
        """The key with which a browser session was begun, if both are valid."""
        session = self._sessions.get(secret_digest(token))
        if session is None or session.expires <= datetime.now(UTC):
            return None
        return self._valid(self._by_id.get(session.key_id))

    def _valid(self, key: Key | None) -> Key | None:
        now = datetime.now(UTC)
        if key is None or not key.valid(now):
            return None
        self._used[key.id] = now.replace(second=0, microsecond=0)
        return key

    def store_uses(self) -> None:
        """Store which keys were used since the last call."""
        used, self._used = self._used, {}
        known = self._by_id
        fresh = {i: at for i, at in used.items() if i in known and known[i].last_used != at}
        if fresh:
            self._store.note_use(fresh)
