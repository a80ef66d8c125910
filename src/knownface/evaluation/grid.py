"""Grid search over k1, k2 and threshold: every combination from neighbours fetched once.

How answers are counted. A probe of an enrolled person is right (TP) or not; if not, it is one false negative, and one
false positive of whatever was answered instead. Unknown counts as an answer, as in the paper, so without strangers
there are as many false positives as false negatives and precision equals recall. A stranger who is given a name is
one more false positive and nobody's false negative; a stranger who is refused adds to the true negatives only.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knownface.errors import InputError, OutputError, SettingsError
from knownface.evaluation.answer_steps import AnswerSteps, Floats, answer_steps
from knownface.evaluation.faces import Searches
from knownface.scorings import Scoring
from knownface.types import DecisionRule, Ids

COLUMNS = {
    "k1": "Nearest templates that vote first",
    "k2": "Nearest templates that vote if the first vote fails",
    "threshold": "Largest distance at which a name is given",
    "precision": "tp / (tp + fp); equals recall where every probe shows an enrolled person",
    "recall": "tp / (tp + fn)",
    "f1": "Macro F1, as the paper reports it; the same as macro_f1",
    "tp": "Probes of enrolled people that got the right name",
    "fp": "Wrong answers, Unknown for an enrolled person included",
    "tn": "One against the rest, summed over enrolled people: probes neither theirs nor given their name",
    "fn": "Probes of enrolled people that did not get the right name",
    "accuracy": "Right answers among all probes; Unknown is right for a stranger",
    "macro_precision": "Mean over enrolled people with a probe",
    "macro_recall": "Mean over enrolled people with a probe",
    "macro_f1": "Mean over enrolled people with a probe",
    "unknown_rate": "Unknown answers among probes of enrolled people",
    "answered_precision": "Right names among names given: Unknown seen as a refusal",
    "answered_f1": "Harmonic mean of answered_precision and recall",
    "strangers_named_rate": "Names given among probes of strangers; empty without strangers",
}
"""The columns of a grid table in their order, and what each holds."""

SMALLER_IS_BETTER = frozenset({"fp", "fn", "unknown_rate", "strangers_named_rate"})
_WHOLE = frozenset({"k1", "k2", "tp", "fp", "tn", "fn"})
_PARAMETERS = ("k1", "k2", "threshold")
_DTYPE = np.dtype([(name, np.int64 if name in _WHOLE else np.float64) for name in COLUMNS])


def threshold_range(low: float, high: float, step: float) -> Floats:
    """Thresholds from ``low`` to ``high``, both included, without the dust of repeated addition."""
    if step <= 0 or not 0 <= low <= high <= 2:
        raise SettingsError(f"Thresholds need 0 <= low <= high <= 2 and a step above 0, got {low}, {high}, {step}.")
    return np.round(low + step * np.arange(round((high - low) / step) + 1), 10)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The parameters to try.

    Attributes:
        k1: First votes.
        k2: Second votes; only pairs with k2 > k1 are tried.
        thresholds: Float64, ascending.
    """

    k1: tuple[int, ...]
    k2: tuple[int, ...]
    thresholds: Floats

    def __post_init__(self) -> None:
        if not self.pairs or min(self.k1) < 1:
            raise SettingsError("The grid has no pair with 1 <= k1 < k2.", "Add a larger k2.")
        if not len(self.thresholds) or np.any(np.diff(self.thresholds) <= 0):
            raise SettingsError("The thresholds of a grid must ascend.")

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every (k1, k2) with k1 < k2, in order."""
        return [(k1, k2) for k1 in self.k1 for k2 in self.k2 if k1 < k2]

    def __len__(self) -> int:
        return len(self.pairs) * len(self.thresholds)


DEFAULT_GRID = Grid(tuple(range(1, 10)), tuple(range(2, 11)), threshold_range(0.50, 1.30, 0.01))
"""3,645 combinations."""
PAPER_GRID = Grid(tuple(range(1, 10)), tuple(range(2, 11)), threshold_range(0.50, 1.00, 0.01))
"""The paper's 2,295 combinations."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """From which threshold on the answers of one pair are counted the same, to the end of the grid.

    Attributes:
        k1: First vote.
        k2: Second vote.
        threshold: None where the last step of the grid still changed something.
    """

    k1: int
    k2: int
    threshold: float | None


@dataclass(frozen=True, slots=True, eq=False)
class GridTable:
    """One row a combination, ordered by k1, k2, threshold.

    Attributes:
        rows: Structured array with the fields of :data:`COLUMNS`.
        scoring: What the distances were measured to.
    """

    rows: npt.NDArray[np.void]
    scoring: Scoring

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> npt.NDArray[Any]:
        """All values of a column.

        Raises:
            SettingsError: There is no such column.
        """
        if name not in COLUMNS:
            raise SettingsError(f"The grid table has no column {name!r}.", f"Choose one of {', '.join(COLUMNS)}.")
        return self.rows[name]

    def row(self, index: int) -> dict[str, float]:
        """One row by column name."""
        return {name: self.rows[index][name].item() for name in COLUMNS}

    def rule(self, index: int) -> DecisionRule:
        """The parameters of a row."""
        row = self.rows[index]
        return DecisionRule(int(row["k1"]), int(row["k2"]), float(row["threshold"]), scoring=self.scoring)

    def best_row(self, criterion: str = "accuracy", fpir: float = 1.0) -> int:
        """Index of the best row; ties go to the smaller threshold, then the smaller k1, then the smaller k2.

        Args:
            criterion: A column that measures something. Of rates of mistakes the smallest is best.
            fpir: Rows in which a larger share of strangers got a name are passed over, where strangers were tried;
                with no row within it, those with the smallest share remain.

        Raises:
            SettingsError: The column is a parameter, is empty, or does not exist.
        """
        values = self.column(criterion).astype(np.float64)
        if criterion in _PARAMETERS or np.isnan(values).any():
            raise SettingsError(f"{criterion!r} cannot tell which row is best here.", "Choose another column.")
        # Sums in another order may differ in the last bit; such rows are ties.
        values = np.round(values if criterion in SMALLER_IS_BETTER else -values, 12)
        named = self.rows["strangers_named_rate"]
        values[named > max(fpir, float(named.min()))] = np.inf
        return int(np.lexsort((self.rows["k2"], self.rows["k1"], self.rows["threshold"], values))[0])

    def plateaus(self) -> list[Plateau]:
        """Where threshold stops to matter, for each pair of k1 and k2."""
        measured = np.stack([np.nan_to_num(self.rows[name]) for name in COLUMNS if name not in _PARAMETERS], axis=1)
        result = []
        for part in self._pairs():
            values, thresholds = measured[part], self.rows["threshold"][part]
            changes = np.flatnonzero((values[1:] != values[:-1]).any(axis=1)) + 1
            start = int(changes[-1]) if len(changes) else 0
            reached = start < len(thresholds) - 1
            first = self.rows[part.start]
            result.append(Plateau(int(first["k1"]), int(first["k2"]), float(thresholds[start]) if reached else None))
        return result

    def plateau(self) -> float | None:
        """The threshold from which on no pair changes any more; None where one still does at the grid's end."""
        starts = [plateau.threshold for plateau in self.plateaus()]
        reached = [start for start in starts if start is not None]
        return max(reached) if len(reached) == len(starts) else None

    def _pairs(self) -> Iterator[slice]:
        changed = (np.diff(self.rows["k1"]) != 0) | (np.diff(self.rows["k2"]) != 0)
        edges = [0, *(np.flatnonzero(changed) + 1).tolist(), len(self.rows)]
        return (slice(a, b) for a, b in itertools.pairwise(edges))

    def write_csv(self, path: Path) -> None:
        """Write the table; a value that does not exist is left empty.

        Raises:
            OutputError: The file cannot be written.
        """
        try:
            with path.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.writer(stream)
                writer.writerow(COLUMNS)
                writer.writerows([_text(value) for value in row.item()] for row in self.rows)
        except OSError as error:
            raise OutputError(f"{path} could not be written: {error.strerror}.") from error


