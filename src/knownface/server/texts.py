"""Every text of the page, in one file a language; templates and the page's scripts read the same one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

STATIC = Path(__file__).parent / "static"
PluralForm: TypeAlias = Literal["one", "few", "other"]

DAYS: Final = {
    "en": "%-d %b %Y",
    "de": "%d.%m.%Y",
    "es": "%-d/%-m/%Y",
    "fr": "%d/%m/%Y",
    "hr": "%-d. %-m. %Y.",
    "it": "%d/%m/%Y",
}
"""How each language writes a day."""
_SEPARATORS: Final = {"en": ",.", "de": ".,", "es": ".,", "fr": "\u202f,", "hr": ".,", "it": ".,"}
"""Between thousands, and before decimals."""
_UNGROUPED: Final = {"es": 4, "it": 4}
"""Digits up to which a number has no groups."""


def _one(count: int) -> PluralForm:
    return "one" if count == 1 else "other"


def _one_or_none(count: int) -> PluralForm:
    return "one" if count in {0, 1} else "other"


def _croatian(count: int) -> PluralForm:
    if count % 10 == 1 and count % 100 != 11:
        return "one"
    return "few" if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else "other"


PLURALS: Final[dict[str, Callable[[int], PluralForm]]] = {
    "en": _one,
    "de": _one,
    "es": _one,
    "fr": _one_or_none,
    "hr": _croatian,
    "it": _one,
}
"""Which form a whole number takes (Unicode CLDR, "Language Plural Rules"; "many", for whole millions, is left out)."""


@cache
def languages() -> dict[str, str]:
    """The languages of the page, and what each calls itself."""
    found = sorted(file.stem for file in (STATIC / "texts").glob("*.json"))
    return {language: texts(language)["name"] for language in found}


@cache
def texts(language: str) -> dict[str, Any]:
    """The texts of a language, in groups; a text that depends on a count is a group by Unicode's plural forms."""
    read: dict[str, Any] = json.loads((STATIC / "texts" / f"{language}.json").read_text(encoding="utf-8"))
    return read


def text(language: str, key: str, /, **values: object) -> str:
    """The text of a key such as ``people.title``, with ``{placeholders}`` filled in.

    Args:
        language: One of :func:`languages`.
        key: Names of groups and of the text, with dots between them.
        **values: For the placeholders; ``count`` chooses the plural form too, and is written as a number is.

    Raises:
        KeyError: There is no such text.
    """
    found: Any = texts(language)
    for part in key.split("."):
        found = found[part]
    count = values.get("count")
    if isinstance(found, dict):
        found = found[PLURALS[language](count if isinstance(count, int) else 0)]
    if isinstance(count, int):
        values["count"] = number(language, count)
    for name, value in values.items():
        found = found.replace("{" + name + "}", str(value))
    return str(found)


def number(language: str, value: float, digits: int = 0) -> str:
    """A number as a language writes it, with so many decimals."""
    separators = _SEPARATORS[language]
    written = f"{value:,.{digits}f}"
    if abs(value) < 10 ** _UNGROUPED.get(language, 0):
        written = written.replace(",", "")
    return written.translate({ord(","): separators[0], ord("."): separators[1]})


def day(language: str, value: date) -> str:
    """A day as a language writes it, in numbers."""
    return value.strftime(DAYS[language])


def preferred_language(accepted: str, default: str) -> str:
    """The language of the page that a browser would rather have.

    Args:
        accepted: Its header ``Accept-Language`` (RFC 9110, section 12.5.4).
        default: For one that wants none of the page's languages.
    """
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:_LISTED]):
        tag, _, weight = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language in languages() and quality > 0:
            wanted.append((-quality, place, language))
    return min(wanted)[2] if wanted else default


_LISTED = 20
"""Languages that a browser is believed to want."""
