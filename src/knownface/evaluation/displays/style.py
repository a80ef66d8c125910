"""One look for all plots, and how they are saved.

Figures are made without ``pyplot``: no window, no state shared between threads, nothing to close. Colours are those
of Okabe and Ito ("Color Universal Design", 2008), which colour-blind readers can tell apart; lines differ in dashes
as well, points in shape.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knownface.errors import MissingExtraError, OutputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, SKY, RED, YELLOW, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#000000",
)
COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK, "#8C6D1F")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
GREY = "#666666"
DPI = 150

_STYLE: Any = {
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Text stays text: it can be searched, and the file stays small.
    "svg.fonttype": "none",
    # The same plot is the same file.
    "svg.hashsalt": "knownface",
}


def style() -> AbstractContextManager[None]:
    """A context in which plots get this look.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtraError("Plots need matplotlib, which is not installed.", "evaluation") from error
    return mpl.rc_context(_STYLE)


def axes(ax: Axes | None, width: float = 6.4, height: float = 4.4) -> tuple[Figure, Axes]:
    """The axes to draw on: those given, or those of a new figure of so many inches."""
    if ax is not None:
        figure = ax.get_figure(root=True)
        assert figure is not None  # noqa: S101 - axes taken out of their figure cannot be drawn on
        return figure, ax
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def percent(ax: Axes, *, x: bool = False, y: bool = False) -> None:
    """Label an axis of shares in per cent."""
    from matplotlib.ticker import FuncFormatter

    for axis in [*([ax.xaxis] if x else []), *([ax.yaxis] if y else [])]:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 6):g}%"))


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as ``NAME.png`` and ``NAME.svg``; the folder is made where it is missing.

    Returns:
        The two files.

    Raises:
        OutputError: One of them cannot be written.
    """
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    with style():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            figure.savefig(paths[0], dpi=DPI, metadata={"Software": None})
            figure.set_layout_engine("none")  # it was laid out just now, which takes as long as drawing it
            figure.savefig(paths[1], metadata={"Date": None})
        except OSError as error:
            raise OutputError(f"The plot {name} could not be written to {folder}: {error.strerror}.") from error
    return paths
