"""What was edited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from knownface.server.schemas.common import Schema


class EditSchema(Schema):
    """Something that was done and can be undone, or the undoing of it."""

    id: int
    at: datetime
    kind: str = Field(description="change, merge, split, move, not, import, name-unknown, dismiss, calibrate or undo.")
    text: str = Field(description="What was done, with the names of that time.")
    said: list[dict[str, Any]] = Field(description="The same in parts: a key, and names and numbers of that time.")
    undone: bool
    undoes: int | None = Field(description="Of an undoing: the edit that it undid.")
    can_be_undone: bool = Field(description="Edits since of the same people may still be in the way.")
