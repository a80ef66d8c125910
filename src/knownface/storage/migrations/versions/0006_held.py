"""Pictures held back from enrolment until somebody decides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "held",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("fingerprint", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_sha256", sa.String(64), nullable=False),
        sa.Column("face_index", sa.Integer, nullable=False),
        sa.Column("frame_time", sa.Double),
        sa.Column("box_x", sa.Double),
        sa.Column("box_y", sa.Double),
        sa.Column("box_width", sa.Double),
        sa.Column("box_height", sa.Double),
        sa.Column("quality", sa.Double),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vector", sa.LargeBinary),
        sa.Column("picture", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_held_person", "held", ["person_id", "source_sha256"])
