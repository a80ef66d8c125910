"""Faces as arrays: what every evaluation starts from, and searches of one set of faces in another.

A search is a probe compared with a gallery (ISO/IEC 19795-1). It is *mated* where the person on the probe had a
template that the search could find; else the probe's person is a stranger to it, and the right answer is Unknown.
Everything else in this room works on :class:`Searches`, whose neighbours are fetched once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.decision import AROUND, NOBODY, vote
from knownface.errors import InputError
from knownface.evaluation.neighbours import Groups, nearest_templates, with_rivals
from knownface.evaluation.person_means import PersonMeans
from knownface.scorings import DEFAULT_SCORING, Scoring
from knownface.types import DecisionRule, Embeddings, Ids, Neighbours

Labels: TypeAlias = npt.NDArray[Any]
"""One label a face, shape (n,): whole numbers or strings."""

DEFAULT_K = 10
"""Neighbours fetched: the largest k2 of the default grid."""

_LARGEST_NORM_ERROR = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """n faces; make one with :meth:`of`, which checks and converts.

    Attributes:
        embeddings: Float32, shape (n, dim), unit vectors.
        people: Shape (n,): who each face shows, as numbers or names.
        sources: Shape (n,): the file or video that each face comes from; frames of one video share a source.
    """

    embeddings: Embeddings
    people: Labels
    sources: Labels

    @classmethod
    def of(
        cls,
        embeddings: npt.ArrayLike,
        people: Sequence[int] | Sequence[str] | Labels,
        sources: Sequence[int] | Sequence[str] | Labels | None = None,
    ) -> FaceSet:
        """Check and convert.

        Args:
            embeddings: Shape (n, dim), unit vectors.
            people: One label a face.
            sources: One label a face; left out, every face is a source of its own.

        Raises:
            InputError: Lengths differ, a label is neither a number nor a string, or an embedding is no unit vector.
        """
        vectors = np.ascontiguousarray(embeddings, dtype=np.float32)
        if vectors.ndim != 2:
            raise InputError(f"Embeddings must have the shape (n, dim), got {vectors.shape}.")
        norms = np.linalg.norm(vectors, axis=1)
        if not np.all(np.abs(norms - 1.0) <= _LARGEST_NORM_ERROR):
            raise InputError("Embeddings must be unit vectors without NaN.", "Divide each by its Euclidean norm.")
        who = _labels(people, len(vectors), "person")
        origin = np.arange(len(vectors)) if sources is None else _labels(sources, len(vectors), "source")
        return cls(vectors, who, origin)

    def __len__(self) -> int:
        return len(self.embeddings)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> FaceSet:
        """The faces at these indices, or where the mask is true."""
        return FaceSet(self.embeddings[rows], self.people[rows], self.sources[rows])


def _labels(values: Sequence[int] | Sequence[str] | Labels, count: int, what: str) -> Labels:
    labels = np.asarray(values) if len(values) else np.empty(0, dtype=np.int64)
    if labels.shape != (count,):
        raise InputError(f"There must be one {what} label for each of {count} embeddings, got shape {labels.shape}.")
    if labels.dtype.kind not in "iuU":
        raise InputError(f"A {what} label must be a whole number or a string, got {labels.dtype}.")
    return labels


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """n probes, each searched in a gallery once.

    People are codes here: 0 to ``enrolled`` - 1 are those of the gallery, in the order of their labels; further
    codes are people that only probes show.

    Attributes:
        neighbours: The k nearest templates of each probe, and a last column with the nearest of somebody else where
            one person fills the others; people as codes, templates as rows of the gallery.
        people: Int64, shape (n,): who each probe shows.
        mated: Bool, shape (n,): whether the search could have found that person.
        labels: The label of each code, as text.
        enrolled: People in the gallery.
        scoring: What the distances are measured to.
    """

    neighbours: Neighbours
    people: Ids
    mated: npt.NDArray[np.bool_]
    labels: tuple[str, ...]
    enrolled: int
    scoring: Scoring = DEFAULT_SCORING

    @property
    def truth(self) -> Ids:
        """Int64, shape (n,): the right answer; -1 (Unknown) where the search is not mated."""
        return np.where(self.mated, self.people, NOBODY)

    def __len__(self) -> int:
        return len(self.people)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Searches:
        """The searches at these indices, or where the mask is true."""
        near = self.neighbours
        kept = Neighbours(near.distances[rows], near.templates[rows], near.people[rows])
        return Searches(kept, self.people[rows], self.mated[rows], self.labels, self.enrolled, self.scoring)

    def answers(self, rule: DecisionRule) -> Ids:
        """The vote's answer to each probe: a code, or -1 for Unknown; shape (n,)."""
        return vote(self.neighbours, rule).people


