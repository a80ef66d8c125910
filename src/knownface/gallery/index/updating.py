"""Keeping an index in step with its gallery, by no more work than the changes need."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from knownface.gallery.changes import Changes, read_changes
from knownface.gallery.index.building import Built
from knownface.gallery.index.person_lookup import NO_PERSON, PersonLookup
from knownface.gallery.index.snapshot import Snapshot, read_some_owners
from knownface.gallery.index.template_selection import read_kept
from knownface.gallery.templates import read_owners, read_vectors, read_vectors_of
from knownface.types import Embeddings, Ids


def follow(connection: Connection, built: Built, view: Snapshot, most: int | None, place: str) -> None:
    """Bring an index up to the state that a view is of.

    Args:
        connection: Sees that state.
        built: The index.
        view: Of the gallery.
        most: Templates a person that are searched; None for all.
        place: What messages call the gallery.

    Raises:
        GalleryDamagedError: A template cannot be read.
    """
    if built.stamp != view.state.stamp:
        changes = read_changes(connection, built.position)
        if changes is None:
            _compare(connection, built, most, place)
        else:
            _apply(connection, built, changes, most, place)
    built.stamp, built.position, built.last_template = view.state.stamp, view.position, view.last_template


def _apply(connection: Connection, built: Built, changes: Changes, most: int | None, place: str) -> None:
    """Take over what the log tells, and what was added."""
    gone, moved = built.owners.held(changes.removed), built.owners.held(changes.moved)
    touched = [built.owners.of(gone), built.owners.of(moved)]
    _remove(built, gone)
    now = read_some_owners(connection, changes.moved)
    moved = built.owners.held(moved)
    built.owners.give(moved, np.array([now[i] for i in moved.tolist()], dtype=np.int64))
    vectors, ids, owners = read_vectors(connection, built.index.dim, place, first=built.last_template + 1)
    if most is None:
        _add(built, ids, owners, vectors)
        return
    touched += [owners, np.array(list(now.values()), dtype=np.int64)]
    people = np.unique(np.concatenate(touched))
    ids, owners = read_kept(connection, people, most, built.index.dim, place)
    _remove(built, np.setdiff1d(built.owners.of_people(people), ids, assume_unique=True))
    _fill(connection, built, ids, owners, place)


def _compare(connection: Connection, built: Built, most: int | None, place: str) -> None:
    """Where the log does not reach back: compare with all templates there are."""
    ids, owners = read_owners(connection) if most is None else read_kept(connection, None, most, built.index.dim, place)
    _remove(built, np.setdiff1d(built.owners.arrays()[0], ids, assume_unique=True))
    _fill(connection, built, ids, owners, place)
    built.owners = PersonLookup(ids, owners)


def _fill(connection: Connection, built: Built, ids: Ids, owners: Ids, place: str) -> None:
    missing = built.owners.of(ids) == NO_PERSON
    vectors, found, _ = read_vectors_of(connection, ids[missing], built.index.dim, place)
    _add(built, ids[missing], owners[missing], vectors[np.argsort(found)])


def _remove(built: Built, gone: Ids) -> None:
    if not len(gone):
        return
    built.index.remove(gone)
    built.owners.remove(gone)
    if built.unsaved is not None:
        built.unsaved += len(gone)


def _add(built: Built, ids: Ids, owners: Ids, vectors: Embeddings) -> None:
    if not len(ids):
        return
    built.index.add(ids, vectors)
    built.owners.add(ids, owners)
    if built.unsaved is not None:
        built.unsaved += len(ids)
