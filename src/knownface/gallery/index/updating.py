"""Bringing an index up to date with its gallery, by no more work than the changes need."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from knownface.gallery.changes import Changes, read_changes
from knownface.gallery.index.building import BuiltIndex
from knownface.gallery.index.person_lookup import NO_PERSON, PersonLookup
from knownface.gallery.index.snapshot import Snapshot, read_people_of
from knownface.gallery.index.template_selection import select_templates
from knownface.gallery.templates import read_people, read_vectors, read_vectors_of
from knownface.types import Embeddings, Ids


def update(connection: Connection, built: BuiltIndex, snapshot: Snapshot, most: int | None) -> None:
    """Bring an index to the revision of a snapshot.

    Args:
        connection: Sees the state that the snapshot is of.
        built: The index.
        snapshot: Of the gallery.
        most: Templates of each person that are searched; None for all.

    Raises:
        GalleryDamagedError: A template cannot be read.
    """
    if built.revision.stamp != snapshot.revision.stamp:
        changes = read_changes(connection, built.revision.position)
        if changes is None:
            _compare(connection, built, most)
        else:
            _apply(connection, built, changes, most)
    built.revision = snapshot.revision


def _apply(connection: Connection, built: BuiltIndex, changes: Changes, most: int | None) -> None:
    """Take over what the log says, and what was added."""
    removed, moved = built.people.held(changes.removed), built.people.held(changes.moved)
    touched = [built.people.people_of(removed), built.people.people_of(moved)]
    _remove(built, removed)
    now = read_people_of(connection, changes.moved)
    moved = built.people.held(moved)
    built.people.move(moved, np.array([now[i] for i in moved.tolist()], dtype=np.int64))
    first = built.revision.last_template + 1
    vectors, ids, people = read_vectors(connection, built.index.dim, first=first)
    if most is None:
        _add(built, ids, people, vectors)
        return
    touched += [people, np.array(list(now.values()), dtype=np.int64)]
    of_people = np.unique(np.concatenate(touched))
    ids, people = select_templates(connection, of_people, most, built.index.dim)
    _remove(built, np.setdiff1d(built.people.templates_of(of_people), ids, assume_unique=True))
    _fill(connection, built, ids, people)


def _compare(connection: Connection, built: BuiltIndex, most: int | None) -> None:
    """Where the log does not reach back: compare with all templates there are."""
    dim = built.index.dim
    ids, people = read_people(connection) if most is None else select_templates(connection, None, most, dim)
    _remove(built, np.setdiff1d(built.people.arrays()[0], ids, assume_unique=True))
    _fill(connection, built, ids, people)
    built.people = PersonLookup(ids, people)


def _fill(connection: Connection, built: BuiltIndex, ids: Ids, people: Ids) -> None:
    missing = built.people.people_of(ids) == NO_PERSON
    vectors, found, _ = read_vectors_of(connection, ids[missing], built.index.dim)
    _add(built, ids[missing], people[missing], vectors[np.argsort(found)])


def _remove(built: BuiltIndex, ids: Ids) -> None:
    if not len(ids):
        return
    built.index.remove(ids)
    built.people.remove(ids)
    if built.unsaved is not None:
        built.unsaved += len(ids)


def _add(built: BuiltIndex, ids: Ids, people: Ids, vectors: Embeddings) -> None:
    if not len(ids):
        return
    built.index.add(ids, vectors)
    built.people.add(ids, people)
    if built.unsaved is not None:
        built.unsaved += len(ids)
