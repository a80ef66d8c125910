"""Consents: who may be enrolled, named and recorded, and what for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("given_by", sa.String(200), nullable=False),
        sa.Column("guardian", sa.Boolean, nullable=False),
        sa.Column("basis", sa.String(30), nullable=False),
        sa.Column("given_on", sa.Date, nullable=False),
        sa.Column("until", sa.Date),
        sa.Column("purposes", sa.String(100), nullable=False),
        sa.Column("document", sa.String(400), nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
        sa.Column("withdrawn", sa.DateTime(timezone=True)),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consents_person", "consents", ["person_id"])
