"""The tables by which mistakes are put right: edits to undo, files taken out for good, former names, who is not whom.

They hold ids, names and digests, never an embedding or a picture, and go with the people whom they are about.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from knownface.storage.schema import UtcDateTime, metadata
from knownface.storage.sealing.columns import SealedName, SealedText

# What an edit did to rows, as JSON (see knownface.storage.row_changes). The undoing of an edit is an edit too, which
# names the one that it undid.
edits = Table(
    "edits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", SealedText("edit", damaged="(damaged)"), nullable=False),
    Column("undoes", Integer, unique=True),
    Column("details", SealedText("edit", damaged=""), nullable=False),
    Index("ix_edits_at", "at"),
    sqlite_autoincrement=True,
)

SUBJECT_PERSON, SUBJECT_UNKNOWN, SUBJECT_SESSION = "person", "unknown", "session"
"""Kinds of what an edit is about: people, Unknowns, and attendance sessions whose entries it joined."""
SUBJECT_CALIBRATION = "calibrated"
"""A calibration of the gallery: its number is 0 for that of its rule, 1 for those of liveness."""

# Not a foreign key: who was joined into another is gone, and still a subject.
edit_subjects = Table(
    "edit_subjects",
    metadata,
    Column("edit_id", ForeignKey("edits.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("number", Integer, primary_key=True),
    Index("ix_edit_subjects_number", "kind", "number"),
)

# Files that were taken out of a person's: an enrolment does not bring them back.
exclusions = Table(
    "exclusions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("source", SealedName("source"), nullable=False),
    Column("source_sha256", String(64), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    UniqueConstraint("person_id", "source_sha256", name="uq_exclusions_file"),
    sqlite_autoincrement=True,
)

# Names that people had before they were renamed or joined, so that folders of these names still mean them.
former_names = Table(
    "former_names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("name", SealedName("name", 200), nullable=False),
    Column("name_key", SealedName("name key", 800), nullable=False, unique=True),
    Index("ix_former_names_person", "person_id"),
    sqlite_autoincrement=True,
)

# Pairs of people who are two, however alike they look; the smaller id stands first.
different_people = Table(
    "different_people",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("other_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    UniqueConstraint("person_id", "other_id", name="uq_different_people"),
    Index("ix_different_people_other", "other_id"),
    sqlite_autoincrement=True,
)
