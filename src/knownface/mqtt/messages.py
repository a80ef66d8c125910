"""What is published under which topic: pure functions over what was read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from knownface.events import Alert, SessionReport, Sighting

ONLINE, OFFLINE = b"online", b"offline"
AWAY = "away"
"""The state of a person whom no camera sees."""
_LONGEST_STATE = 255
"""Characters that Home Assistant takes as a state."""
_NEWEST_ARRIVALS = 20


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be published.

    Attributes:
        topic: Where.
        payload: What; empty with ``retain`` makes the broker forget the topic.
        retain: Whether the broker keeps it for whoever subscribes later.
    """

    topic: str
    payload: bytes
    retain: bool = False


def availability_topic(name: str) -> str:
    """Whether what is published under a name is up to date: ``online`` or ``offline``, the latter by last will."""
    return f"{name}/availability"


def person_topic(name: str, person_id: int) -> str:
    """Where somebody is."""
    return f"{name}/people/{person_id}"


def picture_topic(name: str, person_id: int) -> str:
    """The picture of somebody's last sighting."""
    return f"{person_topic(name, person_id)}/picture"


def camera_topic(name: str, source: str) -> str:
    """Who is in front of a source."""
    return f"{name}/cameras/{camera_key(source)}"


def camera_key(source: str) -> str:
    """The name of a source as a level of a topic and an id of Home Assistant: letters, digits, ``_`` and ``-``.

    Example:
        >>> camera_key("door"), camera_key("Front door")
        ('door', 'Front_door_91b2dbad')
    """
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", source)[:48]
    return plain if plain == source else f"{plain}_{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def state_patterns(name: str) -> list[str]:
    """What to subscribe to for all topics that the broker keeps."""
    return [f"{name}/people/+", f"{name}/cameras/+", f"{name}/attendance/+"]


def alert_message(name: str, alert: Alert) -> Message:
    """An alert, as webhooks get it."""
    return Message(f"{name}/events/{alert.kind}", _json(alert.facts()))


def sighting_message(name: str, sighting: Sighting) -> Message:
    """Somebody begins to be seen, or turns out to be somebody."""
    facts = {
        "id": sighting.id,
        "at": sighting.first_seen.isoformat(),
        "source": sighting.source,
        "person_id": sighting.person_id,
        "name": sighting.name,
        "unknown": sighting.unknown,
        "distance": sighting.best_distance,
        "liveness": sighting.liveness,
    }
    return Message(f"{name}/sightings", _json(facts))


def person_message(name: str, person_id: int, person: str, seen: Sighting | None, last: str | None) -> Message:
    """Where somebody is, for the broker to keep.

    Args:
        name: The first level of the topic.
        person_id: Of the gallery.
        person: The person's name.
        seen: The sighting that goes on; None is away.
        last: When somebody who is away was last seen, ISO 8601.
    """
    facts = {
        "state": AWAY if seen is None else seen.source[:_LONGEST_STATE],
        "name": person,
        "since": None if seen is None else seen.first_seen.isoformat(),
        "last_seen": last if seen is None else None,
    }
    return Message(person_topic(name, person_id), _json(facts), retain=True)


def camera_message(name: str, source: str, there: Iterable[Sighting]) -> Message:
    """Who is in front of a source, for the broker to keep.

    Args:
        name: The first level of the topic.
        source: Of the sightings.
        there: Those that go on.
    """
    known = {one.person_id: one.name for one in there if one.person_id is not None}
    unknown = {one.unknown for one in there if one.person_id is None}
    facts = {
        "state": len(known) + len(unknown),
        "source": source,
        "names": sorted(str(person) for person in known.values()),
        "unknown": len(unknown),
    }
    return Message(camera_topic(name, source), _json(facts), retain=True)


def attendance_message(name: str, report: SessionReport) -> Message:
    """How it stands with an open session, for the broker to keep."""
    session = report.session
    facts = {
        "id": session.id,
        "session": session.name,
        "opened": session.opened.isoformat(),
        "counts": dict(report.counts),
        "strangers": report.strangers,
        "arrivals": [
            {
                "person_id": attendee.person_id,
                "name": attendee.name,
                "status": attendee.status,
                "first_seen": None if attendee.first_seen is None else attendee.first_seen.isoformat(),
                "source": attendee.source,
            }
            for attendee in report.arrivals[:_NEWEST_ARRIVALS]
        ],
    }
    return Message(f"{name}/attendance/{session.id}", _json(facts), retain=True)


def _json(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False).encode()
