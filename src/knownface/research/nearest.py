"""How far probes are from their own person, and from anybody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from knownface.evaluation.displays import Display
from knownface.evaluation.displays.style import BLUE, ORANGE, axes, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False)
class NearestDisplay(Display):
    """How far probes are from their own person and from anybody else, for each way to split.

    Attributes:
        labels: Of the ways, from the top.
        distances: For each, those to the own person's nearest template and to anybody else's, shape (n,) each.
    """

    labels: Sequence[str]
    distances: Sequence[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw; a way without anybody else has one row."""
        with style():
            self.figure_, self.ax_ = axes(ax, 8.2, 1.6 + 0.8 * len(self.labels))
            for kind, (label, colour) in enumerate((("same person", BLUE), ("anybody else", ORANGE))):
                for row, values in enumerate(pair[kind] for pair in self.distances):
                    if not np.isfinite(values).all():
                        continue
                    low, first, middle, third, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
                    place = row + (0.18 if kind else -0.18)
                    name = label if row == 0 else "_again"
                    self.ax_.plot([low, high], [place, place], "-", color=colour, linewidth=1.5, label=name)
                    self.ax_.plot([first, third], [place, place], "-", color=colour, linewidth=8, alpha=0.5)
                    self.ax_.plot([middle], [place], "o", color=colour)
            self.ax_.set_yticks(range(len(self.labels)), [fill(label, 34) for label in self.labels], fontsize=9)
            self.ax_.set_ylim(len(self.labels) - 0.5, -0.5)
            self.ax_.set_xlim(left=0)
            self.ax_.set_xlabel("distance to the nearest enrolled frame (0 to 2)")
            self.ax_.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
        return self
