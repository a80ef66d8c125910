"""Vectors of several networks, templates that one of them could not be given, and pictures that others can embed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("contracts", sa.Column("in_use", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("template_pictures", sa.Column("face", sa.Text))
    op.create_table(
        "template_vectors",
        sa.Column("template_id", big, sa.ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("contract_id", sa.Integer, sa.ForeignKey("contracts.id"), primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "set_aside_templates",
        sa.Column("id", big, primary_key=True, autoincrement=False),
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
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("new_contract_id", sa.Integer, sa.ForeignKey("contracts.id")),
        sa.Column("new_vector", sa.LargeBinary),
        sa.Column("jpeg", sa.LargeBinary),
        sa.Column("face", sa.Text),
    )
    op.create_index("ix_set_aside_templates_person", "set_aside_templates", ["person_id"])
    op.create_table(
        "former_thresholds",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("contract_id", sa.Integer, sa.ForeignKey("contracts.id"), primary_key=True),
        sa.Column("threshold", sa.Double, nullable=False),
    )
