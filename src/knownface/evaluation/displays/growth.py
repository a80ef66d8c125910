"""What more people do: to the metrics, and to the time of loading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from knownface.errors import InputError
from knownface.evaluation.displays.base import Display
from knownface.evaluation.displays.style import BLUE, COLOURS, DASHES, GREY, MARKERS, SKY, axes, percent, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]


@dataclass(eq=False)
class GrowthDisplay(Display):
    """Metrics against the number of people, over repeated draws of who they are.

    Attributes:
        people: Ascending numbers of people, shape (c,).
        metrics: Values by name, each of shape (c, draws); NaN where a draw is missing.
    """

    people: Sequence[int]
    metrics: Mapping[str, Floats]

    @classmethod
    def from_draws(cls, people: Sequence[int], metrics: Mapping[str, npt.ArrayLike]) -> Self:
        """Check and convert.

        Raises:
            InputError: A metric has not one row a number of people, or a row without a value.
        """
        tables = {name: np.asarray(values, dtype=np.float64) for name, values in metrics.items()}
        for name, table in tables.items():
            if table.ndim != 2 or len(table) != len(people):
                raise InputError(f"{name!r} must have the shape ({len(people)}, draws), got {table.shape}.")
            if np.isnan(table).all(axis=1).any():
                raise InputError(f"{name!r} has no draw at all for some number of people.")
        return cls(list(people), tables)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw means, with a band from the worst to the best draw."""
        with style():
            self.figure_, self.ax_ = axes(ax)
            ax = self.ax_
            for i, (name, table) in enumerate(self.metrics.items()):
                colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
                ax.fill_between(
                    self.people, np.nanmin(table, axis=1), np.nanmax(table, axis=1), color=colour, alpha=0.15, lw=0
                )
                marker = MARKERS[i % len(MARKERS)]
                ax.plot(
                    self.people, np.nanmean(table, axis=1), dash, marker=marker, markersize=5, color=colour, label=name
                )
            draws = max(table.shape[1] for table in self.metrics.values())
            lowest = min(float(np.nanmin(table)) for table in self.metrics.values())
            ax.set_ylim(max(0.0, 1.0 - 1.15 * max(0.04, 1.0 - lowest)), 1.0 + 0.05 * max(0.04, 1.0 - lowest))
            percent(ax, y=True)
            ax.set_xlabel("people in the gallery")
            ax.set_title(f"More people (mean of {draws} draws; band: worst to best)")
            ax.legend(loc="lower left")
        return self


@dataclass(eq=False)
class LoadingTimeDisplay(Display):
    """Time to load people, with the expectation that n people take n times as long as one.

    Attributes:
        people: Ascending numbers of people, shape (c,).
        embedding: Seconds of reading, detecting and embedding, shape (c,).
        index: Seconds of building the index, shape (c,).
    """

    people: Sequence[int]
    embedding: Floats
    index: Floats

    @classmethod
    def from_times(cls, people: Sequence[int], embedding: npt.ArrayLike, index: npt.ArrayLike) -> Self:
        """Check and convert.

        Raises:
            InputError: The three differ in length.
        """
        first, second = np.asarray(embedding, dtype=np.float64), np.asarray(index, dtype=np.float64)
        if not first.shape == second.shape == (len(people),):
            raise InputError(f"There must be one time for each of {len(people)} numbers of people.")
        return cls(list(people), first, second)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw both parts on top of each other."""
        total = self.embedding + self.index
        expected = total[0] / self.people[0] * np.asarray(self.people)
        with style():
            self.figure_, self.ax_ = axes(ax)
            ax = self.ax_
            ax.fill_between(self.people, 0, self.embedding, color=SKY, alpha=0.5, lw=0, label="embedding")
            ax.fill_between(self.people, self.embedding, total, color=BLUE, alpha=0.7, lw=0, label="index")
            ax.plot(self.people, total, "-o", markersize=5, color=BLUE, label="measured")
            label = f"linear: {self.people[0]} took {total[0]:.2g} s"
            ax.plot(self.people, expected, "--", color=GREY, label=label)
            ax.set_ylim(bottom=0)
            ax.set_xlabel("people loaded")
            ax.set_ylabel("seconds")
            ax.set_title("Time to load people")
            ax.legend(loc="upper left")
        return self
