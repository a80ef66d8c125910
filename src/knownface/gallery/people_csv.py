"""People as a CSV file: name, external id, groups, and, to be read, consents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, update

from knownface.errors import InputError, PersonError
from knownface.files import replacing
from knownface.gallery import people as sql
from knownface.gallery.consents import PURPOSES, Basis, NewConsent, add_consent, list_consents, today
from knownface.gallery.names import clean_external_id, clean_group, clean_name, name_key
from knownface.gallery.values import PeopleImport, Person
from knownface.storage.schema import people
from knownface.tables import check_no_faults, csv_text, read_csv
from knownface.types import Purpose

COLUMNS = ("name", "external_id", "groups")
CONSENT_COLUMNS = (
    "consent_by",
    "consent_guardian",
    "consent_on",
    "consent_until",
    "consent_for",
    "consent_basis",
    "consent_document",
)
"""May stand in a file that is read; a row without ``consent_by`` gives none."""
_SEPARATOR = ";"
_HINT = f"The first line must be {','.join(COLUMNS)}; groups are separated by semicolons."
_YES, _NO = {"yes", "true", "1", "x"}, {"", "no", "false", "0"}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One row of the file, cleaned.

    Attributes:
        line: Where it ends, from 1.
        name: Of the person.
        external_id: None where the cell is empty.
        groups: The person's groups.
        has: Which of the columns the file has.
        consent: To be written down, unless it is there already.
    """

    line: int
    name: str
    external_id: str | None
    groups: tuple[str, ...]
    has: frozenset[str]
    consent: NewConsent | None = None


def write_people(path: Path, everybody: Iterable[Person], *, bom: bool = False) -> None:
    """Write a file that :func:`read_rows` reads, in UTF-8, with a byte order mark for Excel if wanted.

    Raises:
        OutputError: It cannot be written.
    """
    rows = [[person.name, person.external_id or "", _SEPARATOR.join(person.groups)] for person in everybody]
    with replacing(path, private=True) as part:
        part.write_text(("\ufeff" if bom else "") + csv_text(COLUMNS, rows), encoding="utf-8", newline="")


def read_rows(path: Path) -> list[PersonRow]:
    """Read and check a file, in UTF-8 with or without a byte order mark.

    Raises:
        UnreadableError: It is missing, or not UTF-8.
        InputError: It has faults; the message names the lines.
    """
    header, lines = read_csv(path, _HINT)
    _check_header(path, header)
    faults: list[str] = []
    rows = [row for line, cells in lines if (row := _parse(line, cells, header, faults)) is not None]
    _find_repeats(rows, faults)
    check_no_faults(path, faults, _HINT)
    return rows


def _check_header(path: Path, header: Sequence[str]) -> None:
    unknown = sorted(set(header) - set(COLUMNS) - set(CONSENT_COLUMNS))
    if unknown:
        raise InputError(f"{path} has a column {unknown[0]!r}, which is not known here.", _HINT)
    if "name" not in header or len(set(header)) != len(header):
        raise InputError(f"{path} must have the column 'name', and none twice.", _HINT)


def _parse(line: int, cells: Sequence[str], header: Sequence[str], faults: list[str]) -> PersonRow | None:
    if len(cells) != len(header):
        faults.append(f"line {line}: {len(cells)} cells where {len(header)} are expected")
        return None
    of = dict(zip(header, cells, strict=True))
    groups = [group for group in of.get("groups", "").split(_SEPARATOR) if group.strip()]
    try:
        return PersonRow(
            line,
            clean_name(of["name"]),
            clean_external_id(of.get("external_id")),
            tuple(clean_group(group) for group in groups),
            frozenset(header),
            _consent(of),
        )
    except PersonError as error:
        faults.append(f"line {line}: {error.message}")
        return None


def _consent(of: Mapping[str, str]) -> NewConsent | None:
    cells = {name.removeprefix("consent_"): of.get(name, "").strip() for name in CONSENT_COLUMNS}
    if not cells["by"]:
        if any(cells.values()):
            raise PersonError("a consent must say who gave it: consent_by is empty")
        return None
    if cells["guardian"].lower() not in _YES | _NO:
        raise PersonError(f"consent_guardian is yes or no, not {cells['guardian']!r}")
    purposes = [purpose.strip() for purpose in cells["for"].split(_SEPARATOR) if purpose.strip()] or PURPOSES
    return NewConsent(
        cells["by"],
        _day(cells["on"]) or today(),
        cast("Collection[Purpose]", purposes),
        cells["guardian"].lower() in _YES,
        cast("Basis", cells["basis"] or "consent"),
        cells["document"],
        _day(cells["until"]),
    )


def _day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell) if cell else None
    except ValueError as error:
        raise PersonError(f"{cell!r} is no day such as 2026-09-01") from error


def _find_repeats(rows: Sequence[PersonRow], faults: list[str]) -> None:
    kinds: tuple[tuple[str, Callable[[PersonRow], str | None]], ...] = (
        ("name", lambda row: name_key(row.name)),
        ("external id", lambda row: row.external_id),
    )
    for kind, value_of in kinds:
        first: dict[str, int] = {}
        for row in rows:
            value = value_of(row)
            if value is not None and first.setdefault(value, row.line) != row.line:
                faults.append(f"line {row.line}: the {kind} of line {first[value]} again")


def apply_rows(connection: Connection, path: Path, rows: Sequence[PersonRow]) -> PeopleImport:
    """Add and update the people of a file, in the caller's transaction.

    Raises:
        InputError: A row contradicts the gallery; the transaction must be rolled back.
    """
    faults: list[str] = []
    before = {person.id: person for person in sql.list_people(connection)}
    found: list[tuple[int, PersonRow]] = []
    for row in rows:
        try:
            found.append((sql.find_or_create(connection, [row.name])[row.name], row))
        except PersonError as error:
            faults.append(f"line {row.line}: {error.message}")
    # Cleared first, so that two people may exchange their external ids.
    for person_id, row in found:
        if "external_id" in row.has:
            connection.execute(update(people).where(people.c.id == person_id).values(external_id=None))
    for person_id, row in found:
        try:
            if "external_id" in row.has:
                sql.set_external_id(connection, person_id, row.external_id)
            if "groups" in row.has:
                sql.set_groups(connection, person_id, row.groups)
        except PersonError as error:
            faults.append(f"line {row.line}: {error.message}")
    check_no_faults(path, faults, _HINT)
    for person_id, row in found:
        # Also one that was withdrawn since: the same file must not bring it back.
        if row.consent is not None and not any(
            one.given.same(row.consent) for one in list_consents(connection, person_id)
        ):
            add_consent(connection, person_id, row.consent, path.name)
    after = {person.id: person for person in sql.list_people(connection)}
    created = len(after) - len(before)
    return PeopleImport(created, sum(after[i] != before[i] for i in before))
