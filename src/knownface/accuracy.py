"""How often a stranger would get a name: said beside the name, with who says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from knownface.decision.estimate import GallerySpread
from knownface.gallery import GalleryCalibration
from knownface.gallery.index.snapshot import Snapshot
from knownface.parameters import rule_in_force, spread_in_force
from knownface.settings import Settings
from knownface.types import CohortSpread, EmbedderContract

Authority: TypeAlias = Literal["calibrated", "estimated", "unknown"]
"""Who says which share of strangers gets a name: a calibration measured it on strangers, it is only estimated from the
people enrolled, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How sure a name is, in strangers who would get one too.

    Attributes:
        strangers_named: The largest share of strangers who get any name at the threshold in force; None: not known.
        by: Who says so.
        confidence: Of a calibration; None otherwise.
        strangers_as_near: At most about this share of strangers is as near to somebody as this face, always estimated;
            :data:`~knownface.decision.estimate.LEAST_SHARE` means that or less. None: not known, or of no face.
    """

    strangers_named: float | None
    by: Authority
    confidence: float | None = None
    strangers_as_near: float | None = None

    @property
    def sentence(self) -> str:
        """What is known of the threshold, for people."""
        if self.strangers_named is None:
            return "How many strangers would get a name is not known: too few people, and no calibration."
        share = f"{100 * self.strangers_named:.3g} % of strangers get a name"
        if self.by == "calibrated":
            return f"At most {share}, measured by a calibration ({self.confidence or 0:.0%} confidence)."
        return f"At most about {share}, only estimated from the people enrolled (`knownface calibrate` measures it)."

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        as_near = self.strangers_as_near
        return {
            "strangers_as_near": None if as_near is None else float(f"{as_near:.2g}"),
            "strangers_named": None if self.strangers_named is None else float(f"{self.strangers_named:.3g}"),
            "by": self.by,
            "confidence": self.confidence,
        }


def share_text(share: float | None) -> str:
    """The share of strangers as near as a face, for people; empty where it is not known."""
    return "" if share is None else f"≤ {100 * share:.2g} %"


@dataclass(frozen=True, slots=True)
class AccuracyInForce:
    """What is known of the accuracy of a gallery as it is.

    Attributes:
        overall: Of any name.
        spread: How alike the people are; None where there are too few.
        people: Who have templates.
        cohort: Of the embedder.
    """

    overall: Accuracy
    spread: GallerySpread | None
    people: int
    cohort: CohortSpread | None

    def at(self, distance: float) -> Accuracy:
        """Of a name that was given at a distance."""
        if self.spread is None:
            return self.overall
        share = self.spread.strangers_within(distance, self.people, self.cohort)
        known = self.overall
        return Accuracy(known.strangers_named, known.by, known.confidence, share)

    def of_claim(self, distance: float, threshold: float) -> Accuracy:
        """Of one certain person's name that was claimed: which share of strangers would pass; always estimated."""
        if self.spread is None:
            return Accuracy(None, "unknown")
        passing, near = (self.spread.strangers_within(limit, 1, self.cohort) for limit in (threshold, distance))
        return Accuracy(passing, "estimated", None, near)


def accuracy_in_force(
    snapshot: Snapshot, calibration: GalleryCalibration | None, contract: EmbedderContract, settings: Settings
) -> AccuracyInForce:
    """What is known of the accuracy of a gallery.

    A calibration counts as long as it holds: for its embedder and scoring, up to its threshold, down to its margin, and
    before the gallery has outgrown it.

    Args:
        snapshot: Of the gallery.
        calibration: The gallery's.
        contract: Of the embedder in use.
        settings: What the user set.

    Raises:
        SettingsError: As :func:`knownface.parameters.rule_in_force`.
    """
    rule = rule_in_force(snapshot, contract, settings).rule
    spread, people = spread_in_force(snapshot, contract, settings)
    overall = Accuracy(None, "unknown")
    if calibration is not None and _holds(calibration, rule.threshold, rule.margin, contract, settings):
        overall = Accuracy(calibration.wanted_fpir, "calibrated", calibration.confidence)
    elif spread is not None:
        overall = Accuracy(spread.strangers_within(rule.threshold, people, contract.cohort), "estimated")
    return AccuracyInForce(overall, spread, people, contract.cohort)


def _holds(
    calibration: GalleryCalibration, threshold: float, margin: float, contract: EmbedderContract, settings: Settings
) -> bool:
    kept = calibration.rule
    laxer = threshold > kept.threshold or margin < kept.margin
    return calibration.fits(contract.fingerprint, settings.scoring) and not laxer and calibration.outgrown is None
