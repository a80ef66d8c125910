"""Errors against the share of pictures refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.style import COLOURS, DASHES, GREY, axes, percent, style
from knownface.evaluation.quality_errors import RejectCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = 0.5


@dataclass(eq=False)
class ErrorRejectDisplay(Display):
    """What share of known people's pictures is missed, when the poorest are refused by each measurement.

    Attributes:
        curves: The first is the best that could be.
    """

    curves: Sequence[RejectCurve]

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw up to half of the pictures; the grey line is the best that could be."""
        with style():
            self.figure_, self.ax_ = axes(ax)
            for i, curve in enumerate(self.curves):
                shown = curve.rejected <= _SHOWN
                colour, dash = (COLOURS[(i - 1) % len(COLOURS)], DASHES[i % len(DASHES)]) if i else (GREY, ":")
                self.ax_.plot(curve.rejected[shown], curve.errors[shown], dash, color=colour, label=curve.measurement)
            self.ax_.set_xlim(0, _SHOWN)
            self.ax_.set_ylim(bottom=0)
            percent(self.ax_, x=True, y=True)
            self.ax_.set_xlabel("poorest pictures refused")
            self.ax_.set_ylabel("known people missed among the rest")
            self.ax_.set_title("Does quality foretell mistakes?")
            self.ax_.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, fontsize=9)
        return self
