"""Kiosks: the screens at doors, each with its key, session and source."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "attendance_kiosks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key_id", sa.Integer, sa.ForeignKey("api_keys.id", ondelete="SET NULL")),
        sa.Column("session_id", sa.Integer, sa.ForeignKey("attendance_sessions.id", ondelete="SET NULL")),
        sa.Column("source", sa.String(250), nullable=False, unique=True),
        sa.Column("pin", sa.String(200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Index("ix_attendance_kiosks_key", "key_id"),
        sa.Index("ix_attendance_kiosks_session", "session_id"),
        sqlite_autoincrement=True,
    )
