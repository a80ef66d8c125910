"""The calibration of a gallery: parameters for the false alarms that its owner accepts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "calibrations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("fingerprint", sa.String(200), nullable=False),
        sa.Column("k1", sa.Integer, nullable=False),
        sa.Column("k2", sa.Integer, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("margin", sa.Double, nullable=False),
        sa.Column("wanted_fpir", sa.Double, nullable=False),
        sa.Column("fpir_bound", sa.Double, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("templates", sa.Integer, nullable=False),
        sa.Column("last_person", sa.Integer, nullable=False),
        sa.Column("last_template", sa.Integer, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("calibrated_at", sa.DateTime(timezone=True), nullable=False),
    )
