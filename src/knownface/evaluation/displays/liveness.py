"""How the scores of a liveness check part living faces from attacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.style import COLOURS, DASHES, GREY, axes, percent, style
from knownface.evaluation.intervals import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False)
class LivenessDisplay(Display):
    """The share of every kind that is refused at each threshold: high is good for attacks, bad for living faces.

    Attributes:
        real: Scores of living faces, 0 to 1.
        attacks: Scores of attacks by kind.
        threshold: In force; drawn as a line.
    """

    real: Floats
    attacks: Mapping[str, Floats]
    threshold: float

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw."""
        with style():
            self.figure_, self.ax_ = axes(ax, 7.6)
            for number, (kind, scores) in enumerate([("living faces", self.real), *self.attacks.items()]):
                ordered = np.sort(scores)
                shares = np.arange(1, len(ordered) + 1) / len(ordered)
                self.ax_.step(
                    np.concatenate([[0.0], ordered, [1.0]]),
                    np.concatenate([[0.0], shares, [1.0]]),
                    DASHES[number % len(DASHES)],
                    where="post",
                    color=COLOURS[number % len(COLOURS)],
                    label=f"{kind} ({len(scores):,})",
                )
            self.ax_.axvline(self.threshold, color=GREY, linestyle=":", label=f"threshold {self.threshold:.3f}")
            self.ax_.set_xlabel("threshold")
            self.ax_.set_ylabel("refused as not live")
            self.ax_.set_xlim(0, 1)
            percent(self.ax_, y=True)
            self.ax_.set_title("Living faces and attacks")
            self.ax_.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
        return self
