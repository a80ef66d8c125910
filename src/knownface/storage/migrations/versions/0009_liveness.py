"""How live faces looked, and the calibrated threshold of a liveness check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("sightings", sa.Column("liveness", sa.Double))
    op.create_table(
        "liveness_calibrations",
        sa.Column("fingerprint", sa.String(200), primary_key=True),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("wanted_apcer", sa.Double, nullable=False),
        sa.Column("apcer", sa.Double, nullable=False),
        sa.Column("bpcer", sa.Double, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("calibrated_at", sa.DateTime(timezone=True), nullable=False),
    )
