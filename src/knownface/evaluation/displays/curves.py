"""ROC, precision-recall, DET and CMC. Several can be drawn on the same axes to compare embedders."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from knownface.evaluation.curves import DistanceCurve, Floats, cmc, distance_curve, match_ranks, one_against_rest
from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.style import COLOURS, DASHES, GREY, axes, percent, style
from knownface.evaluation.faces import FaceSet
from knownface.evaluation.grid import GridTable
from knownface.evaluation.openset import OpenSet
from knownface.scorings import Scoring
from knownface.types import Ids

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_POINTS = 2000


def _line(ax: Axes) -> tuple[str, str]:
    """Colour and dashes of the next curve on these axes."""
    count = sum(1 for line in ax.lines if not str(line.get_label()).startswith("_"))
    return COLOURS[count % len(COLOURS)], DASHES[count % len(DASHES)]


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Few enough points for a small file: a curve of a million steps looks the same with some thousand."""
    if len(x) <= _MOST_POINTS:
        return x, y
    # Even steps along x would lose the steep part, so even steps along the length of the curve are taken.
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    wanted = np.linspace(0.0, length[-1], _MOST_POINTS)
    rows = np.unique(np.concatenate([[0, len(x) - 1], np.minimum(np.searchsorted(length, wanted), len(x) - 1)]))
    return x[rows], y[rows]


@dataclass(eq=False)
class _CurveDisplay(Display):
    """What two pictures of one curve share.

    Attributes:
        curve: What is accepted at each distance.
        name: Shown in the legend.
    """

    curve: DistanceCurve
    name: str = "knownface"

    @classmethod
    def from_faces(
        cls, gallery: FaceSet, probes: FaceSet, name: str = "knownface", scoring: Scoring = "nearest"
    ) -> Self:
        """Every probe against every enrolled person, as the paper draws it."""
        return cls(distance_curve(*one_against_rest(gallery, probes, scoring)), name)


@dataclass(eq=False)
class RocDisplay(_CurveDisplay):
    """True positive rate against false positive rate."""

    def plot(self, ax: Axes | None = None, *, log: bool = True) -> Self:
        """Draw; without ``log`` the many true negatives press the curve into the corner, as the paper found."""
        x, y = self.curve.false_positive_rate, self.curve.true_positive_rate
        least = 0.5 / max(1, self.curve.impostors)
        if log:
            x = np.log10(np.maximum(x, least))
        x, y = _thinned(np.concatenate([[x.min(initial=0.0)], x]), np.concatenate([[0.0], y]))
        x = 10.0**x if log else x
        with style():
            self.figure_, self.ax_ = axes(ax)
            colour, dash = _line(self.ax_)
            self.ax_.plot(x, y, dash, color=colour, label=f"{self.name} (area {self.curve.area:.4f})")
            if log:
                self.ax_.set_xscale("log")
            self.ax_.set_xlabel("false positive rate")
            self.ax_.set_ylabel("true positive rate")
            self.ax_.set_ylim(-0.02, 1.02)
            percent(self.ax_, x=log, y=True)
            self.ax_.set_title("ROC, each person against the rest")
            self.ax_.legend(loc="lower right")
        return self


