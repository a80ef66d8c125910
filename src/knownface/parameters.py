"""The parameters that a gallery is searched with, where they come from, and what a user should know about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from knownface.decision.estimate import GallerySpread
from knownface.embedding import uncalibrated_note
from knownface.gallery import GalleryCalibration
from knownface.gallery.index.snapshot import Snapshot
from knownface.settings import Settings
from knownface.types import DecisionRule, EmbedderContract

ThresholdSource: TypeAlias = Literal["set", "calibrated", "estimated", "embedder"]
"""Where a threshold comes from: the user ``set`` it, `knownface calibrate` measured it, it is ``estimated`` from the
people enrolled, or it is the ``embedder``'s own. The first that there is wins."""

POOR_SHARE = 0.5
"""Of pictures of known people a smaller share that is named is told."""


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """The parameters that a gallery is searched with.

    Attributes:
        rule: The parameters.
        source: Where the threshold comes from.
        fpir: The share of strangers that it is set for, where it is ``estimated``.
        people: From whom it was estimated; 0 where it was not.
        named: About which share of pictures of people with several templates gets a name at that threshold; None where
            nobody has several, or it was never measured.
        averaging: How much nearer means of pictures are than these, by the gallery, else by the embedder
            (:mod:`knownface.decision.averaging`); 0 where neither is known.
    """

    rule: DecisionRule
    source: ThresholdSource
    fpir: float
    people: int = 0
    named: float | None = None
    averaging: float = 0.0


def rule_in_force(snapshot: Snapshot, contract: EmbedderContract, settings: Settings) -> RuleInForce:
    """The parameters for a gallery as it is: what the user set, else calibrated, else estimated, else the embedder's.

    Args:
        snapshot: Of the gallery.
        contract: Of the embedder in use.
        settings: What the user set.

    Raises:
        SettingsError: k1 and k2 do not fit together once the rest is filled in.
    """
    calibrated = snapshot.calibrated
    if calibrated is not None and (calibrated[0].scoring, calibrated[1]) != (settings.scoring, contract.fingerprint):
        calibrated = None
    spread, people = spread_in_force(snapshot, contract, settings)
    found = uncalibrated_rule(spread, people, contract, settings)
    if calibrated is None:
        return found
    rule = settings.rule(calibrated[0])
    source: ThresholdSource = "calibrated" if settings.threshold is None else "set"
    named = spread.named_share(rule.threshold) if spread else None
    return replace(found, rule=rule, source=source, people=0, named=named)


def spread_in_force(
    snapshot: Snapshot, contract: EmbedderContract, settings: Settings
) -> tuple[GallerySpread | None, int]:
    """How alike the people of a gallery are, by the scoring in force, and how many there are.

    Returns:
        None and 0 where another embedder measured it, or nobody has; None for too few people.
    """
    kept = snapshot.spread
    if kept is None or kept.fingerprint != contract.fingerprint:
        return None, 0
    return kept.by_scoring.get(settings.scoring), kept.people_among(len(snapshot.names))


def uncalibrated_rule(
    spread: GallerySpread | None, people: int, contract: EmbedderContract, settings: Settings
) -> RuleInForce:
    """The parameters for people whom no calibration knows: what the user set, else estimated, else the embedder's.

    Args:
        spread: How alike the people are, by the scoring that the settings name; None where there are too few.
        people: How many there are.
        contract: Of the embedder in use.
        settings: What the user set.

    Raises:
        SettingsError: k1 and k2 do not fit together once the rest is filled in.
    """
    rule = settings.rule(contract.rule_for(settings.scoring))
    known = [found.averaging for found in (spread, contract.cohort) if found and found.averaging is not None]
    averaging = known[0] if known else 0.0
    if settings.threshold is not None:
        named = spread.named_share(rule.threshold) if spread else None
        return RuleInForce(rule, "set", settings.fpir, 0, named, averaging)
    if spread is None:
        return RuleInForce(rule, "embedder", settings.fpir, averaging=averaging)
    threshold = spread.threshold(settings.fpir, people, contract.cohort)
    rule = replace(rule, threshold=threshold)
    return RuleInForce(rule, "estimated", settings.fpir, people, spread.named_share(threshold), averaging)


def notes_on(
    snapshot: Snapshot, calibration: GalleryCalibration | None, contract: EmbedderContract, settings: Settings
) -> tuple[str, ...]:
    """What a user should know about the parameters that a gallery is searched with, one line each.

    Args:
        snapshot: Of the gallery.
        calibration: The gallery's.
        contract: Of the embedder in use.
        settings: What the user set.

    Raises:
        SettingsError: As :func:`rule_in_force`.
    """
    found = rule_in_force(snapshot, contract, settings)
    notes: list[str] = []
    if calibration is not None:
        notes = calibration.notes(found.rule, contract.fingerprint, snapshot.thresholds)
    if found.source == "estimated":
        notes.append(
            f"Unknown is set for {rate_text(found.fpir)} strangers, estimated from your {found.people} people "
            "(not promised: `knownface calibrate`)."
        )
        if found.named is not None and found.named < POOR_SHARE:
            notes.append(
                f"{contract.name} does not keep your people apart well enough for that: only about {found.named:.0%} "
                "of new pictures of them will be named, the others stay Unknown. Somebody who is enrolled twice does "
                "that (`knownface people alike`); else a network trained on faces does better (`knownface models "
                "list`)."
            )
    elif found.source == "embedder":
        notes.append(uncalibrated_note(contract) or _own_note(found, contract))
    elif found.source == "set" and calibration is None:
        notes.append(f"Unknown is set by the threshold {found.rule.threshold:g}, which you gave.")
    return tuple(notes)


def _own_note(found: RuleInForce, contract: EmbedderContract) -> str:
    return (
        f"Unknown is set by the usual threshold of {contract.name}, {found.rule.threshold:g}; from three people on it "
        "is estimated from your gallery."
    )


def rate_text(rate: float) -> str:
    """A rate for people: ``about 1 in 100``."""
    times = 1 / rate
    if rate <= 0.5 and abs(times - round(times)) < 0.02 * times:
        return f"about 1 in {round(times):,}"
    return f"about {100 * rate:.3g} % of"
