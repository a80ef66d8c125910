"""What became of every picture, as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from knownface.decision import NOBODY
from knownface.evaluation.displays import Display
from knownface.evaluation.displays.style import BLUE, GREY, ORANGE, SKY, axes, percent, style
from knownface.evaluation.faces import Searches
from knownface.types import Ids

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the pictures of one kind.

    Attributes:
        right: Named rightly.
        unknown: Called Unknown.
        wrong: Given somebody else's name.
        missed: No face was found.
    """

    right: int
    unknown: int
    wrong: int
    missed: int

    @classmethod
    def of(cls, searches: Searches, answers: Ids, missed: int) -> Self:
        """Count answers to probes of enrolled people."""
        right, unknown = int((answers == searches.truth).sum()), int((answers == NOBODY).sum())
        return cls(right, unknown, len(answers) - right - unknown, missed)

    @property
    def total(self) -> int:
        """All pictures."""
        return self.right + self.unknown + self.wrong + self.missed

    def shares(self) -> npt.NDArray[np.float64]:
        """Right, Unknown, wrong, missed among all pictures; shape (4,)."""
        return np.array([self.right, self.unknown, self.wrong, self.missed]) / max(1, self.total)


@dataclass(eq=False)
class OutcomesDisplay(Display):
    """A bar for every kind of picture.

    Attributes:
        labels: Of the bars, from the top.
        outcomes: One for each.
    """

    labels: Sequence[str]
    outcomes: Sequence[Outcomes]

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw."""
        shares = np.array([one.shares() for one in self.outcomes]).reshape(-1, 4)
        places = np.arange(len(shares))
        parts = (
            ("right", BLUE, ""),
            ("Unknown", SKY, ""),
            ("wrong name", ORANGE, "///"),
            ("no face found", "#D9D9D9", ""),
        )
        with style():
            self.figure_, self.ax_ = axes(ax, 7.6, 1.3 + 0.27 * len(shares))
            left = np.zeros(len(shares))
            for i, (label, colour, hatch) in enumerate(parts):
                self.ax_.barh(places, shares[:, i], left=left, color=colour, hatch=hatch, label=label, height=0.74)
                left += shares[:, i]
            for place, share in zip(places.tolist(), shares[:, 0].tolist(), strict=True):
                self.ax_.text(1.01, place, f"{share:.1%}", va="center", fontsize=8, color=GREY)
            self.ax_.set_yticks(places, self.labels, fontsize=8.5)
            self.ax_.set_ylim(len(shares) - 0.4, -0.6)
            self.ax_.set_xlim(0, 1.09)
            self.ax_.grid(visible=False)
            percent(self.ax_, x=True)
            self.ax_.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, fontsize=8.5)
        return self
