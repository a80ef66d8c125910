"""The tables of the service: keys, browser sessions, the audit log, webhooks, watched sources.

They stand on the gallery's metadata.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from knownface.storage.events_schema import attendance_sessions
from knownface.storage.schema import UtcDateTime, metadata

# A key is never deleted, so that the audit log can always say whose it was; it is revoked.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("token_id", String(20), nullable=False, unique=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("rotated", UtcDateTime),
    Column("expires", UtcDateTime),
    Column("revoked", UtcDateTime),
    Column("last_used", UtcDateTime),
    sqlite_autoincrement=True,
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("key_id", ForeignKey("api_keys.id", ondelete="CASCADE"), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Index("ix_web_sessions_key", "key_id"),
)

META_AUDIT_BEGINS = "audit_begins"
"""Key in ``meta``: the digest that the oldest entry of the audit log that is kept continues; "" is the beginning."""

# ``digest`` chains the entries; those of earlier versions have none.
# Numbers, never names: what is left of a removed person here says who removed somebody and when, not whom.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("key_id", ForeignKey("api_keys.id")),
    Column("actor", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("address", String(100), nullable=False),
    Column("action", String(50), nullable=False),
    Column("subject_id", Integer),
    Column("details", Text, nullable=False),
    Column("digest", String(64)),
    Index("ix_audit_log_at", "at"),
    Index("ix_audit_log_action", "action"),
    sqlite_autoincrement=True,
)

# ``last_event`` is the id of the last event delivered: what comes after it waits in the table ``events``. The secret
# lies open, since every delivery is signed with it.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", String(100), nullable=False),
    Column("kinds", Text),
    Column("active", Boolean, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("last_event", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_attempt", UtcDateTime),
    Column("delivered", UtcDateTime),
    Column("error", Text),
    sqlite_autoincrement=True,
)

# Cameras and streams that the service watches. The address may hold a password, which no answer ever shows.
watched_sources = Table(
    "watched_sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("running", Boolean, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

# The screens at doors. A row outlives its key and its session: what its source saw counts in no other session ever.
attendance_kiosks = Table(
    "attendance_kiosks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key_id", ForeignKey(api_keys.c.id, ondelete="SET NULL")),
    Column("session_id", ForeignKey(attendance_sessions.c.id, ondelete="SET NULL")),
    Column("source", String(250), nullable=False, unique=True),
    Column("pin", String(200), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Index("ix_attendance_kiosks_key", "key_id"),
    Index("ix_attendance_kiosks_session", "session_id"),
    sqlite_autoincrement=True,
)
