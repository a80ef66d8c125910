"""Events besides alerts: sightings, check-ins, check-outs, enrolments; earlier webhooks go on getting alerts only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    session = sa.ForeignKey("attendance_sessions.id", ondelete="CASCADE", name="fk_events_session")
    with op.batch_alter_table("events", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("session_id", sa.Integer, session))
    op.create_index("ix_events_session", "events", ["session_id"])
    webhooks = sa.table("webhooks", sa.column("kinds"))
    alerts = '["seen", "missing", "unknown"]'
    op.get_bind().execute(sa.update(webhooks).where(webhooks.c.kinds.is_(None)).values(kinds=alerts))
