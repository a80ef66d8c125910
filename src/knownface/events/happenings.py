"""What is told besides alerts: who is seen, who comes and goes, who is enrolled.

These happen in many places, in other programs too. So they are not noted where they happen but found in what is stored,
and written into the log of events, once for all that want them: ordered and kept as alerts are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Self, TypeAlias, get_args

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select

from knownface.events.alert_log import Alert, alert_of
from knownface.events.arrivals import Stay, read_stays
from knownface.events.rules import Kind
from knownface.gallery.consents import permitted
from knownface.storage import Database
from knownface.storage.events_schema import attendance_entries, attendance_sessions, events, sightings
from knownface.storage.schema import meta, people, templates

HappeningKind: TypeAlias = Literal["sighting", "check-in", "check-out", "enrolment"]
"""``sighting``: somebody begins to be seen; ``check-in``: somebody comes to an attendance session; ``check-out``: when
they were last seen there, told when it ends; ``enrolment``: somebody gets templates."""
EventKind: TypeAlias = Literal[Kind, HappeningKind]
EVENT_KINDS: Final[tuple[EventKind, ...]] = get_args(EventKind)

_META_MARK = "happenings"
_ATTENDANCE = ("check-in", "check-out")
_BATCH = 1000
_ATTENDANCE_EVERY = timedelta(seconds=30)
"""How often attendance is looked at though nobody was seen: somebody may have been marked by hand, or time is up."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened and is no alert, as it stands in the log of events.

    Attributes:
        id: Ascending, together with those of alerts.
        kind: See :data:`HappeningKind`.
        at: UTC.
        person_id: Who, or None for an Unknown.
        name: The person's name as it is now.
        unknown: Number of the Unknown.
        source: Where; None where nobody was seen.
        distance: How near the face was at first, 0 to 2, where it is known.
        session_id: Of the attendance session.
        session: Its name.
    """

    id: int
    kind: HappeningKind
    at: datetime
    person_id: int | None
    name: str | None
    unknown: int | None
    source: str | None
    distance: float | None
    session_id: int | None
    session: str | None

    @property
    def sentence(self) -> str:
        """What happened."""
        who = self.name or f"Unknown {self.unknown}"
        match self.kind:
            case "sighting":
                return f"{who} is seen at {self.source}."
            case "check-in":
                return f"{who} has come to {self.session}."
            case "check-out":
                return f"{who} was last seen at {self.session}."
            case "enrolment":
                return f"{who} was enrolled."

    def facts(self) -> dict[str, Any]:
        """The same for other programs: plain values, the time by ISO 8601."""
        return {**asdict(self), "at": self.at.isoformat(), "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class _Mark:
    """Up to where everything was written into the log.

    Attributes:
        began: When somebody began to want it.
        sighting: Id of the last sighting.
        template: Id of the last template.
        attendance: When attendance was last looked at.
    """

    began: datetime
    sighting: int
    template: int
    attendance: datetime

    @classmethod
    def now(cls, connection: Connection) -> Self:
        """What happens from now on."""
        newest = [connection.scalar(select(func.max(table.c.id))) or 0 for table in (sightings, templates)]
        time = datetime.now(UTC)
        return cls(time, newest[0], newest[1], time)

    @classmethod
    def read(cls, connection: Connection) -> Self | None:
        """The mark that is kept."""
        kept = connection.scalar(select(meta.c.value).where(meta.c.key == _META_MARK))
        if kept is None:
            return None
        told = json.loads(kept)
        times = {name: datetime.fromisoformat(told[name]) for name in ("began", "attendance")}
        return cls(**{**told, **times})

    def keep(self, connection: Connection) -> None:
        """Have it kept, with the caller's transaction."""
        connection.execute(delete(meta).where(meta.c.key == _META_MARK))
        value = json.dumps(asdict(self), default=datetime.isoformat)
        connection.execute(insert(meta), {"key": _META_MARK, "value": value})


def begin_happenings(connection: Connection) -> None:
    """Write into the log what happens from now on; called when somebody wants it and nobody did before."""
    _Mark.now(connection).keep(connection)


def log_happenings(database: Database, kinds: Collection[str], now: datetime | None = None) -> None:
    """Write what has happened since the last call into the log of events; several programs may call it.

    Args:
        database: The gallery's.
        kinds: Those wanted by anybody; others are passed over.
        now: Timezone-aware; None is the clock's time.
    """
    time = now or datetime.now(UTC)
    wanted = frozenset(kinds) & frozenset(get_args(HappeningKind))
    if not wanted:
        return
    with database.reading() as connection:
        mark = _Mark.read(connection)
        newest = _Mark.now(connection)
    is_new = mark is None or (mark.sighting, mark.template) != (newest.sighting, newest.template)
    if is_new or (mark is not None and wanted & {*_ATTENDANCE} and time - mark.attendance >= _ATTENDANCE_EVERY):
        with database.writing() as connection:
            _log(connection, wanted, time)


