"""Choosing the parameters of a gallery for the false alarms its owner can accept, and saying with what certainty.

**The guarantee.** Without a margin a stranger gets a name exactly where the nearest template is within the threshold,
whatever k1 and k2 are; with one, everybody else must be farther by the margin too. So the rate of false alarms grows
with the threshold and does not depend on k1 and k2. How many errors still bound the rate follows from the number of
impostors alone, before anything is looked at (:mod:`knownface.evaluation.guarantee`); the threshold is the largest that
makes no more. For a rate that is monotone in the threshold this needs no correction for having tried many (Bates et
al., "Distribution-free, risk-controlling prediction sets", Journal of the ACM 68, 2021). The bound is that of Clopper
and Pearson; where people have several searches, that of Bentkus ("On Hoeffding's inequalities", 2004). Trying several
margins is paid for: the risk of error is divided among them.

The true rate is then at most the wanted one, with the confidence asked. A check on as many new strangers has luck of
its own, so the errors allowed are also few enough for such a check to stay within the wanted rate, as far as so many
strangers can show it at all.

**Tracks.** A track is decided by the mean of its pictures, whose distances are counted as those of a single picture
(:mod:`knownface.decision.averaging`): where it is known how, what is promised of pictures holds of tracks.

**Genuine searches.** Every template is searched without its own source (file or video). These choose k1, k2 and the
margin by the largest TPIR, each person counting the same. That costs no certainty on the impostors' side. The TPIR
reported is cross-validated over people, so that having chosen does not flatter it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from knownface.decision.averaging import FEWEST_PEOPLE, measure_averaging
from knownface.errors import CalibrationError, SettingsError
from knownface.evaluation.answer_steps import answer_steps
from knownface.evaluation.faces import FaceSet, Searches, search_without_own_source
from knownface.evaluation.grid import DEFAULT_GRID, threshold_range
from knownface.evaluation.guarantee import Allowance, Impostors, allowance, gather_impostors, too_few
from knownface.evaluation.intervals import Floats, Interval, rate_interval, seen_later
from knownface.scorings import DEFAULT_SCORING, Scoring
from knownface.types import CohortSpread, DecisionRule
from knownface.wording import plural

THRESHOLDS = threshold_range(0.10, 1.60, 0.01)
"""Thresholds to choose from. Even unrelated vectors are about 1.41 apart."""
MARGINS = (0.0, 0.05, 0.1)
"""Margins tried where there are impostors enough to pay for trying."""
PAIRS = tuple(DEFAULT_GRID.pairs)
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Calibration:
    """Parameters for one gallery and what they guarantee.

    Attributes:
        rule: k1, k2, threshold, margin and scoring.
        wanted_fpir: The share of searches by strangers that may end with a name.
        confidence: Of that rate.
        fpir: The share seen among the impostors.
        fpir_bound: The largest true share that fits what was seen, at the confidence; at most ``wanted_fpir``.
        fpir_interval: Where the share seen in a check on as many new strangers lies, at the confidence.
        tpir: The share of enrolled people's searches that ended with the right name; None where nobody has two
            sources, so that there was nothing to search.
        tpir_interval: Its interval, by people.
        people: In the gallery.
        sources: Files and videos in the gallery.
        templates: In the gallery.
        people_searched: Enrolled people with at least two sources.
        genuine_searches: Their searches.
        strangers: Strangers searched, as people.
        left_out: Enrolled people searched in the gallery of the others.
        undetected_gallery: Pictures of enrolled people in which no face was found; not part of any rate.
        undetected_strangers: The same of strangers.
        calibrated_at: When, in UTC.
        of_tracks: Whether the rates hold of tracks too, since it is known how their distances are to be counted.
    """

    rule: DecisionRule
    wanted_fpir: float
    confidence: float
    fpir: float
    fpir_bound: float
    fpir_interval: Interval
    tpir: float | None
    tpir_interval: Interval | None
    people: int
    sources: int
    templates: int
    people_searched: int
    genuine_searches: int
    strangers: int
    left_out: int
    undetected_gallery: int
    undetected_strangers: int
    calibrated_at: datetime
    of_tracks: bool = False

    @property
    def sentence(self) -> str:
        """What is guaranteed, in a sentence."""
        rule = self.rule
        guaranteed = (
            f"At threshold {rule.threshold:.2f} (k1 = {rule.k1}, k2 = {rule.k2}, margin {rule.margin:g}) at most "
            f"{self.wanted_fpir:.2%} of strangers get a name, with {self.confidence:.0%} confidence; seen were "
            f"{self.fpir:.2%} of {plural(self.strangers, 'stranger')} and "
            f"{plural(self.left_out, 'enrolled person', 'enrolled people')} left out in turn. {self._of_tracks}"
        )
        if self.tpir is None or self.tpir_interval is None:
            return f"{guaranteed} How many known people are recognised could not be measured: nobody has two sources."
        return (
            f"{guaranteed} Known people are recognised in {self.tpir:.1%} of their pictures "
            f"({self.tpir_interval.low:.1%} to {self.tpir_interval.high:.1%})."
        )

    @property
    def _of_tracks(self) -> str:
        if self.of_tracks:
            return "That holds of tracks in videos too."
        return f"Nothing is promised of tracks in videos: fewer than {FEWEST_PEOPLE} people have several pictures."

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as stored with the gallery and written to JSON."""
        values = asdict(self)
        values["calibrated_at"] = self.calibrated_at.isoformat()
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """The reverse of :meth:`as_dict`."""
        fields = dict(values)
        nearer = fields.pop("nearer", None)  # as whose distances the versions before this one have counted pictures
        fields.setdefault("of_tracks", nearer is not None)
        fields["rule"] = DecisionRule(**{"scoring": "nearest", **values["rule"]})
        fields["fpir_interval"] = Interval(**values["fpir_interval"])
        fields["tpir_interval"] = values["tpir_interval"] and Interval(**values["tpir_interval"])
        fields["calibrated_at"] = datetime.fromisoformat(values["calibrated_at"])
        return cls(**fields)


