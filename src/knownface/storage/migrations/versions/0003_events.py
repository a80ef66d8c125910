"""What was seen: sightings, attendance, alerts and offered samples."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _create_sightings()
    _create_attendance_sessions()
    _create_attendance_entries()
    _create_alert_rules()
    _create_events()
    _create_offers()


def _create_sightings() -> None:
    op.create_table(
        "sightings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE")),
        sa.Column("unknown", sa.Integer),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_time", sa.Double),
        sa.Column("last_time", sa.Double),
        sa.Column("best_distance", sa.Double),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("quality", sa.Double),
        sa.Column("dismissed", sa.Boolean, nullable=False),
        sa.Column("fingerprint", sa.String(200)),
        sa.Column("embedding", sa.LargeBinary),
        sa.Column("picture", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sightings_last_seen", "sightings", ["last_seen"])
    op.create_index("ix_sightings_person", "sightings", ["person_id", "last_seen"])
    op.create_index("ix_sightings_unknown", "sightings", ["unknown"])


def _create_attendance_sessions() -> None:
    op.create_table(
        "attendance_sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_key", sa.String(800), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True)),
        sa.Column("grace_seconds", sa.Double, nullable=False),
        sa.Column("sources", sa.Text),
        sa.Column("columns", sa.Text, nullable=False),
        sa.Column("strangers", sa.Integer, nullable=False),
        sa.Column("written", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attendance_sessions_name", "attendance_sessions", ["name_key"])


def _create_attendance_entries() -> None:
    op.create_table(
        "attendance_entries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "session_id", sa.Integer, sa.ForeignKey("attendance_sessions.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE")),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("name", sa.String(200)),
        sa.Column("name_key", sa.String(800)),
        sa.Column("external_id", sa.String(200)),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True)),
        sa.Column("last_seen", sa.DateTime(timezone=True)),
        sa.Column("source", sa.Text),
        sa.Column("by_hand", sa.Boolean, nullable=False),
        sa.UniqueConstraint("session_id", "person_id", name="uq_attendance_entries_person"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attendance_entries_name", "attendance_entries", ["name_key"])
    op.create_index("ix_attendance_entries_person", "attendance_entries", ["person_id"])


def _create_alert_rules() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_key", sa.String(800), nullable=False, unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("group_name", sa.String(200)),
        sa.Column("group_key", sa.String(800)),
        sa.Column("source", sa.Text),
        sa.Column("by_time", sa.String(8)),
        sa.Column("days", sa.String(40)),
        sa.Column("time_zone", sa.String(100)),
        sa.Column("cooldown_seconds", sa.Double, nullable=False),
        sa.Column("command", sa.Text),
        sa.Column("timeout_seconds", sa.Double, nullable=False),
        sa.Column("sound", sa.Text),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule_id", sa.Integer, sa.ForeignKey("alert_rules.id", ondelete="SET NULL")),
        sa.Column("rule_name", sa.String(200)),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE")),
        sa.Column("unknown", sa.Integer),
        sa.Column("sighting_id", sa.Integer, sa.ForeignKey("sightings.id", ondelete="CASCADE")),
        sa.Column("source", sa.Text),
        sa.Column("distance", sa.Double),
        sa.Column("threshold", sa.Double),
        sa.Column("frames", sa.Integer),
        sa.Column("outcome", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_person", "events", ["person_id"])
    op.create_index("ix_events_rule", "events", ["rule_id", "at"])
    op.create_index("ix_events_sighting", "events", ["sighting_id"])


def _create_offers() -> None:
    op.create_table(
        "offers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("fingerprint", sa.String(200), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("distance", sa.Double, nullable=False),
        sa.Column("rival_distance", sa.Double),
        sa.Column("quality", sa.Double, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("picture", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_offers_person", "offers", ["person_id", "seen_at"])
