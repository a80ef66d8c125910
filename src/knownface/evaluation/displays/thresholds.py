"""What the threshold does: the open set, the grid search and its plateau."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.style import BLUE, COLOURS, DASHES, GREY, RED, axes, percent, style
from knownface.evaluation.grid import SMALLER_IS_BETTER, GridTable
from knownface.evaluation.openset import OpenSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

_LEAST_SPREAD = 0.05
"""Between the darkest and the lightest colour of a heat map."""
_NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "answered_precision": "precision of names given",
    "unknown_rate": "Unknown among enrolled people",
    "strangers_named_rate": "strangers named",
}
_OF_NAMES_GIVEN = frozenset({"answered_precision"})
"""Columns that say nothing where nobody was named."""


@dataclass(eq=False)
class OpenSetDisplay(Display):
    """FPIR and FNIR over the threshold.

    Attributes:
        counts: Of the open set.
        threshold: One to mark, such as the calibrated one.
    """

    counts: OpenSet
    threshold: float | None = None

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw, on a logarithmic scale down to half an error."""
        counts = self.counts
        with style():
            self.figure_, self.ax_ = axes(ax)
            ax = self.ax_
            floors = []
            for rates, searches, label, colour, dash in (
                (counts.fpir, counts.non_mated.sum(), "FPIR: strangers named", RED, "-"),
                (counts.fnir, counts.mated.sum(), "FNIR: known people missed", BLUE, "--"),
            ):
                if searches:
                    seen = np.where(rates > 0, rates, np.nan)
                    ax.plot(counts.thresholds, seen, dash, color=colour, label=f"{label} (of {searches})")
                    floors.append(0.5 / searches)
            if self.threshold is not None:
                ax.axvline(self.threshold, color=GREY, linewidth=1, label=f"threshold {self.threshold:.2f}")
            ax.set_yscale("log")
            ax.set_ylim(min(floors, default=1e-3), 1.3)
            answers = counts.hits.sum(axis=0) + counts.named.sum(axis=0)
            busy = counts.thresholds[(answers > 0.01 * answers.max()) & (answers < 0.999 * answers.max())]
            if len(busy):
                ax.set_xlim(busy[0] - 0.05, busy[-1] + 0.05)
            percent(ax, y=True)
            ax.set_xlabel("threshold (distance, 0 to 2)")
            ax.set_ylabel("rate")
            ax.set_title("Errors over the threshold")
            ax.legend(loc="best")
        return self


@dataclass(eq=False)
class GridDisplay(Display):
    """The best of each pair of k1 and k2 over all thresholds, as a heat map.

    Attributes:
        table: Of the grid search.
        criterion: A column of it.
        fpir: The share of strangers that may get a name, where strangers were tried.
    """

    table: GridTable
    criterion: str = "accuracy"
    fpir: float = 1.0

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw; each cell shows the value and the strictest threshold that reaches it, the best is framed."""
        rows, sign = self.table.rows, -1.0 if self.criterion in SMALLER_IS_BETTER else 1.0
        k1s, k2s = np.unique(rows["k1"]), np.unique(rows["k2"])
        values, best = self._best_cells(k1s.tolist(), k2s.tolist())
        winner = self.table.row(self.table.best_row(self.criterion, self.fpir))
        with style():
            self.figure_, self.ax_ = axes(ax, 2.2 + 0.72 * len(k2s), 1.8 + 0.5 * len(k1s))
            ax = self.ax_
            # A flat table stays one light colour: differences of a thousandth are no news.
            high = float(np.nanmax(sign * values)) + 1e-3
            low = min(float(np.nanmin(sign * values)), high - _LEAST_SPREAD)
            ax.imshow(sign * values, cmap="cividis", aspect="auto", vmin=low, vmax=high)
            for row, column in zip(*np.nonzero(~np.isnan(values)), strict=True):
                dark = sign * values[row, column] < (low + high) / 2
                text = f"{values[row, column]:.4g}\nat {best[row, column]:.2f}"
                ax.text(column, row, text, ha="center", va="center", fontsize=7.5, color="white" if dark else "black")
            place = int(np.searchsorted(k2s, winner["k2"])), int(np.searchsorted(k1s, winner["k1"]))
            ax.add_patch(_frame(place))
            ax.set_xticks(range(len(k2s)), k2s.tolist())
            ax.set_yticks(range(len(k1s)), k1s.tolist())
            ax.grid(visible=False)
            ax.set_xlabel("k2")
            ax.set_ylabel("k1")
            ax.set_title(f"Best {_NAMES.get(self.criterion, self.criterion)} of each k1 and k2, and the threshold")
        return self

    def _best_cells(self, k1s: Sequence[int], k2s: Sequence[int]) -> tuple[np.typing.NDArray[np.float64], ...]:
        rows = self.table.rows
        values, thresholds = np.full((len(k1s), len(k2s)), np.nan), np.full((len(k1s), len(k2s)), np.nan)
        for i, k1 in enumerate(k1s):
            for j, k2 in enumerate(k2s):
                part = GridTable(rows[(rows["k1"] == k1) & (rows["k2"] == k2)], self.table.scoring)
                if len(part):
                    row = part.row(part.best_row(self.criterion, self.fpir))
                    values[i, j], thresholds[i, j] = row[self.criterion], row["threshold"]
        return values, thresholds


def _frame(place: tuple[int, int]) -> Patch:
    from matplotlib.patches import Rectangle

    return Rectangle((place[0] - 0.5, place[1] - 0.5), 1, 1, fill=False, edgecolor=RED, linewidth=2.5)


@dataclass(eq=False)
class ThresholdDisplay(Display):
    """Columns of the grid table over the threshold for one pair of k1 and k2, with the plateau.

    Attributes:
        table: Of the grid search.
        k1: First vote.
        k2: Second vote.
        columns: What to draw.
    """

    table: GridTable
    k1: int
    k2: int
    columns: tuple[str, ...] = tuple(_NAMES)

    @classmethod
    def from_row(cls, table: GridTable, index: int) -> Self:
        """For k1 and k2 of a row, the best one as a rule."""
        row = table.row(index)
        return cls(table, int(row["k1"]), int(row["k2"]))

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw; beyond the plateau, which is shaded, nothing changes any more."""
        rows = self.table.rows
        part = GridTable(rows[(rows["k1"] == self.k1) & (rows["k2"] == self.k2)], self.table.scoring)
        thresholds = part.column("threshold")
        with style():
            self.figure_, self.ax_ = axes(ax)
            ax = self.ax_
            for i, name in enumerate(self.columns):
                values = part.column(name)
                if np.isnan(values).all():
                    continue
                if name in _OF_NAMES_GIVEN:
                    values = np.where(part.column("unknown_rate") < 1, values, np.nan)
                dash = DASHES[i % len(DASHES)]
                ax.plot(thresholds, values, dash, color=COLOURS[i], label=_NAMES.get(name, name))
            start = part.plateau()
            if start is not None:
                ax.axvspan(start, float(thresholds[-1]), color="#EFEFEF", zorder=0, label=f"plateau from {start:.2f}")
            ax.set_ylim(-0.02, 1.02)
            percent(ax, y=True)
            ax.set_xlabel("threshold (distance, 0 to 2)")
            ax.set_title(f"k1 = {self.k1}, k2 = {self.k2}")
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=9)
        return self