def calibrate(
    gallery: FaceSet,
    strangers: FaceSet | None = None,
    *,
    fpir: float = 0.01,
    confidence: float = 0.95,
    scoring: Scoring = DEFAULT_SCORING,
    cohort: CohortSpread | None = None,
    margins: Sequence[float] = MARGINS,
    undetected_gallery: int = 0,
    undetected_strangers: int = 0,
    now: datetime | None = None,
    seed: int = 0,
) -> Calibration:
    """Choose threshold, k1, k2 and margin for a gallery.

    Args:
        gallery: Its templates, with the file or video that each comes from.
        strangers: People who are not in the gallery, whatever their labels.
        fpir: The share of searches by strangers that may end with a name, above 0 and below 1.
        confidence: Of that rate, above 0.5 and below 1.
        scoring: What the distances are measured to.
        cohort: Of the embedder, where one was measured.
        margins: Margins to try, at least one; only the first is tried where there are too few impostors for more.
        undetected_gallery: Pictures of enrolled people in which no face was found, reported in the result.
        undetected_strangers: The same of strangers; they are no right refusals and do not count as searches.
        now: When; the present if left out.
        seed: Of the folds, and of the bootstrap for the interval of the TPIR.

    Raises:
        TooFewStrangersError: Even without a single false alarm the rate could not be guaranteed.
        CalibrationError: It could, but only by a threshold at which nobody is recognised.
        InputError: The gallery is empty, or the strangers were embedded by another network.
        SettingsError: The rate or the confidence makes no sense.
    """
    _check_rates(fpir, confidence)
    k = max(k2 for _, k2 in PAIRS)
    impostors = gather_impostors(gallery, strangers, k, scoring)
    margins, allowed = _margins_allowed(impostors, fpir, confidence, margins)
    genuine = search_without_own_source(gallery, k, scoring=scoring)
    genuine = genuine.take(genuine.mated)
    rule, errors, misses = _choose(genuine, impostors, allowed, margins, fpir=fpir, seed=seed)
    trials = impostors.trials
    later = seen_later(allowed.errors, trials, trials, confidence) / trials
    return Calibration(
        rule=rule,
        wanted_fpir=fpir,
        confidence=confidence,
        fpir=errors / trials,
        fpir_bound=allowed.bound(errors, impostors),
        fpir_interval=Interval(0.0, max(fpir, later)),
        tpir=float(1.0 - misses.mean()) if len(misses) else None,
        tpir_interval=_of_hits(rate_interval(misses, np.ones(len(misses)), confidence, seed)) if len(misses) else None,
        people=impostors.enrolled,
        sources=len(np.unique(gallery.sources)),
        templates=len(gallery),
        people_searched=len(misses),
        genuine_searches=len(genuine),
        strangers=impostors.stranger_count,
        left_out=impostors.left_out_count,
        undetected_gallery=undetected_gallery,
        undetected_strangers=undetected_strangers,
        calibrated_at=now or datetime.now(UTC),
        of_tracks=bool(
            (cohort and cohort.averaging is not None) or measure_averaging(gallery.embeddings, gallery.people)
        ),
    )


