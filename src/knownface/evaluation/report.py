"""A report: one page that opens from disk, in any browser and without a network, and all its numbers as JSON.

The page holds everything itself (plots as SVG or PNG, faces as small JPEG pictures, both as ``data:`` URIs), runs no
script, and may not load anything: its own Content-Security-Policy forbids it. Names of people and files come from
outside, so every text is escaped.
"""

from __future__ import annotations

import dataclasses
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from knownface import __version__
from knownface.evaluation.displays import save
from knownface.evaluation.page import data_uri, page_template
from knownface.files import replacing
from knownface.installing import installed_version
from knownface.types import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS = "plots"
"""Folder beside the page in which every plot lies as PNG and SVG."""
LARGEST_SVG = 400_000
"""Bytes beyond which the page shows a plot as PNG: thousands of points are slow as SVG."""
LONG_TABLE = 30
"""Rows beyond which a table is folded up."""
_WIDE = 7.0
"""Inches beyond which a plot gets the whole width of the page."""
_VERSIONS = ("numpy", "onnxruntime", "opencv-python-headless", "dlib-bin", "faiss-cpu", "matplotlib")


@dataclass(frozen=True, slots=True, eq=False)
class PictureData:
    """A small picture, a face as a rule.

    Attributes:
        caption: What it shows, for those who see it and for those who have it read to them.
        image: RGB ``uint8``, shape (height, width, 3); made smaller for the page.
    """

    caption: str
    image: Image


Cell: TypeAlias = str | bool | int | float | PictureData | None
"""What stands in a table: NaN and None are shown as a dash; NumPy's numbers will do as well."""


@dataclass(frozen=True, slots=True, eq=False)
class TableData:
    """A table; its first column names the rows.

    Attributes:
        columns: Headings.
        rows: As many cells each as there are columns.
        caption: What the table shows.
        formats: How numbers of a column are written, by heading, such as ``".1%"``; ``".4g"`` where left out.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str
    formats: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = next((row for row in self.rows if len(row) != len(self.columns)), None)
        if wrong is not None:
            raise ValueError(f"every row must have {len(self.columns)} cells, got {len(wrong)}: {wrong!r}")


@runtime_checkable
class Plottable(Protocol):
    """A display, ours or scikit-learn's: once plotted it has its figure as ``figure_``."""

    def plot(self) -> Any:
        """Draw; returns the display."""


@dataclass(frozen=True, slots=True, eq=False)
class FigureData:
    """A plot.

    Attributes:
        name: Of its files, without a suffix: letters, digits, ``-`` and ``_``, of its own within the report.
        caption: What is to be seen.
        figure_or_display: A matplotlib figure, or a display, which is plotted if it was not yet.
    """

    name: str
    caption: str
    figure_or_display: Figure | Plottable

    def __post_init__(self) -> None:
        if not self.name or not self.name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"a plot's name has letters, digits, - and _ only, got {self.name!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A part of a report: text, then tables, plots and pictures, each in order.

    Attributes:
        title: Heading.
        text: Paragraphs, with an empty line between them.
        tables: Tables.
        figures: Plots.
        pictures: Pictures, shown side by side.
    """

    title: str
    text: str = ""
    tables: Sequence[TableData] = ()
    figures: Sequence[FigureData] = ()
    pictures: Sequence[PictureData] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What was measured.

    Attributes:
        title: Heading of the page.
        headline: The result in a sentence or two, for somebody who reads nothing else.
        facts: What was measured, on what and with which parameters, by name.
        sections: The details.
        data: More numbers, for ``report.json`` only.
    """

    title: str
    headline: str
    facts: Mapping[str, Cell]
    sections: Sequence[Section]
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [figure.name for section in self.sections for figure in section.figures]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two plots of one report have the name {twice.pop()!r}")


def write_report(report: Report, folder: str | Path) -> Path:
    """Write ``index.html``, ``report.json`` and the folder ``plots`` with every plot as PNG and SVG.

    Args:
        report: What to write.
        folder: Made where it is missing; files of the same names are replaced.

    Returns:
        The page, ``index.html``.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
        OutputError: A file cannot be written.
    """
    folder = Path(folder)
    template = page_template()
    now, versions = datetime.now(UTC), _versions()
    plots = {
        figure.name: _save_plot(figure, folder / PLOTS) for section in report.sections for figure in section.figures
    }
    page = template.render(
        report=report, plots=plots, folder=PLOTS, long_table=LONG_TABLE, made=f"{now:%Y-%m-%d %H:%M} UTC",
        versions=versions,
    )  # fmt: skip
    content = {**_as_dict(report), "made": now.isoformat(timespec="seconds"), "versions": versions}
    _write(folder / "report.json", json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    _write(folder / "index.html", page)
    return folder / "index.html"


def _write(path: Path, text: str) -> None:
    with replacing(path) as part:
        # Names of files may hold bytes that are no text; they are shown as escapes.
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def _versions() -> dict[str, str]:
    found = {"knownface": __version__, "Python": platform.python_version(), "system": platform.platform()}
    return {**found, **{package: installed_version(package) or "not installed" for package in _VERSIONS}}


# Plots


@dataclass(frozen=True, slots=True)
class _Plot:
    """A plot on the page: its picture, and whether it needs the page's whole width."""

    uri: str
    wide: bool


def _save_plot(plot: FigureData, folder: Path) -> _Plot:
    drawn = plot.figure_or_display
    if isinstance(drawn, Plottable):
        drawn = getattr(drawn, "figure_", None) or drawn.plot().figure_
    png, svg = save(drawn, folder, plot.name)
    small = svg.stat().st_size <= LARGEST_SVG
    uri = data_uri(svg.read_bytes(), "image/svg+xml") if small else data_uri(png.read_bytes(), "image/png")
    return _Plot(uri, bool(drawn.get_size_inches()[0] > _WIDE))


# JSON


def _as_dict(report: Report) -> dict[str, Any]:
    sections = [
        {
            "title": section.title,
            "text": section.text,
            "tables": [
                {"caption": t.caption, "columns": list(t.columns), "rows": [[_plain(c) for c in row] for row in t.rows]}
                for t in section.tables
            ],
            "figures": [
                {"caption": f.caption, "png": f"{PLOTS}/{f.name}.png", "svg": f"{PLOTS}/{f.name}.svg"}
                for f in section.figures
            ],
            "pictures": [picture.caption for picture in section.pictures],
        }
        for section in report.sections
    ]
    return {
        "title": report.title,
        "headline": report.headline,
        "facts": _plain(report.facts),
        "sections": sections,
        "data": _plain(report.data),
    }


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one kind a line
    """What JSON can hold (RFC 8259 knows no NaN and no infinity: they become null)."""
    match value:
        case PictureData():
            return value.caption
        case np.ndarray() | np.generic():
            return _plain(value.tolist())
        case None | str() | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each) for each in value]
        case datetime():
            return value.isoformat()
        case _ if dataclasses.is_dataclass(value):
            return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
        case _:
            return str(value)
