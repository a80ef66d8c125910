"""Every text of the page stands in the one file, and every text there is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from knownface.server.texts import STATIC, text, texts

TEMPLATES = STATIC.parent / "templates"
_USED = re.compile(r"""\bt\(\s*["'`]([\w.\-]+)["'`$]""")


def _all(group: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in group.items():
        key = f"{before}{name}"
        if isinstance(value, dict) and set(value) != {"one", "other"}:
            yield from _all(value, f"{key}.")
        else:
            yield key


def _sources() -> list[Path]:
    return [*TEMPLATES.glob("*.html"), *(STATIC / "js").glob("*.js")]


def test_every_text_that_is_asked_for_is_there() -> None:
    keys = set(_all(texts()))
    asked = {key for source in _sources() for key in _USED.findall(source.read_text(encoding="utf-8"))}
    assert len(asked) > 200
    for key in asked:
        if key.endswith((".", "_")):  # the rest of the key is made at run time
            assert any(known.startswith(key) for known in keys), key
        else:
            assert key in keys, key


def test_plural_forms_and_placeholders() -> None:
    assert text("people.count", count=1) == "1 person is known."
    assert text("people.count", count=2) == "2 people are known."
    assert text("live.unknown", number=7) == "Unknown 7"
    with pytest.raises(KeyError):
        text("people.nothing")


def test_no_page_holds_inline_scripts_or_styles() -> None:
    for template in TEMPLATES.glob("*.html"):
        html = template.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", html), template.name
        assert not re.search(r"""\s(style|on[a-z]+)=["']""", html), template.name
        assert "|safe" not in html.replace(" ", ""), template.name
    for script in (STATIC / "js").glob("*.js"):
        assert "innerHTML" not in script.read_text(encoding="utf-8"), script.name
