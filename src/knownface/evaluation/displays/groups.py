"""Rates by group, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.style import BLUE, RED, axes, percent, style
from knownface.evaluation.groups import GroupResult, Rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False)
class GroupsDisplay(Display):
    """A line a group: the share recognised to the left, the share who got somebody else's name to the right.

    Attributes:
        groups: Of one attribute.
        title: Its name.
    """

    groups: Sequence[GroupResult]
    title: str

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw points with their intervals; on axes that are given, the share recognised alone."""
        rates = [("TPIR: known people named rightly", BLUE, [group.tpir for group in self.groups])]
        with style():
            if ax is None:
                rates.append(("FPIR: others given a name", RED, [group.fpir for group in self.groups]))
                self.figure_, self.ax_ = axes(None, 9.6, 1.5 + 0.42 * len(self.groups))
                self.figure_.clear()
                panels = list(self.figure_.subplots(1, 2, sharey=True))
                self.ax_ = panels[0]
            else:
                self.figure_, self.ax_ = axes(ax)
                panels = [self.ax_]
            for panel, (label, colour, values) in zip(panels, rates, strict=True):
                _draw(panel, values, colour)
                panel.set_xlabel(label)
            self.ax_.set_yticks(range(len(self.groups)), [group.group for group in self.groups])
            self.ax_.set_ylim(len(self.groups) - 0.5, -0.5)
            self.ax_.set_title(f"By {self.title} (lines: 95 % intervals)")
        return self


def _draw(ax: Axes, rates: Sequence[Rate | None], colour: str) -> None:
    for place, rate in enumerate(rates):
        if rate is None:
            ax.text(0.02, place, "nobody", transform=ax.get_yaxis_transform(), va="center", fontsize=9, color="#666666")
            continue
        ax.plot([rate.interval.low, rate.interval.high], [place, place], "-", color=colour, alpha=0.6)
        ax.plot([rate.value], [place], "o", color=colour)
    percent(ax, x=True)
