"""What a gallery keeps in memory of its database: a light view, and the search index, both kept in step."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from knownface.errors import IndexDamagedError, OutputError
from knownface.files import beside, put_in_place
from knownface.gallery.changes import read_changes, stamp_at
from knownface.gallery.index.building import Built, build
from knownface.gallery.index.options import IndexOptions, Kind, LocalIndex, kind_of
from knownface.gallery.index.person_lookup import PersonLookup
from knownface.gallery.index.saved import (
    IndexKey,
    delete_index,
    describe_index,
    index_files,
    load_index,
    read_index,
    saved_key,
)
from knownface.gallery.index.snapshot import Snapshot, SnapshotReader
from knownface.gallery.index.updating import follow
from knownface.gallery.templates import read_vectors_of
from knownface.search.base import empty_answer
from knownface.search.row_file import erase_rows
from knownface.types import Embeddings, Neighbours

__all__ = ["LiveIndex", "Snapshot"]

_log = logging.getLogger(__name__)

WORTH_SAVING = 20_000
"""Templates from which on closing a gallery saves its index. Building a smaller one takes no time that is felt."""


class LiveIndex:
    """The view and the index; the caller sees to it that one thread at a time uses them.

    Args:
        place: What messages call the gallery.
        file: The gallery's file, beside which an index may be saved; None in memory and on a server.
        options: Which index, and of what.
    """

    def __init__(self, place: str, file: Path | None, options: IndexOptions | None = None) -> None:
        self._place, self._file = place, file
        self._options = options or IndexOptions()
        self._looking = SnapshotReader(place)
        self._built: Built | None = None

    @property
    def view(self) -> Snapshot:
        """What the gallery said when it was looked at last."""
        return self._looking.view

    @property
    def index(self) -> LocalIndex | None:
        """The index; None before the first template was looked for."""
        return None if self._built is None else self._built.index

    def look(self, connection: Connection) -> Snapshot:
        """Bring the view up to date. Costs next to nothing where nothing was changed."""
        return self._looking.look(connection)

    @property
    def in_step(self) -> bool:
        """Whether the index holds what the view speaks of."""
        return self._built is not None and self._built.stamp == self.view.state.stamp

    @property
    def is_outgrown(self) -> bool:
        """Whether the index should be built anew, of another kind or trained on what is there now."""
        return self._built is not None and self._options.is_outgrown(self._built.index)

    @property
    def kind(self) -> Kind:
        """Which kind of index searches, or would."""
        if self._built is not None:
            return kind_of(self._built.index)
        return self._options.kind_for(self.view.templates)

    def is_saved(self, connection: Connection) -> bool:
        """Whether there is a saved index that the next start can use."""
        key = None if self._file is None else saved_key(self._file)
        return key is not None and self._is_usable(connection, key)

    @property
    def is_worth_saving(self) -> bool:
        """Whether the next start would be quicker for saving the index now."""
        built, file = self._built, self._file
        if built is None or file is None or len(built.index) < WORTH_SAVING:
            return False
        return built.unsaved is None or built.unsaved >= WORTH_SAVING or saved_key(file) is None

    def sync(self, connection: Connection) -> None:
        """Bring view and index up to date, by no more work than the changes need."""
        view = self.look(connection)
        if self.in_step:
            return
        if view.contract is None:
            self._built = None
            return
        if self._built is None or self._built.fingerprint != view.contract.fingerprint:
            self._built = self._load(connection) or self._build(connection, view)
        follow(connection, self._built, view, self._options.templates_per_person, self._place)

    def build(self, connection: Connection) -> Built | None:
        """Build an index of what the connection sees; this one goes on being searched, by other threads too."""
        view = SnapshotReader(self._place).look(connection)
        return None if view.contract is None else self._build(connection, view)

    def adopt(self, connection: Connection, built: Built | None) -> None:
        """Take an index that was built meanwhile, and bring it up to date."""
        view = self.look(connection)
        if built is not None and view.contract is not None and view.contract.fingerprint == built.fingerprint:
            follow(connection, built, view, self._options.templates_per_person, self._place)
            self._built = built

    def forget(self) -> None:
        """Let go of the index; the next :meth:`sync` builds it from the database."""
        self._built = None
        if self._file is not None:
            delete_index(self._file)

    def _build(self, connection: Connection, view: Snapshot) -> Built:
        part = None if self._file is None else beside(index_files(self._file)[0])
        try:
            return build(connection, view, self._options, self._place, part)
        except (OutputError, IndexDamagedError) as error:
            _log.warning("The index of %s is kept in memory: %s", self._place, error)
            return build(connection, view, self._options, self._place)

    def _load(self, connection: Connection) -> Built | None:
        contract = self.view.contract
        if self._file is None or contract is None:
            return None
        saved = load_index(self._file, contract.dim, self._options.probes)
        if saved is None or not self._is_usable(connection, saved.key):
            return None
        key = saved.key
        built = Built(
            saved.index,
            PersonLookup(saved.templates, saved.owners),
            key.stamp,
            key.position,
            key.last_template,
            key.fingerprint,
            unsaved=0,
        )
        # Erased by a removal that was then rolled back, or damaged.
        lost = np.setdiff1d(saved.templates, saved.index.ids(), assume_unique=True)
        vectors, ids, _ = read_vectors_of(connection, lost, contract.dim, self._place)
        saved.index.add(ids, vectors)
        return built

    def _is_usable(self, connection: Connection, key: IndexKey) -> bool:
        view, options = self.view, self._options
        if view.contract is None or key.fingerprint != view.contract.fingerprint:
            return False
        if key.templates_per_person != options.templates_per_person or options.kind not in {None, key.kind}:
            return False
        # A copy of the gallery that was changed apart has other stamps, at the same places of its log.
        return key.stamp == view.state.stamp or key.stamp == stamp_at(connection, key.position)

    def search(self, embeddings: Embeddings, k: int) -> Neighbours:
        """The k nearest templates of each probe, as of the last :meth:`sync`."""
        if self._built is None:
            distances, ids = empty_answer(len(embeddings), k)
            return Neighbours(distances, ids, np.full(ids.shape, -1, dtype=np.int64))
        distances, ids = self._built.index.search(embeddings, k)
        return Neighbours(distances, ids, self._built.owners.of(ids))

    def save(self, connection: Connection) -> None:
        """Save the index, where what is saved is older.

        Args:
            connection: In a writing transaction, so that nobody can remove a person between the look at the database
                and the saving of an index that still holds them.

        Raises:
            OutputError: It cannot be written.
        """
        self.sync(connection)
        built, file = self._built, self._file
        if built is None or file is None:
            return
        self.place(connection)
        if built.unsaved == 0 and saved_key(file) is not None:
            return
        kind, index_file = kind_of(built.index), index_files(file)[0]
        built.index.save(index_file)
        key = IndexKey(
            self.view.state.generation,
            built.stamp,
            built.position,
            built.last_template,
            built.fingerprint,
            len(built.owners),
            kind,
            self._options.templates_per_person,
        )
        describe_index(file, key, *built.owners.arrays())
        if kind != "flat":
            built.index = read_index(index_file, kind, self._options.probes)
        built.unsaved = 0

    @property
    def waits_for_place(self) -> bool:
        """Whether the index maps a file that has no name of its own yet; see :meth:`place`."""
        return self._built is not None and self._built.part is not None

    def place(self, connection: Connection) -> None:
        """Save the file that the index was built into, as of then; does nothing where there is none.

        Args:
            connection: In a writing transaction.

        Raises:
            OutputError: It cannot be written.
        """
        built, file = self._built, self._file
        if built is None or built.part is None or file is None:
            return
        part, built.part = built.part, None
        changes = read_changes(connection, part.key.position)
        if changes is None or not part.file.exists():
            # Deleted by somebody who removed a template meanwhile; what is mapped stays until the index is let go.
            built.unsaved = None
            part.file.unlink(missing_ok=True)
            return
        erase_rows(part.file, changes.removed)
        put_in_place(part.file, index_files(file)[0])
        describe_index(file, part.key, part.templates, part.owners)
