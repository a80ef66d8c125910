"""Everything that a gallery holds about one person (GDPR Art. 15), for them to read and to take along (Art. 20)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import escape
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, or_, select

from knownface import __version__
from knownface.gallery import Gallery, PersonKey, name_key
from knownface.law.consent_form import kept
from knownface.law.receipt_page import facts_table, html_page, kind_text
from knownface.settings import Settings
from knownface.storage.events_schema import attendance_entries, attendance_sessions
from knownface.storage.history_schema import SUBJECT_PERSON, edit_subjects, edits
from knownface.storage.schema import (
    groups,
    metadata,
    people,
    person_groups,
    person_keys,
    refusals,
    template_pictures,
    template_vectors,
    templates,
)
from knownface.storage.service_schema import audit_log

_VECTORS = {"vector", "new_vector", "embedding"}
_PICTURES = {"jpeg", "picture"}
_MOST_CELL = 300
"""Letters of a cell on the page; the JSON has all of them."""


@dataclass(frozen=True, slots=True)
class PersonData:
    """What is held about somebody.

    Attributes:
        facts: Name, number, groups, who answers for the gallery, how long what is kept.
        rows: By the table's name every row about them; vectors are lists of numbers, pictures JPEG in base64.
    """

    facts: Mapping[str, Any]
    rows: Mapping[str, Sequence[Mapping[str, Any]]]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.facts, "held": {table: list(rows) for table, rows in self.rows.items()}}

    def to_json(self) -> str:
        """As the text of a JSON file."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1, default=str) + "\n"


def person_data(gallery: Gallery, person: PersonKey, settings: Settings) -> PersonData:
    """Read everything about a person, also of tables that are added later.

    Raises:
        UnknownPersonError: There is no such person.
    """
    found = gallery.person(person)
    with gallery.database.reading() as connection:
        rows = {name: read for name, read in _read(connection, found.id, name_key(found.name)) if read}
    facts = {
        "name": found.name,
        "number": found.id,
        "external_id": found.external_id,
        "groups": list(found.groups),
        "made": _plain("made", datetime.now(UTC)),
        "controller": settings.controller,
        "contact": settings.privacy_contact,
        "kept": kept(settings),
        "program": f"knownface {__version__}",
    }
    return PersonData(facts, rows)


def _read(connection: Connection, person_id: int, key: str) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    own = select(templates.c.id).where(templates.c.person_id == person_id)
    yield people.name, _rows(connection, people, people.c.id == person_id)
    for table in metadata.sorted_tables:
        refers = [key.parent == person_id for key in table.foreign_keys if key.column is people.c.id]
        if refers and table not in (person_groups, person_keys):
            about = or_(*refers)
            if table is attendance_entries:
                about = or_(about, (table.c.name_key == key) & table.c.person_id.is_(None))
            yield table.name, _rows(connection, table, about)
    named = select(groups.c.name).join(person_groups).where(person_groups.c.person_id == person_id)
    yield groups.name, [{"name": name} for name in connection.scalars(named)]
    for table in (template_pictures, template_vectors):
        yield table.name, _rows(connection, table, table.c.template_id.in_(own))
    entered = select(attendance_entries.c.session_id).where(attendance_entries.c.person_id == person_id)
    yield attendance_sessions.name, _rows(connection, attendance_sessions, attendance_sessions.c.id.in_(entered))
    yield refusals.name, _rows(connection, refusals, refusals.c.name_key == key)
    subject = edit_subjects.c.kind == SUBJECT_PERSON, edit_subjects.c.number == person_id
    edited = select(edits.c.at, edits.c.kind).join(edit_subjects).where(*subject)
    yield edits.name, [dict(row) for row in connection.execute(edited).mappings()]
    done = audit_log.c.action.startswith("person.") | audit_log.c.action.startswith("consent.")
    columns = audit_log.c.at, audit_log.c.actor, audit_log.c.action
    noted = select(*columns).where(audit_log.c.subject_id == person_id, done)
    yield audit_log.name, [dict(row) for row in connection.execute(noted).mappings()]


def _rows(connection: Connection, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    found = connection.execute(select(table).where(where)).mappings()
    return [{name: _plain(name, value) for name, value in row.items() if value is not None} for row in found]


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes) and name in _VECTORS:
        return [float(number) for number in np.frombuffer(value, dtype="<f4")]
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def data_page(data: PersonData) -> str:
    """The same as HTML to read and print; vectors, which nobody can read, are told by their length."""
    facts = [
        (name.replace("_", " "), ", ".join(value) if isinstance(value, list) else value)
        for name, value in data.facts.items()
        if name != "kept" and value
    ]
    kept_lines = "".join(f"<li>{escape(line)}</li>" for line in data.facts["kept"])
    parts = [
        f"<h1>What is held about {escape(str(data.facts['name']))}</h1>",
        facts_table(facts),
        f"<h2>How long</h2><ul>{kept_lines}</ul>",
        "<p>Source: pictures and lists that the controller gave. Given to nobody by the program itself. You may have "
        "it corrected (GDPR Art. 16), removed (Art. 17) or restricted (Art. 18), object (Art. 21), and complain to the "
        "supervisory authority (Art. 77). A name is decided by how near two rows of numbers are; nothing else follows "
        "from it by the program than what is listed here.</p>",
    ]
    for table, rows in data.rows.items():
        parts.append(f"<h2>{escape(kind_text(table)[:1].upper() + kind_text(table)[1:])} ({len(rows)})</h2>")
        parts += [facts_table_html(row) for row in rows]
    return html_page(f"Data of {data.facts['name']}", "\n".join(parts))


def facts_table_html(row: Mapping[str, Any]) -> str:
    """One row as a table, pictures shown."""
    cells = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{_cell(name, value)}</td></tr>\n"
        for name, value in row.items()
    )
    return f'<table style="margin-bottom: 1rem">\n{cells}</table>'


def _cell(name: str, value: Any) -> str:
    if name in _VECTORS and isinstance(value, list):
        return f"{len(value)} numbers, which are in the JSON file"
    if name in _PICTURES and isinstance(value, str):
        return f'<img alt="picture" style="max-width: 12rem" src="data:image/jpeg;base64,{value}">'
    text = str(value)
    return escape(text if len(text) <= _MOST_CELL else f"{text[:_MOST_CELL]}…")
