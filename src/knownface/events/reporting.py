"""The report of an attendance session, read over an open transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from knownface.events.arrivals import Stay, all_strangers, linked_people, read_entries, read_stays
from knownface.events.attendance_values import Attendee, Session, SessionReport, Status
from knownface.gallery import name_key
from knownface.gallery.consents import permitted
from knownface.storage.schema import people
from knownface.storage.statements import chunks


def read_report(connection: Connection, row: Row[Any], session: Session, now: datetime) -> SessionReport:
    """Who came, from what the session holds and from the sightings that are still there."""
    entries = read_entries(connection, session.id)
    linked = linked_people(connection, entries)
    stays = read_stays(connection, row)
    known = _known(connection, [*stays, *linked.values(), *(e.person_id for e in entries if e.person_id is not None)])
    counted = set(connection.scalars(select(people.c.id).where(permitted(connection, people.c.id, "attendance"))))
    found: list[Attendee] = []
    for entry in entries:
        person_id = linked.get(entry.id, entry.person_id)
        stay = _stay(entry, stays.pop(person_id, None) if person_id is not None else None)
        if person_id is not None and person_id not in counted and not entry.by_hand:
            stay = None  # written before the consent ended
        name, external_id = known.get(person_id, ("", None)) if person_id is not None else ("", None)
        found.append(
            Attendee(
                person_id=person_id,
                name=entry.name or name,
                external_id=entry.external_id or external_id,
                facts=json.loads(entry.facts),
                listed=entry.listed,
                status=_status(session, now, stay, listed=entry.listed),
                first_seen=None if stay is None else stay.first_seen,
                last_seen=None if stay is None else stay.last_seen,
                source=None if stay is None else stay.source,
                by_hand=entry.by_hand,
            )
        )
    for person_id, stay in stays.items():
        name, external_id = known[person_id]
        walk_in = Attendee(
            person_id, name, external_id, {}, False, "walk-in", stay.first_seen, stay.last_seen, stay.source, False
        )
        found.append(walk_in)
    came = [attendee for attendee in found if attendee.listed or attendee.first_seen is not None]
    in_order = sorted(came, key=lambda attendee: (not attendee.listed, name_key(attendee.name)))
    return SessionReport(session, now, tuple(in_order), all_strangers(connection, row))


def find_entry(connection: Connection, entries: Sequence[Row[Any]], name: str) -> Row[Any] | None:
    """The entry that a user means by a name or an external id."""
    linked = linked_people(connection, entries)
    person_of = {entry.id: linked.get(entry.id, entry.person_id) for entry in entries}
    known = _known(connection, [person_id for person_id in person_of.values() if person_id is not None])
    wanted = name_key(name)
    for entry in entries:
        gallery_name, external_id = known.get(person_of[entry.id] or 0, ("", None))
        if wanted in {entry.name_key, name_key(gallery_name)} or name in {entry.external_id, external_id}:
            return entry
    return None


def _stay(entry: Row[Any], seen: Stay | None) -> Stay | None:
    if entry.first_seen is None:
        return None if entry.by_hand else seen  # by hand: whoever was seen, it was not them
    marked = Stay(entry.first_seen, entry.last_seen, entry.source)
    return marked if seen is None else marked.with_other(seen)


def _status(session: Session, now: datetime, stay: Stay | None, *, listed: bool) -> Status:
    if not listed:
        return "walk-in"
    if stay is None:
        return "expected" if session.is_open(now) else "absent"
    return "late" if stay.first_seen > session.opened + session.grace else "present"


def _known(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    return {
        row.id: (row.name, row.external_id)
        for chunk in chunks(sorted(set(ids)))
        for row in connection.execute(
            select(people.c.id, people.c.name, people.c.external_id).where(people.c.id.in_(chunk))
        )
    }
