"""What is said of an edit: a sentence with the names of that time."""

from __future__ import annotations

from collections.abc import Iterable

from knownface.gallery.values import Person


def change_text(before: Person, after: Person) -> str:
    """What was changed of a person."""
    parts = []
    if before.name != after.name:
        parts.append(f"{before.name!r} renamed to {after.name!r}")
    if before.external_id != after.external_id:
        parts.append(f"external id of {after.name!r} {_set_to(after.external_id)}")
    if before.groups != after.groups:
        parts.append(f"groups of {after.name!r} {_set_to(', '.join(after.groups) or None)}")
    if before.threshold != after.threshold:
        own = None if after.threshold is None else f"{after.threshold:g}"
        parts.append(f"threshold of {after.name!r} {_set_to(own)}")
    if before.until != after.until:
        parts.append(f"last day of {after.name!r} {_set_to(None if after.until is None else str(after.until))}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _set_to(value: str | None) -> str:
    return "cleared" if value is None else f"set to {value}"


def listing(names: Iterable[str]) -> str:
    """Names in quotes, with commas between them."""
    return ", ".join(repr(name) for name in names)


def count_of(count: int, what: str) -> str:
    """Such as ``1 template`` or ``3 templates``."""
    return f"{count} {what}{'s' * (count != 1)}"
