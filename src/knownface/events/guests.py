"""Guest lists: who is expected, and what is to be known of them when they come."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from knownface.errors import InputError, PersonError
from knownface.gallery import clean_name
from knownface.gallery.names import clean_external_id
from knownface.tables import check_no_faults, read_csv

LONGEST_FACT = 2000

_HINT = "The first line names the columns: name, external_id if there is one, and any others, such as table,profile."


@dataclass(frozen=True, slots=True)
class Guest:
    """One line of a guest list.

    Attributes:
        name: As it is to be greeted by; found in the gallery by external id, else by this name.
        external_id: Such as a ticket's number, or None.
        facts: The further columns that are not empty, in the list's order, such as ``{"table": "5"}``.
    """

    name: str
    external_id: str | None
    facts: Mapping[str, str]


def read_guests(path: str | Path) -> list[Guest]:
    """Read a guest list: CSV with the columns ``name``, optionally ``external_id``, and any others.

    Raises:
        UnreadableError: It is missing, or not UTF-8.
        InputError: It has faults; the message names the lines.
    """
    path = Path(path)
    header, lines = read_csv(path, _HINT)
    if "name" not in header or "" in header or len(set(header)) != len(header):
        raise InputError(f"{path} must have the column 'name', and no column without a name or twice.", _HINT)
    faults: list[str] = []
    guests: list[Guest] = []
    seen: dict[str, int] = {}
    for line, cells in lines:
        guest = _guest(line, cells, header, faults)
        if guest is None:
            continue
        if guest.external_id is not None and seen.setdefault(guest.external_id, line) != line:
            faults.append(f"line {line}: the external id of line {seen[guest.external_id]} again")
        guests.append(guest)
    check_no_faults(path, faults, _HINT)
    if not guests:
        raise InputError(f"{path} names no guest.", _HINT)
    return guests


def _guest(line: int, cells: Sequence[str], header: Sequence[str], faults: list[str]) -> Guest | None:
    if len(cells) != len(header):
        faults.append(f"line {line}: {len(cells)} cells where {len(header)} are expected")
        return None
    of = dict(zip(header, cells, strict=True))
    try:
        name, external_id = clean_name(of.pop("name")), clean_external_id(of.pop("external_id", None))
    except PersonError as error:
        faults.append(f"line {line}: {error.message}")
        return None
    facts = {column: " ".join(text.split()) for column, text in of.items() if text}
    for column, text in facts.items():
        if len(text) > LONGEST_FACT or any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):
            faults.append(f"line {line}: {column} is longer than {LONGEST_FACT} characters, or cannot be printed")
    return Guest(name, external_id, facts)
