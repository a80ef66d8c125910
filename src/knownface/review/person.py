"""Is it this person? New pictures compared with the person's own, with each other, and with everybody else.

Files are compared as wholes, by their two nearest faces. Those that are linked by near ones, with the person's
templates or with each other, or that are near to the mean of those, show one person; whoever has most of them, or is
enrolled, is the one meant. The others are odd. Two pictures are compared less strictly than a stranger with a whole
gallery, since one comparison errs less often than many: see
:meth:`PersonReview.largest_distance`.

What was measured of it stands in ``docs/architecture.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.decision.estimate import skewed_quantile
from knownface.errors import DifferentPeopleError, DoubtfulError, LooksLikeOtherError, OddPictureError
from knownface.parameters import RuleInForce
from knownface.types import CohortSpread, DecisionRule, Embeddings

ReviewMode: TypeAlias = Literal["hold", "refuse", "off"]
"""What becomes of a picture that may show somebody else: it is held back for a person's decision, it is refused, or
nobody asks."""

_MISTAKES = 0.015
"""Share of pictures of somebody else that are to be found near enough."""
PAIR_RATE = 1e-4
"""Of pairs of people, how many are nearer than an embedder's own threshold: they are measured on galleries of a hundred
templates, at 0.01."""
_WIDENING = 0.08
"""By what share of the threshold a distance grows for each standard deviation of the cosines of different people, where
nobody measured these."""
_CLEAR = 0.15
"""Share of the threshold by which the face meant must be nearer to the person's pictures than any other of its own."""


@dataclass(frozen=True, slots=True)
class PersonReview:
    """How what a person is enrolled from is compared.

    Attributes:
        rule: The decision's parameters in force.
        mode: What becomes of what may be somebody else.
        pair_rate: Of pairs of people, how many are nearer than the threshold, about.
        cohort: How alike the embedder finds different people; None where nobody measured it.
    """

    rule: DecisionRule
    mode: ReviewMode = "hold"
    pair_rate: float = PAIR_RATE
    cohort: CohortSpread | None = None

    @classmethod
    def of(cls, found: RuleInForce, mode: ReviewMode, cohort: CohortSpread | None) -> PersonReview:
        """By the parameters in force: an estimated threshold suits as many people as there are."""
        estimated = found.source == "estimated" and found.people > 0
        return cls(found.rule, mode, found.fpir / found.people if estimated else PAIR_RATE, cohort)

    def largest_distance(self, comparisons: int) -> float:
        """The distance within which a picture is taken for one of the same person's, given so many of them.

        Of pictures of somebody else 1 to 2 % lie nearer to one of the person's. The distance is derived from the
        threshold in force, as the cosines of different people are distributed: by the embedder's cohort (Pearson's
        type III), or as a normal distribution.

        Args:
            comparisons: How many pictures are compared with, at least 1.
        """
        strict, lax = (NormalDist().inv_cdf(1 - rate) for rate in (self.pair_rate, _MISTAKES / max(1, comparisons)))
        threshold, cohort = self.rule.threshold, self.cohort
        if cohort is None:
            return min(2.0, threshold * (1 + _WIDENING * (strict - lax)))
        nearer = skewed_quantile(strict, cohort.skewness) - skewed_quantile(lax, cohort.skewness)
        return math.sqrt(min(4.0, max(0.0, threshold**2 + 2 * cohort.deviation * nearer)))


