"""Finding sightings, as statements over an open transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from knownface.events.values import Sighting, SightingFilter
from knownface.gallery.consents import permitted
from knownface.gallery.names import label_key
from knownface.gallery.people import find_id
from knownface.storage.events_schema import sightings
from knownface.storage.schema import groups, people, person_groups

_COLUMNS = (
    *(column for column in sightings.c if column.name not in {"fingerprint", "embedding", "picture"}),
    sightings.c.picture.is_not(None).label("has_picture"),
    and_(sightings.c.embedding.is_not(None), sightings.c.person_id.is_(None)).label("has_face"),
    people.c.name,
)


def conditions(connection: Connection, where: SightingFilter) -> ColumnElement[bool]:
    """What a row of ``sightings`` must satisfy to be meant.

    Raises:
        UnknownPersonError: Nobody has the name given.
    """
    parts: list[ColumnElement[bool]] = []
    if where.person is not None:
        parts.append(sightings.c.person_id == find_id(connection, where.person))
    if where.group is not None:
        members = select(person_groups.c.person_id).join(groups).where(groups.c.name_key == label_key(where.group))
        parts.append(sightings.c.person_id.in_(members))
    if where.unknown is not None:
        nameless = sightings.c.person_id.is_(None)
        parts.append(nameless if where.unknown else ~nameless)
    if where.numbers is not None:
        parts.append(sightings.c.unknown.in_(where.numbers))
    if where.source is not None:
        parts.append(sightings.c.source.in_([where.source] if isinstance(where.source, str) else where.source))
    if where.after is not None:
        parts.append(sightings.c.last_seen >= where.after)
    if where.before is not None:
        parts.append(sightings.c.first_seen < where.before)
    if where.dismissed is not None:
        parts.append(sightings.c.dismissed.is_(where.dismissed))
    return and_(True, *parts)


def find(
    connection: Connection, where: SightingFilter, limit: int | None = None, below: int | None = None
) -> list[Sighting]:
    """Sightings, the newest first; nobody's who may not be named.

    Args:
        connection: The caller's transaction.
        where: Selects sightings.
        limit: How many at most.
        below: Only those with a smaller id: the next page begins below the last id of this one.

    Raises:
        UnknownPersonError: Nobody has the name given.
    """
    query = select(*_COLUMNS).outerjoin(people).where(conditions(connection, where)).order_by(sightings.c.id.desc())
    query = query.where(permitted(connection, sightings.c.person_id, "live"))
    if below is not None:
        query = query.where(sightings.c.id < below)
    return [_sighting(row) for row in connection.execute(query.limit(limit))]


def count(connection: Connection, where: SightingFilter) -> int:
    """How many :func:`find` finds."""
    meant = conditions(connection, where), permitted(connection, sightings.c.person_id, "live")
    return connection.scalar(select(func.count()).select_from(sightings).where(*meant)) or 0


def sources(connection: Connection) -> list[str]:
    """Every source that somebody was seen at, in alphabetical order."""
    return list(connection.scalars(select(sightings.c.source).distinct().order_by(sightings.c.source)))


def _sighting(row: Row[Any]) -> Sighting:
    return Sighting(
        id=row.id,
        key=row.key,
        person_id=row.person_id,
        name=row.name,
        unknown=row.unknown,
        source=row.source,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        first_time=row.first_time,
        last_time=row.last_time,
        best_distance=row.best_distance,
        frames=row.frames,
        quality=row.quality,
        liveness=row.liveness,
        dismissed=row.dismissed,
        has_picture=row.has_picture,
        has_face=row.has_face,
    )
