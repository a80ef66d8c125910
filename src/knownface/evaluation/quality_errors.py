"""Does quality foretell mistakes? The error-versus-reject curve.

The poorest pictures by a measurement are refused, more and more of them; what share of the rest is still missed? A
measurement that foretells mistakes makes the curve fall, a useless one leaves it level (Grother and Tabassi,
"Performance of biometric quality measures", IEEE TPAMI 29, 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knownface.evaluation.intervals import Floats
from knownface.quality import FaceQuality, QualityLimits, shortcomings

Mask = npt.NDArray[np.bool_]

MEASUREMENTS: Mapping[str, Callable[[FaceQuality], float]] = {
    "score of all": lambda quality: quality.score,
    "size": lambda quality: quality.size,
    "sharpness": lambda quality: quality.sharpness,
    "frontality": lambda quality: -quality.turn,
    "light": lambda quality: -abs(quality.brightness - 0.5),
    "contrast": lambda quality: quality.contrast,
    "detector's score": lambda quality: quality.detector_score,
}
"""Larger is better in each; NaN where a thing is not known."""

_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class RejectCurve:
    """What refusing pictures by one measurement does.

    Attributes:
        measurement: Its name.
        rejected: Float64, shape (n,): share of pictures refused, from 0 on.
        errors: Float64, shape (n,): share of the others that is missed.
    """

    measurement: str
    rejected: Floats
    errors: Floats

    def at(self, share: float) -> float:
        """The share missed where so many are refused."""
        return float(self.errors[np.searchsorted(self.rejected, share, side="right") - 1])


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """What one of the limits of enrolment would have refused.

    Attributes:
        code: Of the shortcoming.
        pictures: Refused.
        missed: Of those, not named rightly.
    """

    code: str
    pictures: int
    missed: int


def reject_curve(measurement: str, values: Floats, missed: Mask) -> RejectCurve:
    """Refuse the smallest values first, at most all but one; equal ones in a random order.

    Args:
        measurement: Its name.
        values: Shape (n,): larger is better; NaN counts as the smallest.
        missed: Shape (n,): which pictures were not named rightly.
    """
    shuffled = np.random.default_rng(_SEED).permutation(len(values))
    order = shuffled[np.argsort(np.nan_to_num(values[shuffled], nan=-np.inf), kind="stable")]
    left = missed.sum() - np.concatenate([[0], np.cumsum(missed[order])])[:-1]
    count = len(values)
    return RejectCurve(measurement, np.arange(count) / count, left / (count - np.arange(count)))


def reject_curves(qualities: Sequence[FaceQuality], missed: Mask) -> list[RejectCurve]:
    """A curve for each measurement that is known, and first the best that could be: every miss is refused first."""
    curves = [reject_curve("best possible", -missed.astype(np.float64), missed)]
    for name, measure in MEASUREMENTS.items():
        values = np.array([measure(quality) for quality in qualities])
        if not np.isnan(values).all():
            curves.append(reject_curve(name, values, missed))
    return curves


def check_limits(
    qualities: Sequence[FaceQuality], missed: Mask, limits: QualityLimits | None = None
) -> list[LimitCheck]:
    """For each shortcoming that occurs, how many pictures have it and how many of those are missed."""
    found: dict[str, list[bool]] = {}
    for quality, miss in zip(qualities, missed.tolist(), strict=True):
        for shortcoming in shortcomings(quality, limits or QualityLimits()):
            found.setdefault(shortcoming.code, []).append(miss)
    return [LimitCheck(code, len(misses), sum(misses)) for code, misses in sorted(found.items())]
