"""Keeping an index in step with its gallery, by no more work than the changes need."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from knownface.gallery.building import Built
from knownface.gallery.changes import Changes, read_changes
from knownface.gallery.condensing import read_kept
from knownface.gallery.templates import read_owners, read_vectors, read_vectors_of
from knownface.gallery.view import View, read_some_owners
from knownface.types import Embeddings, Ids


def follow(connection: Connection, built: Built, view: View, most: int | None, place: str) -> None:
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
    gone = np.isin(built.templates, changes.removed)
    moved = np.flatnonzero(np.isin(built.templates, changes.moved))
    touched = [built.owners[gone], built.owners[moved]]
    now = read_some_owners(connection, changes.moved)
    if len(moved):
        built.owners = built.owners.copy()
        built.owners[moved] = [now.get(i, -1) for i in built.templates[moved].tolist()]
    vectors, ids, owners = read_vectors(connection, built.index.dim, place, first=built.last_template + 1)
    _remove(built, gone)
    if most is None:
        _add(built, ids, owners, vectors)
        return
    touched += [owners, np.array(list(now.values()), dtype=np.int64)]
    people = np.unique(np.concatenate(touched))
    ids, owners = read_kept(connection, people, most, built.index.dim, place)
    _remove(built, np.isin(built.owners, people) & ~np.isin(built.templates, ids))
    _fill(connection, built, ids, owners, place)


def _compare(connection: Connection, built: Built, most: int | None, place: str) -> None:
    """Where the log does not reach back: compare with all templates there are."""
    ids, owners = read_owners(connection) if most is None else read_kept(connection, None, most, built.index.dim, place)
    _remove(built, ~np.isin(built.templates, ids))
    _fill(connection, built, ids, owners, place)
    built.owners = owners


def _fill(connection: Connection, built: Built, ids: Ids, owners: Ids, place: str) -> None:
    missing = ~np.isin(ids, built.templates)
    vectors, found, _ = read_vectors_of(connection, ids[missing], built.index.dim, place)
    _add(built, ids[missing], owners[missing], vectors[np.argsort(found)])


def _remove(built: Built, gone: npt.NDArray[np.bool_]) -> None:
    if not gone.any():
        return
    built.index.remove(built.templates[gone])
    built.templates, built.owners = built.templates[~gone], built.owners[~gone]
    if built.unsaved is not None:
        built.unsaved += int(np.count_nonzero(gone))


def _add(built: Built, ids: Ids, owners: Ids, vectors: Embeddings) -> None:
    if not len(ids):
        return
    built.index.add(ids, vectors)
    templates, everybody = np.concatenate([built.templates, ids]), np.concatenate([built.owners, owners])
    if len(built.templates) and ids[0] < built.templates[-1]:
        order = np.argsort(templates)
        templates, everybody = templates[order], everybody[order]
    built.templates, built.owners = templates, everybody
    if built.unsaved is not None:
        built.unsaved += len(ids)
