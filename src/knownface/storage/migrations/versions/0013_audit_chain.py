"""Each entry of the audit log carries a digest of itself and of the entry before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("audit_log", sa.Column("digest", sa.String(64)))
