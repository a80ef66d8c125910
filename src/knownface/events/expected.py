"""Who is expected in a session: from people, groups and guest lists to rows of the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from knownface.errors import EventsError
from knownface.events.guests import Guest
from knownface.gallery import Person, name_key
from knownface.gallery.people import get_person, list_people
from knownface.gallery.values import PersonKey


def expected_entries(
    connection: Connection, people: Sequence[PersonKey], group: str | None, guests: Sequence[Guest]
) -> list[dict[str, Any]]:
    """Rows of ``attendance_entries`` of everybody expected: people, a group's members, and a list's guests.

    A guest is a person of the gallery by the external id, else by the name.

    Raises:
        UnknownPersonError: Nobody has a name of ``people``.
        EventsError: Two guests are one person, as far as is known.
    """
    blank = {"listed": True, "by_hand": False, "facts": "{}", "name": None, "name_key": None, "external_id": None}
    ids = [get_person(connection, name).id for name in people]
    if group is not None:
        ids += [person.id for person in list_people(connection, group)]
    by_person = {person_id: {**blank, "person_id": person_id} for person_id in ids}
    everybody = list_people(connection) if guests else []
    by_external = {person.external_id: person for person in everybody if person.external_id is not None}
    by_name = {name_key(person.name): person for person in everybody}
    strangers, listed = [], dict[int, Guest]()
    as_json = json.JSONEncoder(ensure_ascii=False).encode
    # Whom an external id says first, so that somebody else of that name is not taken for them.
    for guest in sorted(guests, key=lambda guest: guest.external_id not in by_external):
        key = name_key(guest.name)
        entry = {
            **blank,
            "name": guest.name,
            "name_key": key,
            "external_id": guest.external_id,
            "facts": as_json(dict(guest.facts)),
        }
        person = by_external.get(guest.external_id or "") or by_name.get(key)
        other = listed.get(person.id) if person else None
        if person is None or (other and guest.external_id and other.external_id in by_external):
            strangers.append({**entry, "person_id": None})
        elif other is not None:
            raise _two_guests(person, other, guest)
        else:
            listed[person.id] = guest
            by_person[person.id] = {**entry, "person_id": person.id}
    return [*by_person.values(), *strangers]


def _two_guests(person: Person, first: Guest, second: Guest) -> EventsError:
    ids = [guest.external_id for guest in (first, second) if guest.external_id is not None]
    if len(ids) < 2:
        return EventsError(f"The guest list has {second.name!r} twice.", "Tell them apart by external ids.")
    return EventsError(
        f"The guest list has {second.name!r} twice, as {ids[0]} and {ids[1]}, and it is not known which of them is "
        f"{person.name!r} of the gallery.",
        f"Give {person.name!r} the external id of the right one first; the other is a guest of that name then.",
    )
