"""What several groups of routes use."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Generic, TypeAlias, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from knownface.errors import BadRequestError

Item = TypeVar("Item")

_LARGEST = 2**31 - 1
_LARGEST_TEMPLATE = 2**53 - 1

PersonId: TypeAlias = Annotated[int, Path(ge=1, le=_LARGEST, description="Id of a person.")]
TemplateId: TypeAlias = Annotated[int, Path(ge=1, le=_LARGEST_TEMPLATE, description="Id of a template.")]
Number: TypeAlias = Annotated[int, Path(ge=1, le=_LARGEST)]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor: TypeAlias = Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")]
SearchText: TypeAlias = Annotated[str | None, Query(max_length=200)]


def short_source(source: str) -> str:
    """Where something is from, without the path of the folder on the server: file and folder of it are enough."""
    parts = source.replace("\\", "/").split("/")
    return source if len(parts) < 3 or "://" in source else "/".join(parts[-2:])


ShortSource: TypeAlias = Annotated[str, AfterValidator(short_source)]


class Schema(BaseModel):
    """The base of requests and responses; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Page(Schema, Generic[Item]):
    """Some of many things."""

    items: list[Item]
    next: str | None = Field(description="Give it as `cursor` for what comes next; null: there is no more.")


class BoxSchema(Schema):
    """A rectangle in pixels of the picture; `x` and `y` are its upper left corner."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"x": 184.0, "y": 61.5, "width": 98.2, "height": 131.0}]})

    x: float
    y: float
    width: float
    height: float


def cursor_after(last: str | int) -> str:
    """What names the place after which the next page begins."""
    return base64.urlsafe_b64encode(str(last).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> str | None:
    """The other way round.

    Raises:
        BadRequestError: No answer said this.
    """
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise BadRequestError("The cursor is none that was given out.", "Give `next` of the page before.") from error


def place_cursor(name: str, row_id: int) -> str:
    """What names the place of a row that is a person's, in the order of names."""
    return cursor_after(f"{row_id} {name}")


def read_place_cursor(cursor: str | None) -> tuple[str, int] | None:
    """The name and the number of :func:`place_cursor`.

    Raises:
        BadRequestError: No answer said this.
    """
    text = read_cursor(cursor)
    if text is None:
        return None
    number, _, name = text.partition(" ")
    return name, _as_number(number)


def read_number_cursor(cursor: str | None) -> int | None:
    """A cursor that is a number.

    Raises:
        BadRequestError: No answer said this.
    """
    text = read_cursor(cursor)
    if text is None:
        return None
    return _as_number(text)


def _as_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadRequestError("The cursor is none that was given out.", "Give `next` of the page before.")
    return int(text)
