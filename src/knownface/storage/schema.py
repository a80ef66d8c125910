"""The tables of a gallery, as the newest migration leaves them.

Migrations are the truth for a database that exists; a test compares the two. Later rooms (sightings, attendance)
add their tables to this metadata with a migration of their own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
    literal_column,
    true,
)

from knownface.storage.sealing.columns import Sealed, SealedName, SealedText

metadata = MetaData()

VERSION_TABLE = "knownface_version"
"""Holds the revision of the schema; not Alembic's usual name, so that no other program's table is taken for it."""

META_GENERATION = "generation"
"""Key in ``meta``: a whole number, one higher after every change of people or templates."""
META_REARRANGED = "rearranged"
"""Key in ``meta``: the generation of the last change of templates that was more than an addition."""
META_STAMP = "stamp"
"""Key in ``meta``: a random text, new after every change of templates; what a saved index is matched with. A
number alone would not do: two copies of a gallery that were changed apart reach the same number."""
META_SPREAD = "spread"
"""Key in ``meta``: how alike the people are to each other, as JSON; see :mod:`knownface.gallery.spread`."""
META_CONSENT = "consent"
"""Key in ``meta``: ``required`` where nobody may be enrolled, named or recorded without consent; else absent."""
META_CONSENTS = "consents"
"""Key in ``meta``: a random text, new after every change of consents."""
META_SETTINGS = "settings"
"""Key in ``meta``: settings of the gallery's own, as JSON; see :mod:`knownface.gallery.own_settings`."""
META_SEAL = "seal"
"""Key in ``meta`` of an encrypted gallery: its data key, wrapped; see :mod:`knownface.storage.sealing.sealer`."""
META_DATA_KEY = "data key"
"""Key in ``meta`` of an encrypted gallery: which data key its records are sealed with."""
META_PERSON_SEAL = "person seal"
"""Key in ``meta`` of a backup whose people are sealed by keys of their own: no gallery until it is restored."""
META_SCRUB = "scrub"
"""Key in ``meta``: present while something was removed whose traces are not yet overwritten."""


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, timezone-aware in Python and UTC in the database, also where it keeps no zones (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """To UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


meta = Table(
    "meta",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)

# One is in use: every row of ``templates`` is its. Of the others vectors are kept (``template_vectors``): of those that
# were in use before, and of one that is on its way.
contracts = Table(
    "contracts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("dim", Integer, nullable=False),
    Column("crop", String(20), nullable=False),
    Column("fingerprint", String(200), nullable=False, unique=True),
    Column("licence", Text, nullable=False),
    Column("k1", Integer, nullable=False),
    Column("k2", Integer, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("margin", Double, nullable=False),
    Column("calibrated", Boolean, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("in_use", Boolean, nullable=False, server_default=true()),
)

people = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", SealedName("name", 200), nullable=False),
    Column("name_key", SealedName("name key", 800), nullable=False, unique=True),
    Column("external_id", SealedText("external id", 200), unique=True),
    Column("threshold", Double),
    Column("created", UtcDateTime, nullable=False),
    Column("until", Date),
    sqlite_autoincrement=True,
)

groups = Table(
    "groups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_key", String(800), nullable=False, unique=True),
    sqlite_autoincrement=True,
)

person_groups = Table(
    "person_groups",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_person_groups_group", "group_id"),
)


def _face_of_a_source() -> list[Column[Any]]:
    """Where a face is from, by which it can be found again, and how good its picture is."""
    return [
        Column("source", SealedName("source"), nullable=False),
        Column("source_sha256", String(64), nullable=False),
        Column("face_index", Integer, nullable=False),
        Column("frame_time", Double),
        Column("box_x", Double),
        Column("box_y", Double),
        Column("box_width", Double),
        Column("box_height", Double),
        Column("quality", Double),
    ]


# The vector stands last: SQLite then reads the other columns without walking through a vector's overflow pages.
templates = Table(
    "templates",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("contract_id", ForeignKey("contracts.id"), nullable=False),
    Column("negative", Boolean, nullable=False),
    *_face_of_a_source(),
    Column("created", UtcDateTime, nullable=False),
    Column("vector", Sealed("vector"), nullable=False),
    Index("ix_templates_person", "person_id", "negative"),
    Index("ix_templates_source", "source_sha256"),
    sqlite_autoincrement=True,
)

# NULLs are never equal to each other, so a still photo counts as time -1 here.
Index(
    "uq_templates_face",
    templates.c.person_id,
    templates.c.source_sha256,
    func.coalesce(templates.c.frame_time, literal_column("-1.0")),
    templates.c.face_index,
    templates.c.contract_id,
    templates.c.negative,
    unique=True,
)

# Few rows of many: without it, finding them would mean reading all. On PostgreSQL it is partial too, as the migration
# makes it; saying so here would load that dialect, which takes a short command longer than its work.
Index("ix_templates_negative", templates.c.id, sqlite_where=templates.c.negative.is_(True))

# Of networks that are not in use; the one in use has its vectors in ``templates``.
template_vectors = Table(
    "template_vectors",
    metadata,
    Column("template_id", ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("contract_id", ForeignKey("contracts.id"), primary_key=True),
    Column("vector", Sealed("vector"), nullable=False),
)

# The face that a template was made from, with ground around it, where it is kept. ``face`` is JSON: the box, and
# landmarks where they are known, in pixels of this picture; NULL for pictures of earlier versions, which are smaller.
template_pictures = Table(
    "template_pictures",
    metadata,
    Column("template_id", ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("jpeg", Sealed("picture"), nullable=False),
    Column("face", Text),
)

# Templates of a network before, whose faces were not found again for the one in use: not searched, not lost. They keep
# their ids. ``new_vector`` waits for a network that is on its way.
set_aside_templates = Table(
    "set_aside_templates",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("contract_id", ForeignKey("contracts.id"), nullable=False),
    Column("negative", Boolean, nullable=False),
    *_face_of_a_source(),
    Column("created", UtcDateTime, nullable=False),
    Column("reason", SealedName("detail"), nullable=False),
    Column("vector", Sealed("vector"), nullable=False),
    Column("new_contract_id", ForeignKey("contracts.id")),
    Column("new_vector", Sealed("vector")),
    Column("jpeg", Sealed("picture")),
    Column("face", Text),
    Index("ix_set_aside_templates_person", "person_id"),
)

# People's own thresholds, as distances of networks that are not in use.
former_thresholds = Table(
    "former_thresholds",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("contract_id", ForeignKey("contracts.id"), primary_key=True),
    Column("threshold", Double, nullable=False),
)

# What happened to templates and people, so that whoever has a copy need not compare it with everything. Triggers write
# it, cascades included; the last row of a change of templates has the stamp that the change left. Additions are not
# told: ids only ever grow.
changes = Table(
    "changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", BigInteger().with_variant(Integer, "sqlite")),
    Column("stamp", String(40)),
    sqlite_autoincrement=True,
)

CHANGE_STATE = "state"
"""Kind of a row of ``changes``: templates were changed, and ``stamp`` is the gallery's from now on."""
CHANGE_REMOVED = "removed"
"""A template, of the id ``subject``, was removed."""
CHANGE_NEGATIVE_REMOVED = "negative removed"
"""A counter-example was removed."""
CHANGE_MOVED = "moved"
"""A template or counter-example was given to another person."""
CHANGE_PERSON = "person"
"""A person was renamed, got another threshold, or was removed."""

refusals = Table(
    "refusals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name_key", SealedName("name key", 800), nullable=False),
    Column("source_sha256", String(64), nullable=False),
    Column("review_key", String(200), nullable=False),
    Column("reason", String(100), nullable=False),
    Column("detail", SealedName("detail"), nullable=False),
    Column("source", SealedName("source"), nullable=False),
    UniqueConstraint("name_key", "source_sha256", "review_key", name="uq_refusals_file"),
)

