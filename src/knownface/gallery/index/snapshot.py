"""What a gallery keeps in memory of its database beside the index, brought up to date from the log of changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection, func, select

from knownface.gallery.calibration import read_calibrated
from knownface.gallery.changes import Changes, State, read_changes, read_position, read_state
from knownface.gallery.consents import Permits, read_permits
from knownface.gallery.contracts import read_contract
from knownface.gallery.index.overlay import OverlayMap
from knownface.gallery.spread import KeptSpread, read_spread
from knownface.gallery.templates import read_vectors
from knownface.storage import Database
from knownface.storage.schema import people, templates
from knownface.storage.statements import chunks
from knownface.types import DecisionRule, EmbedderContract, Embeddings, Ids, Purpose

_NO_IDS: Ids = np.empty(0, dtype=np.int64)
_NO_VECTORS: Embeddings = np.empty((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Revision:
    """Which templates of a gallery something was made from.

    Attributes:
        stamp: Of the gallery's templates: new and random after every change of them.
        position: The end of the gallery's log of changes.
        last_template: No template or counter-example of a greater id was there.
        fingerprint: Of the embedder's contract; "" before the first template.
    """

    stamp: str = ""
    position: int = -1
    last_template: int = -1
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What the gallery held at one instant, all vectors but the counter-examples' aside.

    Attributes:
        generation: One higher after every change of people, templates, calibration or what is measured of them.
        revision: Of the templates.
        contract: Of the embedder that filled it.
        names: Name of each person id.
        thresholds: The people's own thresholds.
        last_person: Nobody of a greater id was there.
        templates: How many, counter-examples aside.
        negatives: Counter-examples, float32, shape (n, dim).
        negative_ids: Their ids, ascending.
        negative_people: The ids of the people they are not.
        spread: How alike the people are to each other; None where that was never measured.
        calibrated: The parameters of the gallery's calibration, and the fingerprint of the embedder that they are for.
        permits: Who may be named; None where the gallery demands no consent.
    """

    generation: int = -1
    revision: Revision = field(default_factory=Revision)
    contract: EmbedderContract | None = None
    names: OverlayMap[str] = field(default_factory=lambda: OverlayMap({}))
    thresholds: OverlayMap[float] = field(default_factory=lambda: OverlayMap({}))
    last_person: int = -1
    templates: int = 0
    negatives: Embeddings = field(default_factory=lambda: _NO_VECTORS)
    negative_ids: Ids = field(default_factory=lambda: _NO_IDS)
    negative_people: Ids = field(default_factory=lambda: _NO_IDS)
    spread: KeptSpread | None = None
    calibrated: tuple[DecisionRule, str] | None = None
    permits: Permits | None = None

    def names_for(self, purpose: Purpose) -> Mapping[int, str]:
        """The names of those who may be named for a purpose today, by id."""
        if self.permits is None:
            return self.names
        return {person: self.names[person] for person in self.permits.people(purpose) if person in self.names}

    @property
    def holds_vectors(self) -> bool:
        """Whether there is any template or counter-example."""
        return self.templates > 0 or len(self.negative_people) > 0


_NOTHING_READ = Snapshot()


class SnapshotReader:
    """Reads snapshots of a gallery, each from the one before and what was changed since.

    Args:
        database: The gallery's.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.lock = threading.Lock()
        """Held by the thread that uses this object, or a copy that follows its snapshots."""
        self.latest = _NOTHING_READ

    def read(self, connection: Connection) -> Snapshot:
        """Bring the latest snapshot up to date. Costs next to nothing where nothing was changed."""
        state, before = read_state(connection), self.latest
        if (state.generation, state.stamp) == (before.generation, before.revision.stamp):
            return before
        changes = None if before is _NOTHING_READ else read_changes(connection, before.revision.position)
        if changes is None:
            before, changes = _NOTHING_READ, Changes(read_position(connection), *([_NO_IDS] * 4))
        self.latest = _after(connection, before, state, changes)
        return self.latest


def _after(connection: Connection, before: Snapshot, state: State, changes: Changes) -> Snapshot:
    names, thresholds, last_person = _people(connection, before, changes)
    contract = read_contract(connection)
    count, last = before.templates, before.revision.last_template
    negatives = before.negatives, before.negative_ids, before.negative_people
    if state.stamp != before.revision.stamp:
        removed = changes.removed[changes.removed <= last]
        added, last_added = _added(connection, last)
        count += added - len(removed)
        if contract is not None:
            negatives = _negatives(connection, before, changes, contract.dim)
        last = max(last, last_added)
    fingerprint = "" if contract is None else contract.fingerprint
    revision = Revision(state.stamp, changes.position, last, fingerprint)
    return Snapshot(
        state.generation,
        revision,
        contract,
        names,
        thresholds,
        last_person,
        count,
        *negatives,
        read_spread(connection),
        read_calibrated(connection),
        read_permits(connection, before.permits),
    )


def _negatives(connection: Connection, before: Snapshot, changes: Changes, dim: int) -> tuple[Embeddings, Ids, Ids]:
    vectors, ids, people_of = read_vectors(connection, dim, first=before.revision.last_template + 1, negative=True)
    kept = ~np.isin(before.negative_ids, changes.negatives_removed)
    if kept.any():
        vectors = np.concatenate([before.negatives[kept], vectors])
        people_of = np.concatenate([before.negative_people[kept], people_of])
        ids = np.concatenate([before.negative_ids[kept], ids])
    moved = np.isin(ids, changes.moved)
    if moved.any():
        now = read_people_of(connection, ids[moved])
        people_of[moved] = [now[i] for i in ids[moved].tolist()]
    return vectors, ids, people_of


def read_people_of(connection: Connection, ids: Ids) -> dict[int, int]:
    """Whose these templates and counter-examples are, those of them that there are."""
    found: dict[int, int] = {}
    for chunk in chunks(ids.tolist()):
        query = select(templates.c.id, templates.c.person_id).where(templates.c.id.in_(chunk))
        found.update((row.id, row.person_id) for row in connection.execute(query))
    return found


def _added(connection: Connection, last: int) -> tuple[int, int]:
    """How many templates have greater ids than ``last``, counter-examples aside, and the greatest id of both."""
    query = select(func.count()).select_from(templates).where(templates.c.negative.is_(False))
    if last >= 0:
        query = query.where(templates.c.id > last)
    greatest = connection.scalar(select(func.max(templates.c.id)))
    return connection.scalar(query) or 0, -1 if greatest is None else int(greatest)


def _people(
    connection: Connection, before: Snapshot, changes: Changes
) -> tuple[OverlayMap[str], OverlayMap[float], int]:
    query = select(people.c.id, people.c.name, people.c.threshold)
    rows = list(connection.execute(query.where(people.c.id > before.last_person)).all())
    last = max((row[0] for row in rows), default=before.last_person)
    touched = changes.people.tolist()
    for chunk in chunks(touched):
        rows += connection.execute(query.where(people.c.id.in_(chunk))).all()
    names = {person: name for person, name, _ in rows}
    thresholds = {person: threshold for person, _, threshold in rows if threshold is not None}
    if before is _NOTHING_READ:
        return OverlayMap(names), OverlayMap(thresholds), last
    return before.names.changed(touched, names), before.thresholds.changed(touched, thresholds), last
