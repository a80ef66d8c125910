"""The confusion matrix, for few and for many people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.style import axes, style
from knownface.evaluation.faces import Searches
from knownface.evaluation.metrics import ConfusionMatrix, confusion_matrix
from knownface.types import Ids

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUMBERED = 30
"""Up to so many labels every cell that is not 0 shows its number; beyond, only the mistakes do."""
_INCHES = 0.42, 0.15
_FONT = 9.0, 5.0


@dataclass(eq=False)
class ConfusionMatrixDisplay(Display):
    """Who it was by what was answered; right answers blue, mistakes orange to red.

    A cell's strength is its share of its row. Mistakes start at a visible colour, so that a single one is seen among
    a hundred people.

    Attributes:
        matrix: The counts.
    """

    matrix: ConfusionMatrix

    @classmethod
    def from_searches(cls, searches: Searches, answers: Ids) -> Self:
        """Count the answers."""
        return cls(confusion_matrix(searches, answers))

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw; the figure grows with the number of people."""
        labels, counts = self._shown()
        count = len(labels)
        small = count <= NUMBERED
        side = 2.2 + max(1.8, count * _INCHES[0 if small else 1])
        font = _FONT[0 if small else 1]
        with style():
            self.figure_, self.ax_ = axes(ax, side + 0.6, side)
            ax = self.ax_
            ax.imshow(_colours(counts), interpolation="nearest", aspect="equal")
            ax.set_xticks(range(count), labels, rotation=90, fontsize=font)
            ax.set_yticks(range(count), labels, fontsize=font)
            ax.tick_params(length=0 if small else 1.5, width=0.4)
            ax.grid(visible=False)
            ax.set_xticks(np.arange(-0.5, count), minor=True)
            ax.set_yticks(np.arange(-0.5, count), minor=True)
            ax.grid(visible=True, which="minor", color="#E4E4E4", linewidth=0.5 if small else 0.25)
            ax.tick_params(which="minor", length=0)
            ax.spines[:].set_visible(False)
            self._write_numbers(counts, small, font)
            right = counts.diagonal().sum()
            ax.set_xlabel("answered")
            ax.set_ylabel("was")
            ax.set_title(f"{right} of {counts.sum()} right, {counts.sum() - right} mistakes (orange)")
        return self

    def _shown(self) -> tuple[tuple[str, ...], Ids]:
        """Without the row and column of Unknown where both are empty."""
        labels, counts = self.matrix.labels, self.matrix.counts
        if counts[-1].any() or counts[:, -1].any():
            return labels, counts
        return labels[:-1], counts[:-1, :-1]

    def _write_numbers(self, counts: Ids, small: bool, font: float) -> None:
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for row, column in zip(*np.nonzero(counts), strict=True):
            if small or row != column:
                dark = share[row, column] > (0.55 if row == column else 0.3)
                self.ax_.text(
                    float(column),
                    float(row),
                    str(counts[row, column]),
                    ha="center",
                    va="center",
                    fontsize=font,
                    color="white" if dark else "black",
                )


def _colours(counts: Ids) -> np.typing.NDArray[np.float64]:
    import matplotlib as mpl

    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image: np.typing.NDArray[np.float64] = np.ones((*counts.shape, 4))
    wrong = (counts > 0) & ~np.eye(len(counts), dtype=bool)
    image[wrong] = mpl.colormaps["Oranges"](0.35 + 0.65 * np.sqrt(share[wrong]))
    right = np.diag(counts) > 0
    places = np.flatnonzero(right)
    image[places, places] = mpl.colormaps["Blues"](0.15 + 0.75 * share.diagonal()[right])
    return image