# Faces held back from enrolment until somebody decides, a row each; a file's are decided together. What was rejected
# stays, without embedding and picture, so that its file is not offered again.
held = Table(
    "held",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("fingerprint", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", String(100), nullable=False),
    Column("detail", SealedName("detail"), nullable=False),
    *_face_of_a_source(),
    Column("held_at", UtcDateTime, nullable=False),
    Column("vector", Sealed("vector")),
    Column("picture", Sealed("picture")),
    Index("ix_held_person", "person_id", "source_sha256"),
    sqlite_autoincrement=True,
)

# Who may be enrolled, named and recorded. ``key`` is the same in every copy of the gallery, so that a restored backup
# can be told which of its consents stand no more. ``purposes`` is a list with commas.
consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("given_by", SealedName("name", 200), nullable=False),
    Column("guardian", Boolean, nullable=False),
    Column("basis", String(30), nullable=False),
    Column("given_on", Date, nullable=False),
    Column("until", Date),
    Column("purposes", String(100), nullable=False),
    Column("document", SealedName("document", 400), nullable=False),
    Column("recorded", UtcDateTime, nullable=False),
    Column("recorded_by", String(200), nullable=False),
    Column("withdrawn", UtcDateTime),
    Index("ix_consents_person", "person_id"),
    sqlite_autoincrement=True,
)

# What an encrypted gallery's backups are sealed by, person by person, where they hold no keys. A person who was joined
# with another keeps their key there, so that both go together.
person_keys = Table(
    "person_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("secret", Sealed("person key"), nullable=False),
    Index("ix_person_keys_person", "person_id"),
    sqlite_autoincrement=True,
)

# One row at most: a new calibration replaces the old one.
calibrations = Table(
    "calibrations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", String(200), nullable=False),
    Column("k1", Integer, nullable=False),
    Column("k2", Integer, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("margin", Double, nullable=False),
    Column("wanted_fpir", Double, nullable=False),
    Column("fpir_bound", Double, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("people", Integer, nullable=False),
    Column("templates", Integer, nullable=False),
    Column("last_person", Integer, nullable=False),
    Column("last_template", Integer, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("calibrated_at", UtcDateTime, nullable=False),
)

liveness_calibrations = Table(
    "liveness_calibrations",
    metadata,
    Column("fingerprint", String(200), primary_key=True),
    Column("threshold", Double, nullable=False),
    Column("wanted_apcer", Double, nullable=False),
    Column("apcer", Double, nullable=False),
    Column("bpcer", Double, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("calibrated_at", UtcDateTime, nullable=False),
)
