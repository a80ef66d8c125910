"""Receipts of removals."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from knownface.server.schemas.common import Schema


class ReceiptText(Schema):
    """A receipt to be checked."""

    text: str = Field(max_length=100_000, description="The JSON file, every character of it.")


class VerifiedReceipt(Schema):
    """A receipt that is as it was signed."""

    fingerprint: str = Field(description="Of the key that signed it.")
    statement: dict[str, Any] = Field(description="What was signed.")
