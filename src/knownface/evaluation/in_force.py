"""What the people evaluated would get from a gallery of theirs that nobody has calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from knownface.decision import NOBODY
from knownface.decision.estimate import measure_spreads
from knownface.evaluation.faces import search
from knownface.evaluation.protocol import Sides
from knownface.parameters import RuleInForce, ThresholdSource, rate_text, uncalibrated_rule
from knownface.settings import Settings
from knownface.types import EmbedderContract


@dataclass(frozen=True, slots=True)
class InForce:
    """The parameters that a gallery of these people is searched with by itself, and what comes of them.

    Attributes:
        found: The parameters and where they come from.
        right: The share of pictures of known people that get the right name.
        strangers_named: The share of pictures of strangers that get a name; None without strangers.
    """

    found: RuleInForce
    right: float
    strangers_named: float | None

    @property
    def sentence(self) -> str:
        """Threshold, authority and result, for people."""
        found = self.found
        authority: Mapping[ThresholdSource, str] = {
            "set": "which the settings fix",
            "estimated": f"estimated from these {found.people} people for {rate_text(found.fpir)} strangers",
            "embedder": "the usual one of the network, since it takes three people to estimate another",
        }
        text = (
            f"A gallery of these people is searched with the threshold {found.rule.threshold:.2f}, "
            f"{authority[found.source]}. With it {self.right:.1%} of the pictures of known people get the right name"
        )
        strangers = (
            "" if self.strangers_named is None else f", and {self.strangers_named:.1%} of those of strangers a name"
        )
        return f"{text}{strangers}."


def measure_in_force(sides: Sides, contract: EmbedderContract, settings: Settings) -> InForce:
    """The parameters that a gallery of the train side has by itself, tried on the other sides.

    Args:
        sides: The faces.
        contract: Of the embedder that made them.
        settings: Scoring, wanted rate, and what the user fixed.
    """
    train = sides.train.faces
    names, who = np.unique(train.people, return_inverse=True)
    spread = measure_spreads(train.embeddings, who.astype(np.int64)).get(settings.scoring)
    found = uncalibrated_rule(spread, len(names), contract, settings)
    known = search(train, sides.val.faces, found.rule.k2, scoring=settings.scoring)
    right = float((known.answers(found.rule) == known.truth).mean())
    if sides.strangers is None:
        return InForce(found, right, None)
    unknown = search(train, sides.strangers.faces, found.rule.k2, scoring=settings.scoring)
    return InForce(found, right, float((unknown.answers(found.rule) != NOBODY).mean()))
