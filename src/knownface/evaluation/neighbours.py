"""The nearest templates of many probes, exactly, with some of the templates hidden from some of the probes.

Hiding is what calibration needs: a template searched without its own source (a genuine search of a picture that the
gallery holds) or without its own person (the search of somebody who is not enrolled). The indexes of
:mod:`knownface.search` have no such masks, and an evaluation needs the same order of ties in every run, so the work
is done here, in blocks of matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.decision import NOBODY, means_of_people
from knownface.scorings import Scoring
from knownface.types import Embeddings, Ids, Neighbours

Groups: TypeAlias = tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]
"""A group number of each template, shape (m,), and of each probe, shape (n,): equal numbers do not see each other."""

_BLOCK = 1 << 23
"""Numbers held at a time, so that memory stays bounded: about 64 MiB."""
_SPARE = 16
"""Candidates beyond k whose distance is computed exactly."""


def nearest_templates(
    templates: Embeddings,
    people: Ids,
    probes: Embeddings,
    k: int,
    *,
    hide: Sequence[Groups] = (),
) -> Neighbours:
    """The k nearest templates of every probe, ordered by distance, then row.

    Candidates come from a matrix product in float32, which loses digits where two vectors are close; their distances
    are then computed from the differences in float64. Where rounding could have hidden a candidate, the row is done
    again in full: the result is that of a plain loop.

    Args:
        templates: Float32, shape (m, dim).
        people: Int64, shape (m,): whose templates they are; not negative.
        probes: Float32, shape (n, dim).
        k: Neighbours a probe. Where fewer can be seen, the rest has ids -1 and infinite distance.
        hide: Groupings of templates and probes; those that share a group in any of them do not see each other.

    Returns:
        Shape (n, k); a template's id is its row.
    """
    n, m = len(probes), len(templates)
    distances = np.full((n, k), np.inf, dtype=np.float32)
    rows = np.full((n, k), NOBODY, dtype=np.int64)
    candidates = min(m, k + _SPARE)
    step = max(1, _BLOCK // max(1, m, candidates * templates.shape[1]))
    norms = np.einsum("ij,ij->i", templates, templates)
    for start in range(0, n, step):
        part = slice(start, start + step)
        found = _block(templates, norms, probes[part], candidates, _hidden(hide, part))
        width = min(k, candidates)
        distances[part, :width] = found[0][:, :width]
        rows[part, :width] = found[1][:, :width]
    rows[np.isinf(distances)] = NOBODY
    who = np.where(rows == NOBODY, NOBODY, people[rows]) if m else rows.copy()
    return Neighbours(distances, rows, who)


def _hidden(hide: Sequence[Groups], part: slice) -> npt.NDArray[np.bool_] | None:
    hidden: npt.NDArray[np.bool_] | None = None
    for of_templates, of_probes in hide:
        same = of_probes[part, None] == of_templates[None, :]
        hidden = same if hidden is None else hidden | same
    return hidden


def _block(
    templates: Embeddings,
    norms: npt.NDArray[np.float32],
    probes: Embeddings,
    candidates: int,
    hidden: npt.NDArray[np.bool_] | None,
) -> tuple[npt.NDArray[np.float32], Ids]:
    """Distances and rows of the candidates of some probes, in order."""
    m, dim = templates.shape
    rough = norms[None, :] - 2.0 * (probes @ templates.T)
    if hidden is not None:
        rough[hidden] = np.inf
    if candidates == m:
        chosen = np.broadcast_to(np.arange(m), rough.shape)
        return _exact(templates, probes, chosen, hidden)
    chosen = np.argpartition(rough, candidates - 1, axis=1)[:, :candidates]
    distances, rows = _exact(templates, probes, chosen, hidden)
    # A template left out is at least as far, up to rounding, as the farthest candidate.
    farthest = np.take_along_axis(rough, chosen, axis=1).max(axis=1) + np.einsum("ij,ij->i", probes, probes)
    wanted = distances[:, candidates - 1 - _SPARE].astype(np.float64) ** 2
    rounding = 16.0 * dim * np.finfo(np.float32).eps
    # With fewer visible templates than candidates, everything visible is among them.
    with np.errstate(invalid="ignore"):  # infinite both where nothing was left out
        unsure = np.isfinite(farthest) & (farthest - wanted < rounding)
    for row in np.flatnonzero(unsure):
        all_rows = np.arange(m)[None, :]
        mask = None if hidden is None else hidden[row : row + 1]
        full = _exact(templates, probes[row : row + 1], all_rows, mask)
        distances[row], rows[row] = full[0][0, :candidates], full[1][0, :candidates]
    return distances, rows


def _exact(
    templates: Embeddings, probes: Embeddings, chosen: npt.NDArray[np.int64], hidden: npt.NDArray[np.bool_] | None
) -> tuple[npt.NDArray[np.float32], Ids]:
    """Exact distances of chosen templates, sorted by distance, then row; hidden ones infinite and last."""
    distances = np.empty(chosen.shape, dtype=np.float32)
    step = max(1, _BLOCK // max(1, len(probes) * templates.shape[1]))
    for start in range(0, chosen.shape[1], step):
        part = slice(start, start + step)
        difference = probes[:, None, :].astype(np.float64) - templates[chosen[:, part]]
        distances[:, part] = np.sqrt(np.einsum("ijk,ijk->ij", difference, difference))
    if hidden is not None:
        distances[np.take_along_axis(hidden, chosen, axis=1)] = np.inf
    order = np.lexsort((chosen, distances), axis=-1)
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(chosen, order, axis=1)


def with_rivals(
    near: Neighbours, k: int, templates: Embeddings, people: Ids, probes: Embeddings, hide: Sequence[Groups] = ()
) -> Neighbours:
    """The first k neighbours and one more column: where only one person is among them, the nearest of anybody else.

    So a margin, which asks how near somebody else is, is decided rightly even where one person's templates fill all
    columns. Other rows get id -1 and infinite distance there. The arguments are those of :func:`nearest_templates`;
    more neighbours than k are looked through before templates are.
    """
    first = Neighbours(near.distances[:, :k], near.templates[:, :k], near.people[:, :k])
    whose = near.people[:, :1]
    other = (near.people != whose) & (near.people != NOBODY)
    column = other.argmax(axis=1)[:, None]
    beyond = other.any(axis=1, keepdims=True) & (column >= k)
    rows = np.where(beyond, np.take_along_axis(near.templates, column, axis=1), NOBODY)
    who = np.where(beyond, np.take_along_axis(near.people, column, axis=1), NOBODY)
    distances = np.where(beyond, np.take_along_axis(near.distances, column, axis=1), np.float32(np.inf))
    alone = np.flatnonzero((whose[:, 0] != NOBODY) & ~other.any(axis=1))
    seen = [(of_templates, of_probes[alone]) for of_templates, of_probes in hide]
    rivals = nearest_templates(templates, people, probes[alone], 1, hide=[*seen, (people, whose[alone, 0])])
    distances[alone], rows[alone], who[alone] = rivals.distances, rivals.templates, rivals.people
    return Neighbours(
        np.hstack([first.distances, distances]), np.hstack([first.templates, rows]), np.hstack([first.people, who])
    )


def nearest_of_people(
    templates: Embeddings, people: Ids, probes: Embeddings, scoring: Scoring = "nearest"
) -> npt.NDArray[np.float64]:
    """The distance of every probe to every person's nearest template, or to their mean where it counts and is nearer.

    Args:
        templates: Float32, shape (m, dim), m at least 1.
        people: Int64, shape (m,): codes 0 to p - 1, each present.
        probes: Float32, shape (n, dim).
        scoring: What the distances are measured to.

    Returns:
        Float64, shape (n, p).
    """
    if scoring == "nearest+mean":
        whose, means = means_of_people(templates, np.arange(len(templates)), people)
        templates, people = np.concatenate([templates, means]), np.concatenate([people, whose])
    order = np.argsort(people, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(people[order]) > 0])
    ordered = templates[order].astype(np.float64)
    norms = np.einsum("ij,ij->i", ordered, ordered)
    result = np.empty((len(probes), len(starts)))
    step = max(1, _BLOCK // len(templates))
    for start in range(0, len(probes), step):
        part = slice(start, start + step)
        some = probes[part].astype(np.float64)
        squares = norms[None, :] - 2.0 * (some @ ordered.T) + np.einsum("ij,ij->i", some, some)[:, None]
        result[part] = np.sqrt(np.maximum(np.minimum.reduceat(squares, starts, axis=1), 0.0))
    return result
