"""Who is recognised well, who is not, and who is taken for whom.

Unknown is an answer without a person: it costs the probe's person a miss (FN) and nobody a false alarm. Averages run
over enrolled people with at least one probe, as scikit-learn counts with ``labels`` set to them and
``zero_division=0``. People whom only probes show are strangers; they share the row of Unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from knownface.decision import NOBODY
from knownface.evaluation.faces import Searches
from knownface.types import Ids

UNKNOWN = "Unknown"
"""The label of the answer that names nobody, and of strangers."""

Metric: TypeAlias = Literal["precision", "recall", "f1"]


@dataclass(frozen=True, slots=True)
class Score:
    """How one person's probes were answered, and who else was called by that name.

    Attributes:
        person: The label, or "Unknown".
        precision: Right among the answers with this name; 0 where nobody was given it.
        recall: Right among this person's probes; 0 where there is none.
        f1: Harmonic mean of the two.
        support: Probes of this person.
        tp: Right answers.
        fp: Others' probes with this answer.
        fn: This person's probes with another answer.
    """

    person: str
    precision: float
    recall: float
    f1: float
    support: int
    tp: int
    fp: int
    fn: int


@dataclass(frozen=True, slots=True)
class Average:
    """Mean precision, recall and F1 over people."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class ClassificationReport:
    """What the answers of one rule were worth.

    Attributes:
        people: One row an enrolled person, in the order of their labels; a row with support 0 had no probe.
        unknown: The row of Unknown: strangers who were refused are right.
        macro: Every person counts the same.
        weighted: Every probe of an enrolled person counts the same.
        accuracy: Right answers among all probes.
        unknown_rate: Unknown answers among probes of enrolled people.
        strangers_named_rate: Names given among probes of strangers; None without strangers.
    """

    people: tuple[Score, ...]
    unknown: Score
    macro: Average
    weighted: Average
    accuracy: float
    unknown_rate: float
    strangers_named_rate: float | None


def classification_report(searches: Searches, answers: Ids) -> ClassificationReport:
    """Score every person.

    Args:
        searches: The probes.
        answers: A code or -1 for each, as :meth:`Searches.answers` gives them.
    """
    counts = confusion_matrix(searches, answers).counts
    tp = counts.diagonal()
    support, given = counts.sum(axis=1), counts.sum(axis=0)
    labels = (*searches.labels[: searches.enrolled], UNKNOWN)
    scores = [
        _score(label, int(t), int(g - t), int(s - t)) for label, t, g, s in zip(labels, tp, given, support, strict=True)
    ]
    people, unknown = tuple(scores[:-1]), scores[-1]
    probed = [score for score in people if score.support]
    mated = sum(score.support for score in probed)
    return ClassificationReport(
        people=people,
        unknown=unknown,
        macro=_average(probed, [1.0] * len(probed)),
        weighted=_average(probed, [float(score.support) for score in probed]),
        accuracy=_ratio(int(tp.sum()), len(searches)),
        unknown_rate=_ratio(unknown.fp, mated),
        strangers_named_rate=_ratio(unknown.fn, unknown.support) if unknown.support else None,
    )


def _score(person: str, tp: int, fp: int, fn: int) -> Score:
    return Score(
        person, _ratio(tp, tp + fp), _ratio(tp, tp + fn), _ratio(2 * tp, 2 * tp + fp + fn), tp + fn, tp, fp, fn
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _average(scores: list[Score], weights: list[float]) -> Average:
    if not scores:
        return Average(0.0, 0.0, 0.0)
    values = np.average([(s.precision, s.recall, s.f1) for s in scores], axis=0, weights=weights)
    return Average(*values.tolist())


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionMatrix:
    """Answers by truth.

    Attributes:
        labels: Enrolled people in order, then "Unknown".
        counts: Int64, shape (m, m): rows are who it was (strangers last), columns what was answered.
    """

    labels: tuple[str, ...]
    counts: Ids


def confusion_matrix(searches: Searches, answers: Ids) -> ConfusionMatrix:
    """Count answers by truth; the last row and column are Unknown."""
    size = searches.enrolled + 1
    truth = np.where(searches.mated, searches.people, size - 1)
    given = np.where(answers == NOBODY, size - 1, answers)
    counts = np.bincount(truth * size + given, minlength=size * size).reshape(size, size)
    return ConfusionMatrix((*searches.labels[: searches.enrolled], UNKNOWN), counts)


@dataclass(frozen=True, slots=True)
class PerformanceGroups:
    """The paper's three groups; people without a probe are in none.

    Attributes:
        low: Below 50 %.
        middle: From 50 % to below 75 %.
        high: 75 % and more.
    """

    low: tuple[str, ...]
    middle: tuple[str, ...]
    high: tuple[str, ...]


def performance_groups(report: ClassificationReport, metric: Metric) -> PerformanceGroups:
    """Sort people into three groups by precision, recall or F1."""
    values = [(getattr(score, metric), score.person) for score in report.people if score.support]
    return PerformanceGroups(
        low=tuple(person for value, person in values if value < 0.5),
        middle=tuple(person for value, person in values if 0.5 <= value < 0.75),
        high=tuple(person for value, person in values if value >= 0.75),
    )


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong answer.

    Attributes:
        probe: Index of the search.
        template: Row of the gallery: the template nearest to the probe of the person it was taken for, or, where the
            answer was Unknown, the probe's own person's nearest; None where no such template is among the neighbours.
        distance: To that template; None without one.
    """

    probe: int
    template: int | None
    distance: float | None


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """A person and whom they were taken for.

    Attributes:
        person: Who it was; "Unknown" for strangers.
        taken_for: What was answered.
        count: How often.
        examples: Some of the mistakes, those with the nearest templates first.
    """

    person: str
    taken_for: str
    count: int
    examples: tuple[Mistake, ...]


def confused_pairs(
    searches: Searches, answers: Ids, *, limit: int | None = None, examples: int = 3
) -> list[ConfusedPair]:
    """The pairs confused most, most frequent first, then in the order of labels; Unknown is one of them.

    Args:
        searches: The probes.
        answers: A code or -1 for each.
        limit: Pairs to return; None is all.
        examples: Mistakes shown of each.
    """
    matrix = confusion_matrix(searches, answers)
    wrong = matrix.counts * (1 - np.eye(len(matrix.counts), dtype=np.int64))
    rows, columns = np.nonzero(wrong)
    order = np.lexsort((columns, rows, -wrong[rows, columns]))[:limit]
    truth = np.where(searches.mated, searches.people, searches.enrolled)
    given = np.where(answers == NOBODY, searches.enrolled, answers)
    pairs = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        probes = np.flatnonzero((truth == row) & (given == column))
        shown = row if column == searches.enrolled else column
        mistakes = sorted((_mistake(searches, int(probe), shown) for probe in probes), key=_nearest_first)
        pairs.append(ConfusedPair(matrix.labels[row], matrix.labels[column], len(probes), tuple(mistakes[:examples])))
    return pairs


def _mistake(searches: Searches, probe: int, person: int) -> Mistake:
    near = searches.neighbours
    places = np.flatnonzero(near.people[probe] == person)
    if not len(places):
        return Mistake(probe, None, None)
    return Mistake(probe, int(near.templates[probe, places[0]]), float(near.distances[probe, places[0]]))


def _nearest_first(mistake: Mistake) -> tuple[float, int]:
    return (np.inf if mistake.distance is None else mistake.distance, mistake.probe)
