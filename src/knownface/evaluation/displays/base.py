"""What all displays share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from knownface.evaluation.displays.style import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Display:
    """Something that was measured, ready to be drawn.

    As in scikit-learn: a class method ``from_...`` computes, ``plot(ax=None)`` draws and returns the display, and
    afterwards ``ax_`` and ``figure_`` hold what was drawn on.
    """

    figure_: Figure
    ax_: Axes

    def save(self, folder: Path, name: str) -> list[Path]:
        """Write what was plotted as PNG and SVG; returns the two files.

        Raises:
            OutputError: One of them cannot be written.
        """
        return save(self.figure_, folder, name)
