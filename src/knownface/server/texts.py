"""Every text of the page, in one file a language; templates and the page's scripts read the same one."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parent / "static"
LANGUAGE = "en"


@cache
def texts(language: str = LANGUAGE) -> dict[str, Any]:
    """The texts of a language, in groups; a text that depends on a count is a group by Unicode's plural forms."""
    read: dict[str, Any] = json.loads((STATIC / "texts" / f"{language}.json").read_text(encoding="utf-8"))
    return read


def text(key: str, **values: object) -> str:
    """The text of a key such as ``people.title``, with ``{placeholders}`` filled in.

    Args:
        key: Names of groups and of the text, with dots between them.
        **values: For the placeholders; ``count`` chooses the plural form too.

    Raises:
        KeyError: There is no such text.
    """
    found: Any = texts()
    for part in key.split("."):
        found = found[part]
    if isinstance(found, dict):
        found = found["one" if values.get("count") == 1 else "other"]
    for name, value in values.items():
        found = found.replace("{" + name + "}", str(value))
    return str(found)
