"""Pairs of people of whom somebody has said that they are two, however alike they look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    person = ("people.id",)
    op.create_table(
        "different_people",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey(*person, ondelete="CASCADE"), nullable=False),
        sa.Column("other_id", sa.Integer, sa.ForeignKey(*person, ondelete="CASCADE"), nullable=False),
        sa.UniqueConstraint("person_id", "other_id", name="uq_different_people"),
        sa.Index("ix_different_people_other", "other_id"),
        sqlite_autoincrement=True,
    )
