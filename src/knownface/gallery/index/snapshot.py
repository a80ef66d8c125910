"""The light part of what a gallery keeps in memory of its database, in step by no more work than the changes need."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection, func, select

from knownface.gallery.changes import Changes, State, read_changes, read_position, read_state
from knownface.gallery.contracts import read_contract
from knownface.gallery.index.overlay import OverlayMap
from knownface.gallery.statements import chunks
from knownface.gallery.templates import read_vectors
from knownface.storage.schema import people, templates
from knownface.types import EmbedderContract, Embeddings, Ids

_NO_STATE = State(-1, -1, "")
_NO_IDS: Ids = np.empty(0, dtype=np.int64)
_NO_VECTORS: Embeddings = np.empty((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What the gallery said at one instant, all vectors but the counter-examples aside.

    Attributes:
        state: Which state of the gallery this is.
        position: The end of its log of changes.
        contract: Of the embedder that filled it.
        names: Name of each person id.
        thresholds: The people's own thresholds.
        last_person: Nobody of a greater id was there.
        templates: How many, counter-examples aside.
        last_template: No template or counter-example of a greater id was there.
        negatives: Counter-examples, float32, shape (n, dim).
        negative_ids: Their ids, ascending.
        negative_owners: Whose they are.
    """

    state: State = _NO_STATE
    position: int = -1
    contract: EmbedderContract | None = None
    names: OverlayMap[str] = field(default_factory=lambda: OverlayMap({}))
    thresholds: OverlayMap[float] = field(default_factory=lambda: OverlayMap({}))
    last_person: int = -1
    templates: int = 0
    last_template: int = -1
    negatives: Embeddings = field(default_factory=lambda: _NO_VECTORS)
    negative_ids: Ids = field(default_factory=lambda: _NO_IDS)
    negative_owners: Ids = field(default_factory=lambda: _NO_IDS)

    @property
    def holds_vectors(self) -> bool:
        """Whether there is any template or counter-example."""
        return self.templates > 0 or len(self.negative_owners) > 0


_NOTHING_SEEN = Snapshot()


class SnapshotReader:
    """Looks at a gallery; one thread at a time may use it.

    Args:
        place: What messages call the gallery.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self.view = _NOTHING_SEEN

    def look(self, connection: Connection) -> Snapshot:
        """Bring the view up to date. Costs next to nothing where nothing was changed."""
        state, before = read_state(connection), self.view
        if state == before.state:
            return before
        changes = None if before is _NOTHING_SEEN else read_changes(connection, before.position)
        if changes is None:
            before, changes = _NOTHING_SEEN, Changes(read_position(connection), *([_NO_IDS] * 4))
        self.view = self._after(connection, before, state, changes)
        return self.view

    def _after(self, connection: Connection, before: Snapshot, state: State, changes: Changes) -> Snapshot:
        names, thresholds, last_person = _people(connection, before, changes)
        contract = read_contract(connection)
        count, last = before.templates, before.last_template
        negatives, ids, owners = before.negatives, before.negative_ids, before.negative_owners
        if state.stamp != before.state.stamp:
            gone = changes.removed[changes.removed <= last]
            added, last_added = _added(connection, last)
            count += added - len(gone)
            if contract is not None:
                negatives, ids, owners = self._negatives(connection, before, changes, contract.dim)
            last = max(last, last_added)
        return Snapshot(
            state,
            changes.position,
            contract,
            names,
            thresholds,
            last_person,
            count,
            last,
            negatives,
            ids,
            owners,
        )

    def _negatives(
        self, connection: Connection, before: Snapshot, changes: Changes, dim: int
    ) -> tuple[Embeddings, Ids, Ids]:
        vectors, ids, owners = read_vectors(connection, dim, self._place, first=before.last_template + 1, negative=True)
        kept = ~np.isin(before.negative_ids, changes.negatives_removed)
        if kept.any():
            vectors = np.concatenate([before.negatives[kept], vectors])
            owners = np.concatenate([before.negative_owners[kept], owners])
            ids = np.concatenate([before.negative_ids[kept], ids])
        moved = np.isin(ids, changes.moved)
        if moved.any():
            now = read_some_owners(connection, ids[moved])
            owners[moved] = [now[i] for i in ids[moved].tolist()]
        return vectors, ids, owners


def read_some_owners(connection: Connection, ids: Ids) -> dict[int, int]:
    """Whose these templates and counter-examples are, those of them that there are."""
    owners: dict[int, int] = {}
    for chunk in chunks(ids.tolist()):
        query = select(templates.c.id, templates.c.person_id).where(templates.c.id.in_(chunk))
        owners.update((row.id, row.person_id) for row in connection.execute(query))
    return owners


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
    if before is _NOTHING_SEEN:
        return OverlayMap(names), OverlayMap(thresholds), last
    return before.names.changed(touched, names), before.thresholds.changed(touched, thresholds), last