def read_events(database: Database, *, after: int, limit: int) -> list[Alert | Happening]:
    """The log of events, alerts and what happened besides, oldest first; without people who may not be named.

    Args:
        database: The gallery's.
        after: Only those with a greater id.
        limit: How many at most.
    """
    query = (
        select(events, people.c.name, attendance_sessions.c.name.label("session_name"))
        .outerjoin(people, people.c.id == events.c.person_id)
        .outerjoin(attendance_sessions, attendance_sessions.c.id == events.c.session_id)
        .where(events.c.id > after)
        .order_by(events.c.id)
        .limit(limit)
    )
    with database.reading() as connection:
        purposes = (
            and_(events.c.kind.in_(_ATTENDANCE), permitted(connection, events.c.person_id, "attendance")),
            and_(events.c.kind == "enrolment", permitted(connection, events.c.person_id, "photos")),
            and_(events.c.kind.not_in([*_ATTENDANCE, "enrolment"]), permitted(connection, events.c.person_id, "live")),
        )
        found = connection.execute(query.where(or_(events.c.person_id.is_(None), *purposes)))
        return [alert_of(row) if row.kind in get_args(Kind) else _happening(row) for row in found]


def _happening(row: Row[Any]) -> Happening:
    return Happening(
        id=row.id,
        kind=row.kind,
        at=row.at,
        person_id=row.person_id,
        name=row.name,
        unknown=row.unknown,
        source=row.source,
        distance=row.distance,
        session_id=row.session_id,
        session=row.session_name,
    )


def _log(connection: Connection, wanted: frozenset[str], now: datetime) -> None:
    mark = _Mark.read(connection) or _Mark.now(connection)
    seen, sighting = _new_sightings(connection, mark.sighting)
    enrolled, template = _enrolled(connection, mark.template)
    found = [row for row in (*seen, *enrolled) if row["kind"] in wanted]
    if wanted & {*_ATTENDANCE}:
        found += [row for row in _attendance(connection, mark, now) if row["kind"] in wanted]
    if found:
        blank = {"person_id": None, "unknown": None, "source": None, "distance": None}
        ids = {"sighting_id": None, "session_id": None}
        connection.execute(insert(events), [{**blank, **ids, **row} for row in found])
    replace(mark, sighting=sighting, template=template, attendance=now).keep(connection)


def _new_sightings(connection: Connection, after: int) -> tuple[list[dict[str, Any]], int]:
    columns = [sightings.c[name] for name in ("id", "first_seen", "person_id", "unknown", "source", "best_distance")]
    query = select(*columns).where(sightings.c.id > after).order_by(sightings.c.id).limit(_BATCH)
    found = connection.execute(query).all()
    rows = [
        {
            "kind": "sighting",
            "at": row.first_seen,
            "sighting_id": row.id,
            "person_id": row.person_id,
            "unknown": None if row.person_id is not None else row.unknown,
            "source": row.source,
            "distance": row.best_distance,
        }
        for row in found
    ]
    return rows, max((row.id for row in found), default=after)


def _enrolled(connection: Connection, after: int) -> tuple[list[dict[str, Any]], int]:
    table = templates
    query = select(table.c.id, table.c.person_id, table.c.created, table.c.negative).where(table.c.id > after)
    found = connection.execute(query.order_by(table.c.id).limit(_BATCH)).all()
    people_enrolled = {row.person_id: row.created for row in found if not row.negative}
    rows = [{"kind": "enrolment", "at": at, "person_id": person} for person, at in people_enrolled.items()]
    return rows, max((row.id for row in found), default=after)


def _attendance(connection: Connection, mark: _Mark, now: datetime) -> Iterator[dict[str, Any]]:
    table = attendance_sessions
    lately = or_(table.c.closed.is_(None), table.c.closed > mark.attendance)
    for session in connection.execute(select(table).where(table.c.opened <= now, lately)).all():
        told = _told(connection, session.id)
        is_over = session.closed is not None and session.closed <= now
        for person, stay in _arrived(connection, session).items():
            common = {"person_id": person, "session_id": session.id}
            if person not in told["check-in"] and stay.first_seen >= mark.began:
                yield {"kind": "check-in", "at": stay.first_seen, "source": stay.source, **common}
            if is_over and person not in told["check-out"]:
                yield {"kind": "check-out", "at": stay.last_seen, **common}


def _told(connection: Connection, session_id: int) -> Mapping[str, set[int]]:
    told: dict[str, set[int]] = {kind: set() for kind in _ATTENDANCE}
    query = select(events.c.kind, events.c.person_id).where(events.c.session_id == session_id)
    for kind, person in connection.execute(query):
        told[kind].add(person)
    return told


def _arrived(connection: Connection, session: Row[Any]) -> dict[int, Stay]:
    """Everybody of the gallery who came, by what was seen, by what is written and by what somebody said."""
    stays, table = read_stays(connection, session), attendance_entries
    said = or_(table.c.first_seen.is_not(None), table.c.by_hand)
    for entry in connection.execute(
        select(table).where(table.c.session_id == session.id, table.c.person_id.is_not(None), said)
    ):
        if entry.first_seen is None:
            stays.pop(entry.person_id, None)  # whoever was seen, it was not them
            continue
        stay = Stay(entry.first_seen, entry.last_seen, entry.source)
        stays[entry.person_id] = stay.with_other(stays.get(entry.person_id, stay))
    return stays
