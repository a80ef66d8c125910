"""What a gallery keeps in memory of its database: a light view, and the search index, both kept in step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from sqlalchemy import Connection, func, select

from knownface.gallery.changes import State, read_state
from knownface.gallery.contracts import read_contract
from knownface.gallery.saved_index import IndexKey, load_index
from knownface.gallery.templates import read_owners, read_vectors
from knownface.search import FaissFlatIndex
from knownface.search.base import empty_answer
from knownface.storage.schema import people, templates
from knownface.types import EmbedderContract, Embeddings, Ids, Neighbours

_NO_STATE = State(-1, -1, "")
_NO_IDS: Ids = np.empty(0, dtype=np.int64)
_NO_VECTORS: Embeddings = np.empty((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the gallery said at one instant, all vectors but the counter-examples aside.

    Attributes:
        state: Which state of the gallery this is.
        contract: Of the embedder that filled it.
        names: Name of each person id.
        thresholds: The people's own thresholds.
        templates: How many, counter-examples aside.
        negatives: Counter-examples, float32, shape (n, dim).
        negative_owners: Whose they are.
    """

    state: State = _NO_STATE
    contract: EmbedderContract | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    thresholds: Mapping[int, float] = field(default_factory=dict)
    templates: int = 0
    negatives: Embeddings = field(default_factory=lambda: _NO_VECTORS)
    negative_owners: Ids = field(default_factory=lambda: _NO_IDS)

    @property
    def holds_vectors(self) -> bool:
        """Whether there is any template or counter-example."""
        return self.templates > 0 or len(self.negative_owners) > 0


class LiveIndex:
    """The view and the index; the caller sees to it that one thread at a time uses them.

    Args:
        place: What messages call the gallery.
        file: The gallery's file, beside which an index may be saved; None in memory and on a server.
    """

    def __init__(self, place: str, file: Path | None) -> None:
        self._place = place
        self._file = file
        self.view = View()
        self.index: FaissFlatIndex | None = None
        self._key: IndexKey | None = None
        self._generation = -1
        self._templates = self._owners = _NO_IDS

    def look(self, connection: Connection) -> View:
        """Bring the view up to date. Costs next to nothing where nothing was changed."""
        state, before = read_state(connection), self.view
        if state == before.state:
            return before
        rows = connection.execute(select(people.c.id, people.c.name, people.c.threshold)).all()
        contract, count = before.contract, before.templates
        negatives, owners = before.negatives, before.negative_owners
        if state.stamp != before.state.stamp:
            contract = read_contract(connection)
            is_positive = templates.c.negative.is_(False)
            count = connection.scalar(select(func.count()).select_from(templates).where(is_positive)) or 0
            if contract is not None:
                negatives, _, owners = read_vectors(connection, contract.dim, self._place, negative=True)
        names = {row.id: row.name for row in rows}
        thresholds = {row.id: row.threshold for row in rows if row.threshold is not None}
        self.view = View(
            state, contract, MappingProxyType(names), MappingProxyType(thresholds), count, negatives, owners
        )
        return self.view

    @property
    def in_step(self) -> bool:
        """Whether the index holds what the view speaks of."""
        return self._key is not None and self._key.stamp == self.view.state.stamp

    def sync(self, connection: Connection) -> IndexKey | None:
        """Bring view and index up to date, by no more work than the changes need.

        Returns:
            What the index was made from, or None before the first template.
        """
        view = self.look(connection)
        if self.in_step:
            return self._key
        if view.contract is None:
            self.index = self._key = None
            return None
        if self.index is None or self._key is None or self._key.fingerprint != view.contract.fingerprint:
            saved = self._load(view)
            self._templates = self._owners = _NO_IDS
            if saved is not None:
                self.index = saved
                self._take_changes(connection, saved)
            else:
                self.index = FaissFlatIndex(view.contract.dim)
                self._take_additions(connection, self.index)
        elif self._generation >= view.state.rearranged:
            self._take_additions(connection, self.index)
        else:
            self._take_changes(connection, self.index)
        self._generation = view.state.generation
        self._key = IndexKey(self._generation, view.state.stamp, view.contract.fingerprint, len(self.index))
        return self._key

    def _load(self, view: View) -> FaissFlatIndex | None:
        if self._file is None or view.contract is None:
            return None
        return load_index(self._file, view.state.stamp, view.contract.fingerprint, view.contract.dim)

    def _take_additions(self, connection: Connection, index: FaissFlatIndex) -> None:
        # Ids only ever grow, so what was added stands behind everything that was there.
        first = int(self._templates[-1]) + 1 if len(self._templates) else 0
        vectors, ids, owners = read_vectors(connection, index.dim, self._place, first=first)
        index.add(ids, vectors)
        self._templates = np.concatenate([self._templates, ids])
        self._owners = np.concatenate([self._owners, owners])

    def _take_changes(self, connection: Connection, index: FaissFlatIndex) -> None:
        ids, owners = read_owners(connection)
        held = index.ids()
        index.remove(np.setdiff1d(held, ids, assume_unique=True))
        missing = np.setdiff1d(ids, held, assume_unique=True)
        if len(missing):
            vectors, found, _ = read_vectors(connection, index.dim, self._place, first=int(missing[0]))
            new = np.isin(found, missing)
            index.add(found[new], vectors[new])
        self._templates, self._owners = ids, owners

    def search(self, embeddings: Embeddings, k: int) -> Neighbours:
        """The k nearest templates of each probe, as of the last :meth:`sync`."""
        if self.index is None:
            distances, ids = empty_answer(len(embeddings), k)
        else:
            distances, ids = self.index.search(embeddings, k)
        owners = np.full(ids.shape, -1, dtype=np.int64)
        found = ids >= 0
        owners[found] = self._owners[np.searchsorted(self._templates, ids[found])]
        return Neighbours(distances, ids, owners)
