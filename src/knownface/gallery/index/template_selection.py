"""Template selection: the few of a person's templates that represent all best.

Greedy k-centre (Gonzalez, 1985), weighted by quality: the best template comes first, then always the one that is
farthest from those chosen, its distance multiplied by its quality, so that a blurred outlier is not taken for a new
side of the person. Whoever takes away a template that was not chosen changes nothing about the choice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, select

from knownface.gallery.templates import read_vectors_of
from knownface.storage.schema import templates
from knownface.storage.statements import chunks
from knownface.types import Embeddings, Ids

_UNKNOWN_QUALITY = 0.5


def choose_best(vectors: Embeddings, qualities: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.intp]:
    """The templates that represent all best.

    Args:
        vectors: Of one person, float32, shape (n, dim), unit vectors.
        qualities: 0 to 1, shape (n,).
        most: How many to choose at most.

    Returns:
        Positions, ascending, ``min(n, most)`` of them. Of equals the first is taken.
    """
    if len(vectors) <= most:
        return np.arange(len(vectors))
    chosen = [int(np.argmax(qualities))]
    nearest = np.full(len(vectors), np.inf)
    while len(chosen) < most:
        distances = np.linalg.norm(vectors.astype(np.float64) - vectors[chosen[-1]], axis=1)
        nearest = np.minimum(nearest, distances)
        nearest[chosen] = -1
        chosen.append(int(np.argmax(np.where(nearest < 0, -1.0, nearest * qualities))))
    return np.sort(np.array(chosen))


def select_templates(connection: Connection, people: Ids | None, most: int, dim: int) -> tuple[Ids, Ids]:
    """The templates that are searched of some people, or of everybody, and whose they are.

    Returns:
        Template ids, ascending, and person ids.
    """
    query = select(templates.c.id, templates.c.person_id, templates.c.quality).where(templates.c.negative.is_(False))
    rows: list[Sequence[object]] = []
    if people is None:
        crowded = (
            select(templates.c.person_id)
            .where(templates.c.negative.is_(False))
            .group_by(templates.c.person_id)
            .having(func.count() > most)
        )
        few = query.with_only_columns(templates.c.id, templates.c.person_id).where(
            templates.c.person_id.not_in(crowded)
        )
        kept = [(row[0], row[1]) for row in connection.execute(few)]
        people = np.array(connection.scalars(crowded).all(), dtype=np.int64)
    else:
        kept = []
    for chunk in chunks(people.tolist()):
        rows = list(connection.execute(query.where(templates.c.person_id.in_(chunk)).order_by(templates.c.id)))
        kept += _select_of(connection, rows, most, dim)
    pairs = np.array(sorted(kept), dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _select_of(connection: Connection, rows: Sequence[Sequence[object]], most: int, dim: int) -> list[tuple[int, int]]:
    of_person: dict[int, list[tuple[int, float]]] = {}
    for template, person, quality in rows:
        value = _UNKNOWN_QUALITY if quality is None else float(quality)  # type: ignore[arg-type]
        of_person.setdefault(int(person), []).append((int(template), value))  # type: ignore[call-overload]
    kept: list[tuple[int, int]] = []
    for person, held in of_person.items():
        ids = np.array([template for template, _ in held], dtype=np.int64)
        if len(ids) > most:
            vectors, found, _ = read_vectors_of(connection, ids, dim)
            order = np.argsort(found)
            ids = ids[choose_best(vectors[order], np.array([quality for _, quality in held]), most)]
        kept += [(int(template), person) for template in ids]
    return kept