@dataclass(frozen=True, slots=True)
class Rival:
    """Somebody else who is enrolled and looks like a face.

    Attributes:
        name: The person's.
        distance: To the nearest template, 0 to 2.
    """

    name: str
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """The faces that one file offers for a person.

    Attributes:
        label: What the file is called, for people.
        embeddings: Float32, shape (n, dim), unit vectors.
        clear: Whether all of them are the person meant; else one of them is, and the picture alone does not tell which.
    """

    label: str
    embeddings: Embeddings
    clear: bool = True


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the comparison says of a file.

    Attributes:
        faces: Indices of its faces that are the person meant, as far as is known; none where that is not clear.
        doubt: Why they may be somebody else, or None.
        note: What to tell of a file without a doubt; mostly empty.
    """

    faces: tuple[int, ...]
    doubt: DoubtfulError | None = None
    note: str = ""


def compare(
    name: str,
    offers: Sequence[Offer],
    own: Offer,
    rivals: Sequence[Sequence[Rival | None]],
    how: PersonReview,
) -> list[Opinion]:
    """An opinion on each file that is offered for a person.

    Args:
        name: The person's.
        offers: What is offered, a file each.
        own: The person's templates; none of somebody new.
        rivals: For each face of each file, whom it looks like besides the person.
        how: The parameters in force.
    """
    clear = [index for index, offer in enumerate(offers) if offer.clear]
    apart = _distances([offers[index].embeddings for index in clear])
    to_own = np.array([_nearest(offers[index].embeddings, _with_mean(own.embeddings)) for index in clear])
    most = how.largest_distance(len(own.embeddings) + len(clear) - 1)
    fits, majority = _one_person(apart <= most, to_own <= most, enrolled=len(own.embeddings) > 0)
    if fits.any():
        together = [own.embeddings] * (len(own.embeddings) > 0)
        mean = _mean(np.concatenate([*together, *(offers[clear[place]].embeddings for place in np.flatnonzero(fits))]))
        fits |= np.array([_nearest(offers[index].embeddings, mean) <= most for index in clear])
    opinions: dict[int, Opinion] = {}
    for place, index in enumerate(clear):
        offer = offers[index]
        near = float(min(to_own[place], np.where(fits, apart[place], np.inf).min(initial=np.inf)))
        doubt: DoubtfulError | None = _looks_like(rivals[index], near)
        if doubt is None and not fits[place]:
            others = np.where(fits, apart[place], np.inf) if majority else apart[place]
            other = int(others.argmin())
            if to_own[place] <= others[other]:
                nearest = f"the nearest of {len(own.embeddings)} enrolled is {to_own[place]:.2f} away"
            else:
                nearest = f"the nearest, {offers[clear[other]].label}, is {others[other]:.2f} away"
            doubt = (
                OddPictureError(
                    f"It does not look like the other pictures of {name!r}: {nearest}, {most:.2f} is usual."
                )
                if majority
                else DifferentPeopleError(
                    f"The pictures of {name!r} show different people, and nobody is in most of them: {nearest}."
                )
            )
        opinions[index] = Opinion(tuple(range(len(offer.embeddings))), doubt)
    kept = [offers[index].embeddings for place, index in enumerate(clear) if fits[place] and not opinions[index].doubt]
    known = [own.embeddings, *kept] if len(own.embeddings) else kept
    chosen = _choose(offers, known, rivals, how.rule.threshold)
    return [opinions[index] if offer.clear else chosen[index] for index, offer in enumerate(offers)]


def _choose(
    offers: Sequence[Offer], known: list[Embeddings], rivals: Sequence[Sequence[Rival | None]], threshold: float
) -> dict[int, Opinion]:
    """Which face of pictures with several is the person: the one that fits the others, if clearly no other does."""
    waiting = {index: offer for index, offer in enumerate(offers) if not offer.clear}
    opinions = {index: Opinion(()) for index in waiting}
    found = True
    while found:  # what was told may tell of others
        found = False
        reference = np.concatenate(known) if known else np.empty((0, 0), np.float32)
        for index, offer in list(waiting.items()):
            near = np.array([_nearest(face[None], reference) for face in offer.embeddings])
            best = int(near.argmin())
            others = np.delete(near, best)
            rival = rivals[index][best]
            if near[best] > threshold or others.min(initial=np.inf) < near[best] + _CLEAR * threshold:
                continue
            if rival is not None and rival.distance < near[best]:
                continue
            note = f"Of several faces the one that fits the other pictures was taken ({near[best]:.2f} away)."
            opinions[index] = Opinion((best,), note=note)
            known = [*known, offer.embeddings[best][None]]
            del waiting[index]
            found = True
    return opinions


def _looks_like(rivals: Sequence[Rival | None], near: float) -> LooksLikeOtherError | None:
    """The doubt where most of a file's faces look more like somebody else than like the person."""
    nearer = [rival for rival in rivals if rival is not None and rival.distance < near]
    if 2 * len(nearer) <= len(rivals):
        return None
    rival = min(nearer, key=lambda found: found.distance)
    return LooksLikeOtherError(
        f"It looks like {rival.name!r}, who is enrolled already (distance {rival.distance:.3f}).",
        name=rival.name,
    )


def _one_person(
    linked: npt.NDArray[np.bool_], to_own: npt.NDArray[np.bool_], *, enrolled: bool
) -> tuple[npt.NDArray[np.bool_], bool]:
    """Which files show the person meant, and whether that is known: by the templates, or by more than half of them."""
    count = len(linked)
    if enrolled:
        return _reached(linked, to_own), True
    best = np.zeros(count, dtype=bool)
    left = np.ones(count, dtype=bool)
    while left.any():
        first = np.zeros(count, dtype=bool)
        first[left.argmax()] = True
        group = _reached(linked, first)
        left &= ~group
        if group.sum() > best.sum():
            best = group
    return (best, True) if 2 * best.sum() > count else (np.zeros(count, dtype=bool), False)


def _reached(linked: npt.NDArray[np.bool_], start: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    reached = start.copy()
    edge = start
    while edge.any():
        edge = linked[edge].any(axis=0) & ~reached
        reached |= edge
    return reached


def _distances(files: Sequence[Embeddings]) -> npt.NDArray[np.float32]:
    """Between files, by their two nearest faces; infinite to themselves."""
    if not files:
        return np.empty((0, 0), np.float32)
    faces = np.concatenate(files)
    starts = np.cumsum([0, *(len(file) for file in files[:-1])])
    cosines = np.maximum.reduceat(np.maximum.reduceat(faces @ faces.T, starts, axis=0), starts, axis=1)
    apart: npt.NDArray[np.float32] = np.sqrt(np.maximum(0.0, 2 - 2 * cosines))
    np.fill_diagonal(apart, np.inf)
    return apart


def _mean(embeddings: Embeddings) -> Embeddings:
    """The direction of the mean, shape (1, dim)."""
    mean = embeddings.mean(axis=0, keepdims=True)
    return np.asarray(mean / max(1e-6, float(np.linalg.norm(mean))), dtype=np.float32)


def _with_mean(embeddings: Embeddings) -> Embeddings:
    """Templates and their mean, which counts as one more where there are several, as in decisions."""
    return np.concatenate([embeddings, _mean(embeddings)]) if len(embeddings) > 1 else embeddings


def _nearest(faces: Embeddings, others: Embeddings) -> float:
    if not len(others):
        return float("inf")
    return float(np.sqrt(max(0.0, 2 - 2 * float((faces @ others.T).max()))))
