"""The log of changes, by which copies of the templates follow at any size, and an index of the counter-examples."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# Name, event, condition, kind and subject of each trigger.
_TRIGGERS = (
    ("tr_templates_removed", "DELETE ON templates", "NOT OLD.negative", "removed", "OLD.id"),
    ("tr_templates_negative_removed", "DELETE ON templates", "OLD.negative", "negative removed", "OLD.id"),
    (
        "tr_templates_moved",
        "UPDATE OF person_id ON templates",
        "OLD.person_id <> NEW.person_id",
        "moved",
        "NEW.id",
    ),
    ("tr_people_changed", "UPDATE OF name, threshold ON people", "OLD.id = NEW.id", "person", "NEW.id"),
    ("tr_people_removed", "DELETE ON people", "OLD.id > 0", "person", "OLD.id"),
)


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "changes",
        sa.Column("id", big, primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", big),
        sa.Column("stamp", sa.String(40)),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_templates_negative",
        "templates",
        ["id"],
        sqlite_where=sa.text("negative IS 1"),
        postgresql_where=sa.text("negative IS true"),
    )
    for trigger in _TRIGGERS:
        if op.get_bind().dialect.name == "postgresql":
            _create_on_postgresql(*trigger)
        else:
            _create_on_sqlite(*trigger)


def _create_on_sqlite(name: str, event: str, condition: str, kind: str, subject: str) -> None:
    told = f"INSERT INTO changes (kind, subject) VALUES ('{kind}', {subject});"  # noqa: S608 - written above
    op.execute(f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW WHEN {condition} BEGIN {told} END")


def _create_on_postgresql(name: str, event: str, condition: str, kind: str, subject: str) -> None:
    told = f"INSERT INTO changes (kind, subject) VALUES ('{kind}', {subject});"  # noqa: S608
    body = f"BEGIN {told} RETURN NULL; END"
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    op.execute(f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()")