@dataclass(eq=False)
class PrecisionRecallDisplay(_CurveDisplay):
    """Precision against recall while the threshold grows.

    Attributes:
        grid: A grid search whose rows are drawn as points: micro-averaged as in the paper, they lie on the diagonal.
    """

    grid: GridTable | None = None

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw."""
        recall, precision = _thinned(self.curve.true_positive_rate, self.curve.precision)
        with style():
            self.figure_, self.ax_ = axes(ax)
            colour, dash = _line(self.ax_)
            label = f"{self.name} (average precision {self.curve.average_precision:.4f})"
            self.ax_.plot(recall, precision, dash, color=colour, label=label, drawstyle="steps-post")
            if self.grid is not None:
                rates = np.unique(np.stack([self.grid.column("recall"), self.grid.column("precision")]), axis=1)
                self.ax_.plot([0, 1], [0, 1], ":", color=GREY, linewidth=1, label="_diagonal")
                self.ax_.plot(*rates, "o", color=GREY, markersize=3.5, label="rows of the grid, as the paper counts")
            self.ax_.set_xlabel("recall")
            self.ax_.set_ylabel("precision")
            self.ax_.set_xlim(-0.02, 1.02)
            self.ax_.set_ylim(-0.02, 1.02)
            percent(self.ax_, x=True, y=True)
            self.ax_.set_title("Precision and recall")
            self.ax_.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), fontsize=9)
        return self


def _deviates(rates: npt.ArrayLike) -> Floats:
    """Rates as standard deviations of the normal distribution, for axes; NaN stays NaN."""
    values = np.asarray(rates, dtype=np.float64)
    return np.array([NormalDist().inv_cdf(rate) for rate in values.ravel().tolist()]).reshape(values.shape)


@dataclass(eq=False)
class DetDisplay(Display):
    """Detection error trade-off: FNIR against FPIR in normal-deviate axes (Martin et al., 1997).

    Attributes:
        counts: Of the open set.
        name: Shown in the legend.
    """

    counts: OpenSet
    name: str = "knownface"

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw. Rates of 0 lie at half an error; grey marks where fewer than three strangers were named."""
        counts = self.counts
        searched, mated = int(counts.non_mated.sum()), int(counts.mated.sum())
        least = 0.5 / max(1, searched), 0.5 / max(1, mated)
        x = _deviates(np.clip(counts.fpir, least[0], 1 - least[0]))
        y = _deviates(np.clip(counts.fnir, least[1], 1 - least[1]))
        with style():
            self.figure_, self.ax_ = axes(ax, 5.6, 5.2)
            colour, dash = _line(self.ax_)
            self.ax_.plot(x, y, dash, color=colour, label=f"{self.name} ({searched} and {mated} searches)")
            _deviate_ticks(self.ax_, least)
            few = float(_deviates(min(0.5, 3 / max(6, searched))))
            label = "_again" if self.ax_.patches else "fewer than 3 strangers named"
            self.ax_.axvspan(float(_deviates(least[0])), few, color="#EDEDED", zorder=0, label=label)
            self.ax_.set_xlabel("FPIR (strangers named)")
            self.ax_.set_ylabel("FNIR (known people missed)")
            self.ax_.set_title("DET")
            self.ax_.legend(loc="upper right")
        return self


def _deviate_ticks(ax: Axes, least: tuple[float, float]) -> None:
    rates = np.array([1e-5, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9])
    texts = [f"{100 * rate:g}%" for rate in rates]
    places = _deviates(rates)
    for axis, low in ((ax.xaxis, least[0]), (ax.yaxis, least[1])):
        shown = rates >= low
        axis.set_ticks(places[shown], [text for text, is_shown in zip(texts, shown, strict=True) if is_shown])
    ax.set_xlim(float(_deviates(least[0])) - 0.1, float(_deviates(0.9)))
    ax.set_ylim(float(_deviates(least[1])) - 0.1, float(_deviates(0.9)))
    ax.tick_params(axis="x", rotation=45)


@dataclass(eq=False)
class CmcDisplay(Display):
    """Cumulative match characteristic: the right person among the first r.

    Attributes:
        ranks: Rank of each probe's person, from 1.
        name: Shown in the legend.
    """

    ranks: Ids
    name: str = "knownface"

    @classmethod
    def from_faces(
        cls, gallery: FaceSet, probes: FaceSet, name: str = "knownface", scoring: Scoring = "nearest"
    ) -> Self:
        """Search every probe of an enrolled person."""
        return cls(match_ranks(gallery, probes, scoring), name)

    def plot(self, ax: Axes | None = None, *, highest: int = 20) -> Self:
        """Draw the ranks up to ``highest``."""
        from matplotlib.ticker import MaxNLocator

        shares = cmc(self.ranks, highest)
        with style():
            self.figure_, self.ax_ = axes(ax)
            colour, dash = _line(self.ax_)
            label = f"{self.name} (rank 1: {shares[0]:.2%} of {len(self.ranks)})"
            self.ax_.plot(np.arange(1, highest + 1), shares, dash, marker="o", markersize=4, color=colour, label=label)
            self.ax_.set_xlabel("rank r")
            self.ax_.set_ylabel("right person among the first r")
            lowest = min([float(np.min(line.get_ydata())) for line in self.ax_.lines])
            self.ax_.set_ylim(max(0.0, 1.0 - 1.3 * max(0.02, 1.0 - lowest)), 1.0 + 0.06 * max(0.02, 1.0 - lowest))
            self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True))
            percent(self.ax_, y=True)
            self.ax_.set_title("CMC")
            self.ax_.legend(loc="lower right")
        return self
