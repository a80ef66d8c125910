"""Alerts that wait until people have confirmed them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("alert_rules", sa.Column("confirm", sa.Integer, nullable=False, server_default="0"))
    op.add_column("alert_rules", sa.Column("confirm_seconds", sa.Double, nullable=False, server_default="3600"))
    op.add_column("events", sa.Column("confirmed_by", sa.Text))
    op.create_table(
        "pending_alerts",
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
        sa.Column("needed", sa.Integer, nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Index("ix_pending_alerts_rule", "rule_id", "at"),
        sa.Index("ix_pending_alerts_person", "person_id"),
        sa.Index("ix_pending_alerts_sighting", "sighting_id"),
        sa.Index("ix_pending_alerts_state", "state", "expires"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alert_confirmations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alert_id", sa.Integer, sa.ForeignKey("pending_alerts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("who", sa.String(250), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("alert_id", "who", name="uq_alert_confirmations_who"),
        sqlite_autoincrement=True,
    )
