"""External ids of any length on PostgreSQL, which keeps to the length it is told: sealed ones are longer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("people", "attendance_entries"):
            op.alter_column(table, "external_id", type_=sa.Text, existing_type=sa.String(200))
