"""The index of a gallery in this process: of a kind that suits its size, saved beside it, renewed in the background."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from knownface.errors import IndexDamagedError, KnownFaceError, OutputError
from knownface.files import beside, put_in_place
from knownface.gallery.changes import read_changes, stamp_at
from knownface.gallery.index.building import BuiltIndex, build
from knownface.gallery.index.person_lookup import NO_PERSON, PersonLookup
from knownface.gallery.index.saved import (
    IndexDescription,
    delete_index,
    describe_index,
    index_files,
    load_index,
    read_description,
)
from knownface.gallery.index.sizes import kind_for, kinds
from knownface.gallery.index.snapshot import Snapshot, SnapshotReader
from knownface.gallery.index.updating import update
from knownface.gallery.templates import read_vectors_of
from knownface.search import VectorIndex
from knownface.search.base import empty_answer
from knownface.search.row_file import erase_rows
from knownface.types import Embeddings, Neighbours

_log = logging.getLogger(__name__)

WORTH_SAVING = 20_000
"""Templates from which on closing a gallery saves its index. Building a smaller one takes no time that is felt."""

_LEEWAY = 1.25
"""How far a size may lie beyond a limit before the index that is there is replaced."""


@dataclass(frozen=True, slots=True)
class LocalIndex:
    """An index in this process; see :class:`knownface.gallery.index.copy.IndexChoice`.

    Attributes:
        kind: Which; None chooses by size.
        effort: As for :meth:`knownface.search.VectorIndex.load`.
        templates_per_person: The most that are searched of each person, chosen by coverage and quality; None is all.
    """

    kind: type[VectorIndex] | None = None
    effort: int | None = None
    templates_per_person: int | None = None

    def kind_for(self, count: int) -> type[VectorIndex]:
        """The kind for so many templates."""
        return kind_for(count) if self.kind is None else self.kind

    def kind_named(self, name: str) -> type[VectorIndex] | None:
        """The kind of that name, if it may be used."""
        usable = kinds() if self.kind is None else (self.kind,)
        return next((kind for kind in usable if kind.name == name), None)

    def is_outgrown(self, index: VectorIndex) -> bool:
        """Whether an index should be replaced by one of another kind, or built anew."""
        kinds = {self.kind_for(round(len(index) * leeway)) for leeway in (_LEEWAY, 1 / _LEEWAY)}
        return index.outgrown or type(index) not in kinds

    def open(self, snapshots: SnapshotReader) -> LocalCopy:
        """The copy for one opened gallery."""
        return LocalCopy(snapshots, self)


class LocalCopy:
    """See :class:`knownface.gallery.index.copy.SearchCopy`.

    Args:
        snapshots: Of the gallery.
        choice: Which index, and of what.
    """

    def __init__(self, snapshots: SnapshotReader, choice: LocalIndex) -> None:
        self._snapshots, self._database, self._choice = snapshots, snapshots.database, choice
        self._file = self._database.location.file
        if self._file is not None and self._database.sealer is not None:
            # Vectors that are sealed in the database must not lie open beside it; nor what a program left that was
            # stopped while it encrypted the gallery.
            delete_index(self._file)
            self._file = None
        self._built: BuiltIndex | None = None
        self._renewing: threading.Thread | None = None

    @property
    def index(self) -> VectorIndex | None:
        """The index; None before the first update of a gallery with templates."""
        return None if self._built is None else self._built.index

    @property
    def description(self) -> str:
        """What searches, or would, for users."""
        index, templates = self.index, self._snapshots.latest.templates
        return self._choice.kind_for(templates).description if index is None else index.description

    @property
    def is_current(self) -> bool:
        """Whether it holds the templates of the latest snapshot."""
        return self._built is not None and self._built.revision.stamp == self._snapshots.latest.revision.stamp

    # Updating

    def update(self, connection: Connection) -> None:
        """Bring the index to the latest snapshot, by no more work than the changes need."""
        snapshot = self._snapshots.latest
        if self.is_current:
            return
        if snapshot.contract is None:
            self._built = None
            return
        if self._built is None or self._built.revision.fingerprint != snapshot.revision.fingerprint:
            self._built = self._load(connection, snapshot) or self._build(connection, snapshot)
        update(connection, self._built, snapshot, self._choice.templates_per_person)

    def _build(self, connection: Connection, snapshot: Snapshot) -> BuiltIndex:
        most, effort = self._choice.templates_per_person, self._choice.effort
        path = None if self._file is None else beside(index_files(self._file)[0])
        try:
            return build(connection, snapshot, self._choice.kind_for, most, effort, path)
        except (OutputError, IndexDamagedError) as error:
            _log.warning("The index of %s is kept in memory: %s", self._database, error)
            return build(connection, snapshot, self._choice.kind_for, most, effort)

    def _load(self, connection: Connection, snapshot: Snapshot) -> BuiltIndex | None:
        if self._file is None or snapshot.contract is None:
            return None
        description = read_description(self._file)
        kind = None if description is None else self._usable_kind(connection, description)
        if description is None or kind is None:
            return None
        dim = snapshot.contract.dim
        saved = load_index(self._file, dim, kind, self._choice.effort)
        if saved is None:
            return None
        people = PersonLookup(saved.templates, saved.people)
        # Erased by a removal that was then rolled back, or damaged.
        lost = np.setdiff1d(saved.templates, saved.index.ids(), assume_unique=True)
        vectors, ids, _ = read_vectors_of(connection, lost, dim)
        saved.index.add(ids, vectors)
        return BuiltIndex(saved.index, people, description.revision, unsaved=0)

    def _usable_kind(self, connection: Connection, saved: IndexDescription) -> type[VectorIndex] | None:
        """The kind of a saved index; None if it is not what is wanted, or not of this gallery."""
        now, then = self._snapshots.latest.revision, saved.revision
        if then.fingerprint != now.fingerprint or saved.templates_per_person != self._choice.templates_per_person:
            return None
        # A copy of the gallery that was changed apart has other stamps, at the same places of its log.
        if then.stamp not in (now.stamp, stamp_at(connection, then.position)):
            return None
        return self._choice.kind_named(saved.kind)

    def reset(self) -> None:
        """Drop the index, and what is saved of it."""
        self._built = None
        if self._file is not None:
            delete_index(self._file)

    def after_removal(self) -> None:
        """Nothing: whoever removed a template has erased it in the saved index."""

    # Searching

    def search(self, embeddings: Embeddings, k: int) -> Neighbours:
        """The k nearest templates of each probe, as of the last update."""
        if self._built is None:
            distances, ids = empty_answer(len(embeddings), k)
            return Neighbours(distances, ids, np.full(ids.shape, NO_PERSON, dtype=np.int64))
        distances, ids = self._built.index.search(embeddings, k)
        return Neighbours(distances, ids, self._built.people.people_of(ids))

    # Renewing

    def maintain(self) -> None:
        """Give a file that was built its place; build another index in the background where this one is outgrown."""
        try:
            if self._built is not None and self._built.unplaced is not None:
                with self._database.writing() as connection:
                    self._place(connection)
            if self._renewing is not None or self._built is None or not self._choice.is_outgrown(self._built.index):
                return
            if self._database.location.is_memory:
                # There is one connection, which a thread would keep from everybody.
                with self._database.reading() as connection:
                    self._replace(connection, self._renewed(connection))
            else:
                self._renewing = threading.Thread(target=self._renew, name="knownface-index")
                self._renewing.start()
        except KnownFaceError as error:
            _log.warning("The index of %s was not saved; it is built again when needed: %s", self._database, error)

    def _renew(self) -> None:
        try:
            with self._database.reading() as connection:
                built = self._renewed(connection)
            with self._snapshots.lock, self._database.writing() as connection:
                self._replace(connection, built)
                self._place(connection)
            self._renewing = None
        except KnownFaceError as error:
            # Not tried again before the next start.
            _log.warning("The index of %s goes on as it is; a larger one was not built: %s", self._database, error)

    def _renewed(self, connection: Connection) -> BuiltIndex | None:
        """Another index of what the connection sees; this one goes on being searched, by other threads too."""
        snapshot = SnapshotReader(self._database).read(connection)
        return None if snapshot.contract is None else self._build(connection, snapshot)

    def _replace(self, connection: Connection, built: BuiltIndex | None) -> None:
        snapshot = self._snapshots.read(connection)
        if built is not None and built.revision.fingerprint == snapshot.revision.fingerprint:
            update(connection, built, snapshot, self._choice.templates_per_person)
            self._built = built

    # Saving

    def is_saved(self, connection: Connection) -> bool | None:
        """Whether there is a saved index that the next start can use; None where none is ever saved."""
        if self._database.sealer is not None:
            return None
        saved = None if self._file is None else read_description(self._file)
        return saved is not None and self._usable_kind(connection, saved) is not None

    def save(self) -> None:
        """Bring the index up to date and save it, where what is saved is older."""
        # Writing, so that nobody can remove a person between the look at the database and the saving.
        with self._database.writing() as connection:
            self._snapshots.read(connection)
            self.update(connection)
            self._save(connection)

    def _save(self, connection: Connection) -> None:
        built, file = self._built, self._file
        if built is None or file is None:
            return
        self._place(connection)
        if built.unsaved == 0 and read_description(file) is not None:
            return
        kind, index_file = type(built.index), index_files(file)[0]
        built.index.save(index_file)
        description = IndexDescription(
            self._snapshots.latest.generation,
            built.revision,
            len(built.people),
            kind.name,
            self._choice.templates_per_person,
        )
        describe_index(file, description, kind, *built.people.arrays())
        if kind.maps_file:
            built.index = kind.load(index_file, self._choice.effort)
        built.unsaved = 0

    def _place(self, connection: Connection) -> None:
        """Give the file that the index was built into its place, as of then; in a writing transaction."""
        built, file = self._built, self._file
        if built is None or built.unplaced is None or file is None:
            return
        unplaced, built.unplaced = built.unplaced, None
        changes = read_changes(connection, unplaced.description.revision.position)
        if changes is None or not unplaced.path.exists():
            # Deleted by somebody who removed a template meanwhile; what is mapped stays until the index is let go.
            built.unsaved = None
            unplaced.path.unlink(missing_ok=True)
            return
        erase_rows(unplaced.path, changes.removed)
        put_in_place(unplaced.path, index_files(file)[0])
        describe_index(file, unplaced.description, type(built.index), unplaced.templates, unplaced.people)

    def close(self) -> None:
        """Wait for what is being built, and save the index where the next start would be quicker for it."""
        renewing = self._renewing
        if renewing is not None:
            renewing.join()
        if not self._is_worth_saving:
            return
        try:
            with self._snapshots.lock:
                self.save()
        except KnownFaceError as error:
            _log.warning("The index was not saved; it is built again when needed: %s", error)

    @property
    def _is_worth_saving(self) -> bool:
        built, file = self._built, self._file
        if built is None or file is None or len(built.index) < WORTH_SAVING:
            return False
        return built.unsaved is None or built.unsaved >= WORTH_SAVING or read_description(file) is None
