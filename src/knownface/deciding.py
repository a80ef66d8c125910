"""Who faces are, by their embeddings: a gallery's neighbours, decided by given parameters."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from knownface.decision import NOBODY, CounterExamples, GalleryFacts, decide_picture
from knownface.errors import InputError
from knownface.gallery import Gallery
from knownface.gallery.index.snapshot import Snapshot
from knownface.scorings import Scoring
from knownface.types import Decision, DecisionRule, Distances, Embeddings, Neighbours, Purpose


def decide_embeddings(
    gallery: Gallery,
    rule: DecisionRule,
    embeddings: Embeddings,
    *,
    left: Distances | None = None,
    allow_repeats: bool = False,
    top: int = 0,
    purpose: Purpose = "photos",
) -> list[Decision]:
    """Decide the faces of one picture.

    Args:
        gallery: The people known.
        rule: The parameters in force.
        embeddings: Unit vectors, float32, shape (n, dim).
        left: Float32, shape (n,): what averaging has left of the distances of those that are means of pictures
            (:func:`knownface.decision.averaging.part_left`); None where none is.
        allow_repeats: Whether one person may be given to several faces.
        top: How many candidates each decision lists at least, where the gallery has so many people; 0: those who are
            among the k2 nearest templates anyway.
        purpose: What the names are for: where the gallery demands consent, nobody else's than of those who gave it for
            this is given or listed.
    """
    while True:  # again where somebody was enrolled between what is known of the gallery and a search
        snapshot = gallery.index.snapshot()
        counter_examples = CounterExamples(snapshot.negatives, snapshot.negative_people)
        facts = GalleryFacts(
            # Templates that a search finds at most, whatever k is.
            templates=snapshot.templates + (len(snapshot.names) if rule.scoring == "nearest+mean" else 0),
            names=snapshot.names,
            thresholds=snapshot.thresholds,
            counter_examples=counter_examples if len(snapshot.negatives) else None,
        )
        search = partial(_neighbours, gallery, snapshot, embeddings, rule.scoring)
        with suppress(_EnrolledMeanwhileError):
            decisions = decide_picture(embeddings, search, rule, facts, left=left, allow_repeats=allow_repeats, top=top)
            break
    if snapshot.permits is None:
        return decisions
    allowed = snapshot.permits.people(purpose)
    return [_withheld(decision, allowed) for decision in decisions]


class _EnrolledMeanwhileError(Exception):
    """A search found somebody whom the snapshot does not know."""


def _neighbours(gallery: Gallery, snapshot: Snapshot, embeddings: Embeddings, scoring: Scoring, k: int) -> Neighbours:
    found = gallery.index.search(embeddings, k, scoring)
    people = set(found.people.ravel().tolist()) - {NOBODY}
    if any(person not in snapshot.names for person in people) and gallery.index.snapshot() is not snapshot:
        raise _EnrolledMeanwhileError
    return found


def _withheld(decision: Decision, allowed: frozenset[int]) -> Decision:
    """A decision without anybody who may not be named. Their templates still vote, so that no other gets their face."""
    candidates = tuple(one for one in decision.candidates if one.person_id in allowed)
    runner_up = next((one for one in candidates if one.person_id != decision.person_id), None)
    shown = replace(decision, candidates=candidates, runner_up=runner_up)
    if decision.person_id is None or decision.person_id in allowed:
        return shown
    return replace(shown, person_id=None, name=None, votes=0, stage=0, reason="no consent")


def unit_vector(embedding: npt.ArrayLike, dim: int) -> Embeddings:
    """An embedding of any length, scaled to 1: float32, shape (dim,).

    Raises:
        InputError: It is not ``dim`` finite numbers, or all of them are zero.
    """
    try:
        vector = np.asarray(embedding, dtype=np.float32).reshape(-1)
    except (TypeError, ValueError) as error:
        raise InputError(f"An embedding must be {dim} finite numbers.") from error
    length = float(np.linalg.norm(vector))
    if len(vector) != dim or not np.isfinite(length) or length == 0:
        raise InputError(
            f"An embedding must be {dim} finite numbers that are not all zero, got shape {np.shape(embedding)}."
        )
    return vector / length