def search(gallery: FaceSet, probes: FaceSet, k: int = DEFAULT_K, *, scoring: Scoring = DEFAULT_SCORING) -> Searches:
    """Search every probe in the whole gallery.

    Args:
        gallery: The templates.
        probes: May show people who are not in the gallery.
        k: Neighbours to fetch; at least the largest k2 to be tried.
        scoring: What the distances are measured to.

    Raises:
        InputError: The gallery is empty, or the two do not fit together.
    """
    labels, enrolled, codes, probe_codes = encode_people(gallery, probes)
    near = _neighbours(gallery, codes, probes, k, scoring)
    return Searches(near, probe_codes, probe_codes < enrolled, labels, enrolled, scoring)


def search_without_own_source(gallery: FaceSet, k: int = DEFAULT_K, *, scoring: Scoring = DEFAULT_SCORING) -> Searches:
    """Search every template in the gallery without the templates of its own source.

    A person with a single source cannot be found that way: that search is not mated.
    """
    labels, enrolled, codes, _ = encode_people(gallery, gallery)
    origin = _origins(gallery)
    near = _neighbours(gallery, codes, gallery, k, scoring, own_sources=origin)
    pairs = np.unique(np.stack([codes, origin], axis=1), axis=0)
    several = np.bincount(pairs[:, 0], minlength=enrolled) > 1
    return Searches(near, codes, several[codes], labels, enrolled, scoring)


def search_without_own_person(gallery: FaceSet, k: int = DEFAULT_K, *, scoring: Scoring = DEFAULT_SCORING) -> Searches:
    """Search every template in the gallery without its own person: no search is mated.

    Templates of the same source are hidden as well, since one file enrolled under two people is no stranger.
    """
    labels, enrolled, codes, _ = encode_people(gallery, gallery)
    origin = _origins(gallery)
    near = _neighbours(gallery, codes, gallery, k, scoring, own_sources=origin, unseen=codes)
    return Searches(near, codes, np.zeros(len(codes), dtype=bool), labels, enrolled, scoring)


def _origins(gallery: FaceSet) -> Ids:
    return np.unique(gallery.sources, return_inverse=True)[1].astype(np.int64)


def _neighbours(
    gallery: FaceSet,
    codes: Ids,
    probes: FaceSet,
    k: int,
    scoring: Scoring,
    *,
    own_sources: Ids | None = None,
    unseen: Ids | None = None,
) -> Neighbours:
    """The neighbours of every probe.

    Args:
        gallery: The templates.
        codes: Their people.
        probes: The probes.
        k: How many.
        scoring: What the distances are measured to.
        own_sources: Where the probes are the gallery's templates: their sources, which they do not see.
        unseen: Whom each probe does not see.
    """
    templates, embeddings = gallery.embeddings, probes.embeddings
    hide: list[Groups] = [] if own_sources is None else [(own_sources, own_sources)]
    hide += [] if unseen is None else [(codes, unseen)]
    near = nearest_templates(templates, codes, embeddings, k if scoring == "nearest" else max(k, AROUND), hide=hide)
    if scoring == "nearest+mean":
        sources = np.arange(len(codes)) if own_sources is None else own_sources
        near = PersonMeans(templates, codes, sources).added(near, embeddings, own_sources)
    return with_rivals(near, k, templates, codes, embeddings, hide)


def encode_people(gallery: FaceSet, probes: FaceSet) -> tuple[tuple[str, ...], int, Ids, Ids]:
    """Number the people: labels by code, how many are enrolled, codes of the templates, codes of the probes.

    Raises:
        InputError: The gallery is empty, or the two do not fit together.
    """
    if len(gallery) == 0:
        raise InputError("The gallery holds no template to compare with.", "Enrol at least one picture of one person.")
    if len(probes) and gallery.embeddings.shape[1] != probes.embeddings.shape[1]:
        raise InputError(
            f"The gallery's embeddings have {gallery.embeddings.shape[1]} numbers each, the probes' "
            f"{probes.embeddings.shape[1]}.",
            "Embed both with the same network.",
        )
    if len(probes) and (gallery.people.dtype.kind == "U") != (probes.people.dtype.kind == "U"):
        raise InputError("People are numbers in one set and names in the other.", "Use the same labels in both.")
    known, codes = np.unique(gallery.people, return_inverse=True)
    strangers = np.setdiff1d(probes.people, known)
    everybody = np.concatenate([known, strangers]) if len(strangers) else known
    order = np.argsort(everybody, kind="stable")
    place = np.searchsorted(everybody, probes.people, sorter=order)
    probe_codes = order[place] if len(probes) else np.empty(0, dtype=np.int64)
    labels = tuple(str(label) for label in everybody.tolist())
    return labels, len(known), codes.astype(np.int64), probe_codes.astype(np.int64)
