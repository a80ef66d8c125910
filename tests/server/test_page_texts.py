"""Every text of the page stands in one file a language, and each of these is complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from knownface.server.texts import PLURALS, STATIC, day, languages, number, preferred_language, text, texts
from knownface.settings import ServeSettings

TEMPLATES = STATIC.parent / "templates"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_USED = re.compile(r"""\bt\(\s*["'`]([\w.\-]+)["'`$]""")


def _all(group: dict[str, Any], before: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every key with its text in each plural form; one that depends on no count is under "other" alone."""
    for name, value in group.items():
        key = f"{before}{name}"
        if not isinstance(value, dict):
            yield key, {"other": value}
        elif "other" in value:
            yield key, value
        else:
            yield from _all(value, f"{key}.")


def _sources() -> list[Path]:
    return [*TEMPLATES.glob("*.html"), *(STATIC / "js").glob("*.js")]


def test_every_text_that_is_asked_for_is_there() -> None:
    keys = {key for key, _ in _all(texts("en"))}
    asked = {key for source in _sources() for key in _USED.findall(source.read_text(encoding="utf-8"))}
    assert len(asked) > 200
    for key in asked:
        if key.endswith((".", "_")):  # the rest of the key is made at run time
            assert any(known.startswith(key) for known in keys), key
        else:
            assert key in keys, key


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_language_has_every_text_whole(language: str) -> None:
    english, own = dict(_all(texts("en"))), dict(_all(texts(language)))
    assert own.keys() == english.keys()
    forms = {PLURALS[language](count) for count in range(200)}
    for key, texts_by_form in own.items():
        counted = len(english[key]) > 1
        assert set(texts_by_form) == (forms if counted else {"other"}), key
        named = set(_PLACEHOLDER.findall(english[key]["other"]))
        for form, written in texts_by_form.items():
            left_out = named - set(_PLACEHOLDER.findall(written))
            may_say_once = form == "one" and len([n for n in range(200) if PLURALS[language](n) == form]) == 1
            assert set(_PLACEHOLDER.findall(written)) <= named, key
            assert not left_out or may_say_once, key
            assert written == written.strip() != "", key
            assert language == "en" or len(written.split()) < 4 or written not in english[key].values(), key
    assert get_args(ServeSettings.model_fields["language"].annotation) == tuple(sorted(languages()))


def test_plural_forms_numbers_and_days() -> None:
    assert text("en", "people.count", count=1) == "1 person is known."
    assert text("en", "people.count", count=2345) == "2,345 people are known."
    assert text("en", "live.unknown", number=7) == "Unknown 7"
    croatian = [PLURALS["hr"](count) for count in (0, 1, 2, 5, 11, 12, 21, 24, 111, 112)]
    assert croatian == ["other", "one", "few", "other", "other", "other", "one", "few", "other", "other"]
    assert [PLURALS["fr"](count) for count in (0, 1, 2)] == ["one", "one", "other"]
    assert {number(language, 1234567.891, 2) for language in languages()} == {
        "1,234,567.89",
        "1.234.567,89",
        "1\u202f234\u202f567,89",
    }
    assert [number(language, 1234) for language in ("de", "es", "it")] == ["1.234", "1234", "1234"]
    assert day("hr", date(2026, 3, 9)) == "9. 3. 2026."
    with pytest.raises(KeyError):
        text("en", "people.nothing")


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "it"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("nl, fr;q=0.4, hr;q=0.7", "hr"),
        ("ja,*;q=0.5", "it"),
        ("de;q=0, es;q=much, en", "en"),
        ("de" + "," * 100_000, "de"),
    ],
)
def test_the_browsers_language_is_met(accepted: str, chosen: str) -> None:
    assert preferred_language(accepted, "it") == chosen


def test_no_page_holds_inline_scripts_or_styles() -> None:
    for template in TEMPLATES.glob("*.html"):
        html = template.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", html), template.name
        assert not re.search(r"""\s(style|on[a-z]+)=["']""", html), template.name
        assert "|safe" not in html.replace(" ", ""), template.name
    for script in (STATIC / "js").glob("*.js"):
        assert "innerHTML" not in script.read_text(encoding="utf-8"), script.name
