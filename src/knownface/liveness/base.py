"""What a presentation attack detector is, and what several pictures of one face say together.

Terms are those of ISO/IEC 30107-3: a *presentation attack* shows something else than a living face, such as a print or
a screen; a *bona fide* presentation is the face itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.types import Face, Image, Liveness

Scores: TypeAlias = npt.NDArray[np.float32]
"""Shape (n,), 0 (surely an attack) to 1 (surely live)."""

_SURE = 1e-6


class LivenessCheck(Protocol):
    """Tells living faces from pictures of them; one instance may be used by several threads at once."""

    @property
    def name(self) -> str:
        """Name in the catalogue, or that it is registered by."""
        ...

    @property
    def fingerprint(self) -> str:
        """Digest over weights and preprocessing: a threshold calibrated for one is not used for another."""
        ...

    @property
    def threshold(self) -> float:
        """The smallest score, above 0 and below 1, at which a face counts as live, unless it was calibrated."""
        ...

    def crop(self, image: Image, face: Face) -> Image:
        """What the check sees of a face.

        Args:
            image: The picture that the face was found in, RGB.
            face: In pixels of that picture.

        Raises:
            FaceError: The face lies outside the picture.
        """
        ...

    def score(self, crops: Sequence[Image]) -> Scores:
        """How live any number of crops look, in their order.

        Raises:
            ModelError: The network fails, or gives something that is not finite.
        """
        ...


@dataclass(frozen=True, slots=True)
class LivenessRule:
    """What follows from scores.

    Attributes:
        threshold: The smallest score, 0 to 1, that counts as live.
        required: Whether a face that does not look alive, or whose score is not known, may get no name.
        pictures: Of a track so many are asked for before it may get one.
    """

    threshold: float = 0.0
    required: bool = False
    pictures: int = 2

    def of(self, score: float | None) -> Liveness | None:
        """A score with the threshold; None where faces are not checked."""
        return None if score is None else Liveness(score, self.threshold)

    def bars(self, score: float | None) -> bool:
        """Whether a face of this score may get no name."""
        return self.required and (score is None or score < self.threshold)


NOT_CHECKED = LivenessRule()
"""Everybody may get a name."""


def combined(scores: Sequence[float], weights: Sequence[float]) -> float:
    """What several pictures of one face say together: the weighted mean of their log-odds, as a score.

    An attack shows in some pictures only, and there clearly: log-odds let one clear picture outweigh many that are
    nearly undecided, as a mean of scores would not.

    Args:
        scores: Of the pictures, 0 to 1, at least one.
        weights: How much each counts, above 0.

    Returns:
        0 to 1; independent of the order.
    """
    clipped = np.clip(np.asarray(scores, dtype=np.float64), _SURE, 1 - _SURE)
    log_odds = np.log(clipped) - np.log1p(-clipped)
    mean = float(np.average(log_odds, weights=weights))
    return float(1 / (1 + np.exp(-mean)))