def recognised(gallery: FaceSet, threshold: float, scoring: Scoring = DEFAULT_SCORING) -> float | None:
    """The share of enrolled people's searches that would end with the right name at a threshold, each person the same.

    k1 and k2 are the best for it. None where nobody has two sources.
    """
    genuine = search_without_own_source(gallery, max(k2 for _, k2 in PAIRS), scoring=scoring)
    genuine = genuine.take(genuine.mated)
    return float(_shares_named(genuine, threshold, 0.0).mean(axis=1).max()) if len(genuine) else None


def _check_rates(fpir: float, confidence: float) -> None:
    if not 0 < fpir < 1 or not 0.5 < confidence < 1:
        raise SettingsError(
            f"The FPIR must lie between 0 and 1 and the confidence between 0.5 and 1, got {fpir:g} and {confidence:g}."
        )


def _margins_allowed(
    impostors: Impostors, fpir: float, confidence: float, margins: Sequence[float]
) -> tuple[Sequence[float], Allowance]:
    """As many of the margins as there are impostors enough to try, and the false alarms allowed then."""
    for tried in (margins, margins[:1]):
        allowed = allowance(impostors, fpir, confidence, len(tried))
        if allowed is not None:
            return tried, allowed
    raise too_few(impostors, fpir, confidence)


def _of_hits(of_misses: Interval) -> Interval:
    return Interval(1.0 - of_misses.high, 1.0 - of_misses.low)


def _choose(
    genuine: Searches, impostors: Impostors, allowed: Allowance, margins: Sequence[float], *, fpir: float, seed: int
) -> tuple[DecisionRule, float, Floats]:
    """The rule that recognises most, its impostors' errors, and each known person's share of misses."""
    rules: list[DecisionRule] = []
    errors: list[float] = []
    tables: list[Floats] = []
    for margin in margins:
        seen = impostors.errors(THRESHOLDS, margin)
        within = np.flatnonzero(seen <= allowed.errors + 1e-9)
        if len(within):
            threshold = float(THRESHOLDS[within[-1]])
            rules += [DecisionRule(k1, k2, threshold, margin, genuine.scoring) for k1, k2 in PAIRS]
            errors += [float(seen[within[-1]])] * len(PAIRS)
            tables.append(_shares_named(genuine, threshold, margin))
    if not tables:
        raise _nobody_recognised(fpir)
    shares = np.concatenate(tables)
    best = _best(shares)
    if shares.size and shares[best].max() == 0:
        raise _nobody_recognised(fpir)
    return rules[best], errors[best], 1.0 - _held_out(shares, seed)


def _nobody_recognised(fpir: float) -> CalibrationError:
    return CalibrationError(
        f"An FPIR of {fpir:g} would need a threshold at which nobody is recognised: strangers are as near to the "
        "gallery as its own people.",
        "Look for strangers who are enrolled after all, take a better embedder, or accept a higher rate.",
    )


def _shares_named(genuine: Searches, threshold: float, margin: float) -> Floats:
    """The share of each known person's searches with the right name: shape (pairs, people)."""
    people, unit, searches = np.unique(genuine.people, return_inverse=True, return_counts=True)
    rows = []
    for steps in answer_steps(genuine.neighbours, PAIRS, np.array([threshold]), margin):
        right = steps.where((steps.first < steps.stop) & (genuine.people[steps.probes] == steps.people))
        rows.append(np.bincount(unit[right.probes], minlength=len(people)) / searches)
    return np.stack(rows)


def _best(shares: Floats) -> int:
    """The row with the largest mean; the first of equals, which has the smallest margin, k1 and k2."""
    # Sums in another order may differ in the last bit; such rows are equal.
    return int(np.argmax(np.round(shares.mean(axis=1), 12))) if shares.shape[1] else 0


def _held_out(shares: Floats, seed: int) -> Floats:
    """Each person's share under the row that is best for the others: shape (people,)."""
    people = shares.shape[1]
    folds = np.random.default_rng(seed).permutation(people) % _FOLDS
    held_out = np.empty(people)
    for fold in range(_FOLDS):
        here = folds == fold
        held_out[here] = shares[_best(shares[:, ~here]), here]
    return held_out
