"""People, groups, templates, contracts, refusals and the bookkeeping of the index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    meta = op.create_table(
        "meta",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.bulk_insert(
        meta,
        [
            {"key": "generation", "value": "0"},
            {"key": "rearranged", "value": "0"},
            {"key": "stamp", "value": "0"},
        ],
    )
    op.create_table(
        "contracts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("dim", sa.Integer, nullable=False),
        sa.Column("crop", sa.String(20), nullable=False),
        sa.Column("fingerprint", sa.String(200), nullable=False, unique=True),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("k1", sa.Integer, nullable=False),
        sa.Column("k2", sa.Integer, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("margin", sa.Double, nullable=False),
        sa.Column("calibrated", sa.Boolean, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
    _create_people()
    _create_templates()
    op.create_table(
        "refusals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name_key", sa.String(800), nullable=False),
        sa.Column("source_sha256", sa.String(64), nullable=False),
        sa.Column("review_key", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.UniqueConstraint("name_key", "source_sha256", "review_key", name="uq_refusals_file"),
    )


def _create_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_key", sa.String(800), nullable=False, unique=True),
        sa.Column("external_id", sa.String(200), unique=True),
        sa.Column("threshold", sa.Double),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_key", sa.String(800), nullable=False, unique=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "person_groups",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("group_id", sa.Integer, sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("ix_person_groups_group", "person_groups", ["group_id"])


def _create_templates() -> None:
    op.create_table(
        "templates",
        # On a server an id is used up even by a template that is there already.
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("contract_id", sa.Integer, sa.ForeignKey("contracts.id"), nullable=False),
        sa.Column("negative", sa.Boolean, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_sha256", sa.String(64), nullable=False),
        sa.Column("face_index", sa.Integer, nullable=False),
        sa.Column("frame_time", sa.Double),
        sa.Column("box_x", sa.Double),
        sa.Column("box_y", sa.Double),
        sa.Column("box_width", sa.Double),
        sa.Column("box_height", sa.Double),
        sa.Column("quality", sa.Double),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_templates_person", "templates", ["person_id", "negative"])
    op.create_index("ix_templates_source", "templates", ["source_sha256"])
    op.create_index(
        "uq_templates_face",
        "templates",
        [
            "person_id",
            "source_sha256",
            sa.text("coalesce(frame_time, -1.0)"),
            "face_index",
            "contract_id",
            "negative",
        ],
        unique=True,
    )
