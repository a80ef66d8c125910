"""The tables of what was seen: sightings, attendance, alerts and offered samples.

They stand on the gallery's metadata, so that a person's removal takes everything of theirs along.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from knownface.storage.schema import UtcDateTime, metadata
from knownface.storage.sealing.columns import Sealed, SealedName, SealedText

META_UNKNOWN_NUMBER = "unknown_number"
"""Key in ``meta``: the last number that was given to an Unknown."""

# A row with a person and an Unknown number was an Unknown whom somebody named: what is recorded later of the same
# track must not take the name away. Large columns stand last (see ``templates``).
sightings = Table(
    "sightings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE")),
    Column("unknown", Integer),
    Column("source", Text, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("first_time", Double),
    Column("last_time", Double),
    Column("best_distance", Double),
    Column("frames", Integer, nullable=False),
    Column("quality", Double),
    Column("liveness", Double),
    Column("dismissed", Boolean, nullable=False),
    Column("fingerprint", String(200)),
    Column("embedding", Sealed("vector")),
    Column("picture", Sealed("picture")),
    Index("ix_sightings_person", "person_id", "last_seen"),
    Index("ix_sightings_last_seen", "last_seen"),
    Index("ix_sightings_unknown", "unknown"),
    sqlite_autoincrement=True,
)

attendance_sessions = Table(
    "attendance_sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_key", String(800), nullable=False),
    Column("opened", UtcDateTime, nullable=False),
    Column("closed", UtcDateTime),
    Column("grace_seconds", Double, nullable=False),
    # JSON: names of sources, or null for every source; names of the guest list's further columns.
    Column("sources", Text),
    Column("columns", Text, nullable=False),
    # Strangers whose sightings are gone, or, once the session is written, all of them.
    Column("strangers", Integer, nullable=False),
    Column("written", Boolean, nullable=False),
    Index("ix_attendance_sessions_name", "name_key"),
    sqlite_autoincrement=True,
)

# Who is expected, and who came. A guest of a list who is not in the gallery has a name and no person; of the others
# the name is the list's, or NULL where the gallery's is meant.
attendance_entries = Table(
    "attendance_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session_id", ForeignKey("attendance_sessions.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE")),
    Column("listed", Boolean, nullable=False),
    Column("name", SealedName("name", 200)),
    Column("name_key", SealedName("name key", 800)),
    Column("external_id", SealedText("external id", 200)),
    Column("facts", SealedText("facts", damaged="{}"), nullable=False),
    Column("first_seen", UtcDateTime),
    Column("last_seen", UtcDateTime),
    Column("source", Text),
    Column("by_hand", Boolean, nullable=False),
    UniqueConstraint("session_id", "person_id", name="uq_attendance_entries_person"),
    Index("ix_attendance_entries_person", "person_id"),
    Index("ix_attendance_entries_name", "name_key"),
    sqlite_autoincrement=True,
)

# A group is named, not referred to: it may lose its last member and come back.
alert_rules = Table(
    "alert_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_key", String(800), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("group_name", String(200)),
    Column("group_key", String(800)),
    Column("source", Text),
    Column("by_time", String(8)),
    Column("days", String(40)),
    Column("time_zone", String(100)),
    Column("cooldown_seconds", Double, nullable=False),
    Column("command", Text),
    Column("timeout_seconds", Double, nullable=False),
    Column("sound", Text),
    Column("created", UtcDateTime, nullable=False),
    Column("confirm", Integer, nullable=False),
    Column("confirm_seconds", Double, nullable=False),
    sqlite_autoincrement=True,
)


def _what_happened() -> list[Column[Any]]:
    return [
        Column("id", Integer, primary_key=True),
        Column("kind", String(20), nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("rule_id", ForeignKey("alert_rules.id", ondelete="SET NULL")),
        Column("rule_name", String(200)),
        Column("person_id", ForeignKey("people.id", ondelete="CASCADE")),
        Column("unknown", Integer),
        Column("sighting_id", ForeignKey("sightings.id", ondelete="CASCADE")),
        Column("source", Text),
        Column("distance", Double),
        Column("threshold", Double),
        Column("frames", Integer),
    ]


# Alerts, and what is told besides, by id in the order in which they may be told: whoever delivers them remembers the
# last id. What people must confirm first is in ``pending_alerts`` until then, so that no way out can tell it.
events = Table(
    "events",
    metadata,
    *_what_happened(),
    Column("outcome", Text),
    Column("confirmed_by", Text),
    Column("session_id", ForeignKey("attendance_sessions.id", ondelete="CASCADE")),
    Index("ix_events_rule", "rule_id", "at"),
    Index("ix_events_person", "person_id"),
    Index("ix_events_sighting", "sighting_id"),
    Index("ix_events_at", "at"),
    Index("ix_events_session", "session_id"),
    sqlite_autoincrement=True,
)

# ``needed`` is the rule's number when the alert was raised: a rule that is changed or removed lets nothing out. What
# was rejected or expired stays, so that it can be asked after; what was confirmed moves to ``events``.
pending_alerts = Table(
    "pending_alerts",
    metadata,
    *_what_happened(),
    Column("needed", Integer, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("state", String(20), nullable=False),
    Column("decided_by", Text),
    Index("ix_pending_alerts_rule", "rule_id", "at"),
    Index("ix_pending_alerts_person", "person_id"),
    Index("ix_pending_alerts_sighting", "sighting_id"),
    Index("ix_pending_alerts_state", "state", "expires"),
    sqlite_autoincrement=True,
)

# ``who`` tells confirmers apart, ``name`` is what they are called.
alert_confirmations = Table(
    "alert_confirmations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert_id", ForeignKey("pending_alerts.id", ondelete="CASCADE"), nullable=False),
    Column("who", String(250), nullable=False),
    Column("name", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("alert_id", "who", name="uq_alert_confirmations_who"),
    sqlite_autoincrement=True,
)

# Pictures that may become templates. Rejected ones stay, without their picture, so that they are not offered again.
offers = Table(
    "offers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("fingerprint", String(200), nullable=False),
    Column("source", Text, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("distance", Double, nullable=False),
    Column("rival_distance", Double),
    Column("quality", Double, nullable=False),
    Column("state", String(20), nullable=False),
    Column("vector", Sealed("vector"), nullable=False),
    Column("picture", Sealed("picture")),
    Index("ix_offers_person", "person_id", "seen_at"),
    sqlite_autoincrement=True,
)
