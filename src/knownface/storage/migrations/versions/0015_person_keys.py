"""A key for each person of an encrypted gallery, which its backups can leave out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "person_keys",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Index("ix_person_keys_person", "person_id"),
        sqlite_autoincrement=True,
    )