def _text(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return "" if np.isnan(value) else f"{round(value, 6):g}"


def grid_search(searches: Searches, grid: Grid = DEFAULT_GRID, margin: float = 0.0) -> GridTable:
    """Decide every probe by every combination and count.

    Args:
        searches: With at least as many neighbours as the grid's largest k2.
        grid: The combinations.
        margin: Margin of all of them.

    Raises:
        InputError: There is no probe, or there are too few neighbours.
    """
    if len(searches) == 0:
        raise InputError("There is no probe to decide.", "Keep some pictures of each person out of the gallery.")
    count = len(grid.thresholds)
    table = np.empty(len(grid), dtype=_DTYPE)
    steps_of_pairs = answer_steps(searches.neighbours, grid.pairs, grid.thresholds, margin)
    for i, ((k1, k2), steps) in enumerate(zip(grid.pairs, steps_of_pairs, strict=True)):
        rows = table[i * count : (i + 1) * count]
        rows["k1"], rows["k2"], rows["threshold"] = k1, k2, grid.thresholds
        _fill(rows, steps, searches)
    return GridTable(table, searches.scoring)


def _fill(rows: npt.NDArray[np.void], steps: AnswerSteps, searches: Searches) -> None:
    """Count one pair of k1 and k2 at every threshold."""
    people, count, truth = searches.enrolled, len(rows), searches.truth
    support = np.bincount(searches.people[searches.mated], minlength=people)[:people, None]
    given = steps.count(steps.people, people, count)
    right = steps.where(truth[steps.probes] == steps.people)
    hits = right.count(right.people, people, count)
    named = steps.count(searches.mated[steps.probes].astype(np.int64), 2, count)
    mated, strangers = int(searches.mated.sum()), int((~searches.mated).sum())
    tp = hits.sum(axis=0)
    rows["tp"], rows["fn"], rows["fp"] = tp, mated - tp, mated - tp + named[0]
    rows["tn"] = people * len(searches) - mated - given.sum(axis=0) + tp
    rows["precision"], rows["recall"] = _ratio(tp, tp + rows["fp"]), _ratio(tp, np.full(count, mated))
    rows["accuracy"] = (tp + strangers - named[0]) / len(searches)
    probed = support[:, 0] > 0
    hits, given, support = hits[probed], given[probed], support[probed]
    rows["macro_precision"] = _mean(_ratio(hits, given))
    rows["macro_recall"] = _mean(_ratio(hits, np.broadcast_to(support, hits.shape)))
    rows["macro_f1"] = rows["f1"] = _mean(_ratio(2 * hits, given + support))
    rows["unknown_rate"] = _ratio(mated - named[1], np.full(count, mated))
    rows["answered_precision"] = _ratio(tp, named.sum(axis=0))
    rows["answered_f1"] = _ratio(2 * tp, named.sum(axis=0) + mated)
    rows["strangers_named_rate"] = named[0] / strangers if strangers else np.nan


def _ratio(part: Ids, whole: Ids) -> Floats:
    """Part of whole; 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def _mean(values: Floats) -> Floats:
    return values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
