"""The page of a report: its template, and how numbers, texts and pictures stand on it."""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PilImage

from knownface.errors import MissingExtraError
from knownface.types import Image

if TYPE_CHECKING:
    from jinja2 import Template

PICTURE_SIDE = 160
"""Longest side of a picture on the page, in pixels."""
_LONG_TEXT = 50
"""Letters beyond which a cell is a sentence, which gets a column wide enough to be read on a phone."""


def page_template() -> Template:
    """The template; takes ``report``, ``plots``, ``folder``, ``long_table``, ``made`` and ``versions``.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader
    except ImportError as error:
        raise MissingExtraError("Reports need jinja2, which is not installed.", "evaluation") from error
    environment = Environment(
        loader=PackageLoader("knownface.evaluation"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(cell=_cell_text, kind=_cell_kind, picture=_picture_uri, paragraphs=_paragraphs)
    environment.tests.update(number_like=_is_number, pictured=lambda value: hasattr(value, "image"))
    return environment.get_template("report.html")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _cell_text(value: Any, form: str = ".4g") -> str:
    if value is None:
        return "–"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if not _is_number(value):
        return str(value)
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if isinstance(value, (int, np.integer)) and form == ".4g":
        return f"{value:,}"
    return format(float(value), form)


def _cell_kind(value: Any) -> str:
    """How the page lays a cell out: the class of its element."""
    if _is_number(value):
        return "number"
    return "long" if isinstance(value, str) and len(value) > _LONG_TEXT else "other"


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def data_uri(content: bytes, kind: str) -> str:
    """Content that stands in the page itself (RFC 2397)."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _picture_uri(image: Image) -> str:
    shown = PilImage.fromarray(np.ascontiguousarray(image))
    shown.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=82)
    return data_uri(buffer.getvalue(), "image/jpeg")
