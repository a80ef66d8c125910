"""What can be guaranteed about strangers, from impostors of two kinds, before any threshold is looked at.

A stranger searches the whole gallery. An enrolled person is left out and searches the gallery of the others. The unit
is the person: a person with several pictures counts once, with the share of them that got a name.

Left-out people do not count as much as strangers. Where two enrolled people look alike both are mistaken, so errors
come in pairs and n people hold about n / 2 independent trials: if each of the n (n - 1) / 2 pairs is an alarm with
probability q, "no alarm at all" has the probability of n / 2 independent searches without one. Each counts half. And
a search without one of C people sees C - 1 of them, so the wanted rate is lowered by (C - 1) / C (union bound).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from knownface.errors import TooFewStrangersError
from knownface.evaluation.faces import FaceSet, Searches, search, search_without_own_person
from knownface.evaluation.intervals import Floats, first_true, most_errors, seen_later, trials_needed, upper_bound
from knownface.evaluation.openset import open_set
from knownface.scorings import DEFAULT_SCORING, Scoring
from knownface.wording import plural

LEFT_OUT_WEIGHT = 0.5
_LARGEST_POSSIBLE = 0.5
"""A promise of this rate or more is worth nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Impostors:
    """Everybody who should be Unknown.

    Attributes:
        strangers: Searches of strangers in the whole gallery; None without strangers.
        left_out: Searches of enrolled people in the gallery of the others; None where only one is enrolled.
        enrolled: People in the gallery.
    """

    strangers: Searches | None
    left_out: Searches | None
    enrolled: int

    @property
    def stranger_count(self) -> int:
        """Strangers, as people."""
        return 0 if self.strangers is None else len(np.unique(self.strangers.people))

    @property
    def left_out_count(self) -> int:
        """People left out in turn."""
        return 0 if self.left_out is None else self.enrolled

    @property
    def trials(self) -> int:
        """Independent trials that these people are worth."""
        return math.floor(self.stranger_count + LEFT_OUT_WEIGHT * self.left_out_count)

    @property
    def shrink(self) -> float:
        """By what a wanted rate is lowered, since left-out people search among one person less."""
        return 1.0 if self.left_out is None else (self.enrolled - 1) / self.enrolled

    @property
    def shares(self) -> bool:
        """Whether anybody has several searches, so that a person's errors are a share and not 0 or 1."""
        kinds = [kind for kind in (self.strangers, self.left_out) if kind is not None]
        return any(len(np.unique(kind.people)) < len(kind) for kind in kinds)

    def errors(self, thresholds: Floats, margin: float) -> Floats:
        """At each threshold, the weighted number of people who get a name under some k1 and k2: never falling."""
        total = np.zeros(len(thresholds))
        for kind, weight in ((self.strangers, 1.0), (self.left_out, LEFT_OUT_WEIGHT)):
            if kind is not None:
                # k1 = 1 names everybody whom any k1 and k2 name: with a margin only the nearest person can win.
                counts = open_set(kind, k1=1, k2=2, margin=margin, thresholds=thresholds)
                total += weight * (counts.named / counts.non_mated[:, None]).sum(axis=0)
        return total


def gather_impostors(
    gallery: FaceSet, strangers: FaceSet | None, k: int, scoring: Scoring = DEFAULT_SCORING
) -> Impostors:
    """Search strangers and left-out people.

    Args:
        gallery: The templates.
        strangers: Nobody of the gallery, whatever their labels say.
        k: Neighbours to fetch.
        scoring: What the distances are measured to.
    """
    known, codes = np.unique(gallery.people, return_inverse=True)
    met = None
    if strangers is not None and len(strangers):
        # Numbers of their own: a stranger who shares an enrolled person's name is a stranger all the same.
        others = np.unique(strangers.people, return_inverse=True)[1] + len(known)
        met = search(
            FaceSet(gallery.embeddings, codes, gallery.sources),
            FaceSet(strangers.embeddings, others, strangers.sources),
            k,
            scoring=scoring,
        )
    count = 0 if met is None else len(np.unique(met.people))
    # Few enrolled people lower the rate by more than their trials are worth: (S + C / 2) (C - 1) / C < S.
    worth = len(known) > 1 and len(known) * (len(known) - 1) / 2 >= count
    left_out = search_without_own_person(gallery, k, scoring=scoring) if worth else None
    return Impostors(met, left_out, len(known))


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many errors a guarantee allows.

    Attributes:
        errors: So many, among the impostors' trials, at most.
        confidence: Of the exact bound that shows it, after what was paid for margins and shares.
    """

    errors: int
    confidence: float

    def bound(self, errors: float, impostors: Impostors) -> float:
        """The largest rate that fits the errors seen."""
        return min(1.0, upper_bound(math.ceil(errors - 1e-9), impostors.trials, self.confidence) / impostors.shrink)


def allowance(impostors: Impostors, fpir: float, confidence: float, attempts: int) -> Allowance | None:
    """The errors allowed where the best of several attempts will be taken; None where not even none would do.

    Args:
        impostors: Only their numbers are used.
        fpir: The rate to guarantee.
        confidence: Of the guarantee.
        attempts: Margins to be tried; the risk is divided among them (Bonferroni).
    """
    trials, rate = impostors.trials, fpir * impostors.shrink
    risk = (1.0 - confidence) / attempts
    errors = most_errors(trials, rate, 1.0 - risk)
    if errors is None:
        return None
    if impostors.shares:
        # Bentkus (2004): the tail of a sum of shares is at most e times that of whole errors. A sum of 0 means that
        # there was no error at all, for which the exact bound holds.
        errors = most_errors(trials, rate, 1.0 - risk / math.e) or 0
    most = fpir * trials
    errors = first_true(1, errors + 1, lambda count: seen_later(count, trials, trials, confidence) > most) - 1
    return Allowance(errors, 1.0 - risk / math.e if impostors.shares and errors else 1.0 - risk)


def too_few(impostors: Impostors, fpir: float, confidence: float) -> TooFewStrangersError:
    """The refusal, with how many strangers would do."""
    helped = trials_needed(fpir * impostors.shrink, confidence) - math.floor(LEFT_OUT_WEIGHT * impostors.left_out_count)
    needed = min(helped, trials_needed(fpir, confidence))
    count = impostors.stranger_count
    had = plural(count, "stranger") if count else "no strangers"
    bound = Allowance(0, confidence).bound(0, impostors)
    possible = _round_up(bound)
    return TooFewStrangersError(
        f"An FPIR of {fpir:g} cannot be promised with {confidence:.0%} confidence from {had} and "
        f"{plural(impostors.left_out_count, 'enrolled person', 'enrolled people')}: even if none of them got a name, "
        f"it could be up to {bound:.2g}.",
        f"It takes pictures of {plural(needed, 'stranger')}{f', {needed - count:,} more than these' if count else ''}.",
        needed=needed,
        possible=possible if possible < _LARGEST_POSSIBLE else None,
    )


def _round_up(rate: float) -> float:
    """Two digits, never less than the rate."""
    scale = 10.0 ** (1 - math.floor(math.log10(rate)))
    return min(1.0, math.ceil(rate * scale) / scale)
