"""Consents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from knownface.gallery.consents import PURPOSES, Basis, today
from knownface.server.schemas.common import Schema
from knownface.types import Purpose

Purposes = Annotated[list[Purpose], Field(min_length=1, max_length=len(PURPOSES))]


class GivenConsent(Schema):
    """A consent to be written down."""

    given_by: str = Field(default="", max_length=200, description="Empty: the person.")
    guardian: bool = Field(default=False, description="Whether somebody else gave it for the person.")
    basis: Basis = Field(default="consent", description="The legal basis, GDPR Art. 6(1).")
    given_on: date = Field(default_factory=today)
    until: date | None = Field(default=None, description="The last day on which it holds; null: until it is withdrawn.")
    purposes: Purposes = Field(default_factory=lambda: list(PURPOSES))
    document: str = Field(default="", max_length=400, description="Where the signed paper is.")


class ConsentSchema(Schema):
    """A consent that was written down."""

    id: int
    person_id: int
    name: str
    given_by: str
    guardian: bool
    basis: Basis
    given_on: date
    until: date | None
    purposes: list[Purpose]
    document: str
    recorded: datetime
    recorded_by: str
    withdrawn: datetime | None
    valid: bool = Field(description="Whether it holds today.")


class Withdrawn(Schema):
    """What was withdrawn."""

    withdrawn: int = Field(description="How many consents stood.")
