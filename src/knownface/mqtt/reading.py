"""What is to be told, read from the gallery's database."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select

from knownface.events import Sighting, SightingFilter, sighting_queries
from knownface.gallery.consents import permitted
from knownface.storage.events_schema import events, sightings
from knownface.storage.schema import META_CONSENTS, META_GENERATION, meta, people
from knownface.storage.service_schema import watched_sources

_META_MARK = "mqtt"


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where everything was told: kept in the database, so that nothing is lost over a restart.

    Attributes:
        event: Id of the last alert.
        sighting: Id of the last sighting.
    """

    event: int
    sighting: int


def read_mark(connection: Connection) -> Mark:
    """The mark; before anything was told, what happens from now on is what will be."""
    kept = connection.scalar(select(meta.c.value).where(meta.c.key == _META_MARK))
    if kept is not None:
        return Mark(**json.loads(kept))
    newest = [connection.scalar(select(func.max(table.c.id))) or 0 for table in (events, sightings)]
    return Mark(*newest)


def write_mark(connection: Connection, mark: Mark) -> None:
    """Keep the mark."""
    connection.execute(delete(meta).where(meta.c.key == _META_MARK))
    value = json.dumps({"event": mark.event, "sighting": mark.sighting})
    connection.execute(insert(meta), {"key": _META_MARK, "value": value})


def people_state(connection: Connection) -> tuple[str, ...]:
    """Another one after every change of people or consents."""
    query = select(meta.c.value).where(meta.c.key.in_([META_CONSENTS, META_GENERATION])).order_by(meta.c.key)
    return tuple(connection.scalars(query))


def people_followed(connection: Connection, most: int) -> dict[int, str] | None:
    """Name by id of everybody who may be named in live pictures; None where they are more than ``most``."""
    query = select(people.c.id, people.c.name).where(permitted(connection, people.c.id, "live"))
    rows = connection.execute(query.order_by(people.c.id).limit(most + 1)).all()
    return None if len(rows) > most else {row.id: row.name for row in rows}


def last_seen(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    """When people were last seen, ISO 8601 in UTC, by id."""
    query = (
        select(sightings.c.person_id, func.max(sightings.c.last_seen))
        .where(sightings.c.person_id.is_not(None))
        .group_by(sightings.c.person_id)
    )
    return {person: time.isoformat() for person, time in connection.execute(query) if person in ids}


def sources(connection: Connection, most: int) -> list[str]:
    """The cameras and streams that the service watches, and whatever else somebody was seen at."""
    watched = connection.scalars(select(watched_sources.c.name).order_by(watched_sources.c.name))
    return list(dict.fromkeys([*watched, *sighting_queries.sources(connection)]))[:most]


def new_sightings(connection: Connection, after: int, limit: int) -> tuple[list[Sighting], int]:
    """Sightings with a greater id, in order, and the id up to which these are all."""
    ids = select(sightings.c.id).where(sightings.c.id > after).order_by(sightings.c.id).limit(limit)
    newest = max(connection.scalars(ids), default=after)
    found = sighting_queries.find(connection, SightingFilter(), below=newest + 1, limit=limit)
    return [one for one in reversed(found) if one.id > after], newest


def present(connection: Connection, since: datetime) -> list[Sighting]:
    """Sightings that go on: of somebody who was seen since a time, the newest last."""
    now = datetime.now(UTC)
    found = sighting_queries.find(connection, SightingFilter(after=since))
    return sorted((one for one in found if one.first_seen <= now), key=lambda one: one.last_seen)
