"""What is said of an edit: its parts, by names and numbers of that time, and an English sentence of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from knownface.gallery.values import Person

Said: TypeAlias = dict[str, Any]
"""One thing that was done: ``key`` is one of the sentences below, the rest are its plain values."""

_ENGLISH = {
    "renamed": "{before!r} renamed to {after!r}",
    "external_id": "external id of {name!r} set to {value}",
    "external_id_cleared": "external id of {name!r} cleared",
    "groups": "groups of {name!r} set to {value}",
    "groups_cleared": "groups of {name!r} cleared",
    "threshold": "threshold of {name!r} set to {value}",
    "threshold_cleared": "threshold of {name!r} cleared",
    "until": "last day of {name!r} set to {value}",
    "until_cleared": "last day of {name!r} cleared",
    "joined": "{names} joined into {name!r}",
    "different": "{name!r} is not the same person as {names}",
    "moved": "{count} template{s} of {name!r} moved to {to!r}",
    "moved_to_new": "{count} template{s} of {name!r} moved to {to!r}, who is new",
    "denied": "{count} counter-example{s} of {names} added",
    "dismissed": "Unknown {numbers} dismissed",
    "listed_again": "Unknown {numbers} brought back",
    "named": "Unknown {numbers} named {name!r}",
    "face_named": "A face named {name!r}",
    "calibrated": "calibrated: {promise}",
    "calibration_deleted": "calibration deleted",
    "liveness_calibrated": "calibrated for living faces: {promise}",
    "liveness_calibration_deleted": "calibration for living faces deleted",
    "people_read": "people read from {file!r}: {created} new, {updated} changed",
    "undone": "undone",
}


def sentence(said: Sequence[Said]) -> str:
    """All parts in one English sentence."""
    parts = [_ENGLISH[part["key"]].format(s="" if part.get("count") == 1 else "s", **_quoted(part)) for part in said]
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _quoted(part: Said) -> Said:
    values = {name: value for name, value in part.items() if name != "key"}
    if "names" in values:
        values["names"] = ", ".join(map(repr, values["names"]))
    return values


def changes(before: Person, after: Person) -> list[Said]:
    """What was changed of a person."""
    own = None if after.threshold is None else f"{after.threshold:g}"
    values = {
        "external_id": (before.external_id, after.external_id, after.external_id),
        "groups": (before.groups, after.groups, ", ".join(after.groups) or None),
        "threshold": (before.threshold, after.threshold, own),
        "until": (before.until, after.until, None if after.until is None else str(after.until)),
    }
    said = [{"key": "renamed", "before": before.name, "after": after.name}] if before.name != after.name else []
    for what, (old, new, told) in values.items():
        if old != new:
            cleared = {"key": f"{what}_cleared", "name": after.name}
            said.append(cleared if told is None else {"key": what, "name": after.name, "value": told})
    return said


def numbers_of(unknowns: Iterable[int]) -> str:
    """Numbers of Unknowns, with commas between them."""
    return ", ".join(map(str, sorted(set(unknowns))))
