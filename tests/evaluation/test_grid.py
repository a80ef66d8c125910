"""The grid against a slow loop over the vote and against scikit-learn."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, multilabel_confusion_matrix, precision_score, recall_score

from knownface.decision import NOBODY, vote
from knownface.errors import InputError, OutputError, SettingsError
from knownface.evaluation import (
    DEFAULT_GRID,
    PAPER_GRID,
    Grid,
    GridTable,
    Searches,
    grid_search,
    search,
    threshold_range,
)
from knownface.evaluation.answer_steps import answer_steps
from knownface.evaluation.grid import COLUMNS
from knownface.scorings import DEFAULT_SCORING
from knownface.types import DecisionRule, Neighbours

SMALL = Grid((1, 2, 3), (2, 3, 5), threshold_range(0.0, 1.6, 0.125))


@st.composite
def searches_with_ties(draw: st.DrawFn) -> Searches:
    """Few people, distances on the thresholds themselves, short rows, strangers."""
    rows, people = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    distances, who = np.full((rows, 6), np.inf, np.float32), np.full((rows, 6), NOBODY)
    for row in range(rows):
        found = draw(st.integers(0, 6))
        near = sorted(draw(st.lists(st.integers(0, 12).map(lambda i: i / 8), min_size=found, max_size=found)))
        distances[row, :found] = near
        who[row, :found] = draw(st.lists(st.integers(0, people - 1), min_size=found, max_size=found))
    templates = np.where(who == NOBODY, NOBODY, np.arange(6))
    shown = np.array(draw(st.lists(st.integers(0, people), min_size=rows, max_size=rows)))
    labels = tuple(f"p{i}" for i in range(people + 1))
    return Searches(Neighbours(distances, templates, who), shown, shown < people, labels, people)


@settings(max_examples=40, deadline=None)
@given(searches_with_ties(), st.sampled_from([0.0, 0.125, 0.5]))
@pytest.mark.slow
def test_every_combination_is_the_vote(searches: Searches, margin: float) -> None:
    for (k1, k2), steps in zip(
        SMALL.pairs, answer_steps(searches.neighbours, SMALL.pairs, SMALL.thresholds, margin), strict=True
    ):
        answers = np.full((len(searches), len(SMALL.thresholds)), NOBODY)
        for probe, person, first, stop in zip(steps.probes, steps.people, steps.first, steps.stop, strict=True):
            assert (answers[probe, first:stop] == NOBODY).all()
            answers[probe, first:stop] = person
        for column, threshold in enumerate(SMALL.thresholds.tolist()):
            expected = vote(searches.neighbours, DecisionRule(k1, k2, threshold, margin)).people
            assert answers[:, column].tolist() == expected.tolist()


@settings(max_examples=100, deadline=None)
@given(searches_with_ties())
def test_counts_add_up(searches: Searches) -> None:
    table = grid_search(searches, SMALL)
    mated = int(searches.mated.sum())
    assert (table.column("tp") + table.column("fn") == mated).all()
    strangers = len(searches) - mated
    if strangers == 0:
        assert (table.column("fp") == table.column("fn")).all()
        np.testing.assert_array_equal(table.column("precision"), table.column("recall"))
    for part in np.split(table.rows, len(SMALL.pairs)):
        assert (np.diff(part["unknown_rate"]) <= 0).all()
        assert strangers == 0 or (np.diff(part["strangers_named_rate"]) >= 0).all()


def by_scikit(searches: Searches, rule: DecisionRule) -> dict[str, float]:
    truth, answers = searches.truth, vote(searches.neighbours, rule).people
    people = np.arange(searches.enrolled)
    probed = np.unique(truth[truth != NOBODY])
    cells = multilabel_confusion_matrix(truth, answers, labels=people)
    macro = {"labels": probed, "average": "macro", "zero_division": 0.0}
    named, mated = answers != NOBODY, truth != NOBODY
    return {
        "tp": int(cells[:, 1, 1].sum()),
        "tn": int(cells[:, 0, 0].sum()),
        "fn": int(cells[:, 1, 0].sum()),
        "accuracy": accuracy_score(truth, answers),
        "macro_precision": precision_score(truth, answers, **macro),
        "macro_recall": recall_score(truth, answers, **macro),
        "macro_f1": f1_score(truth, answers, **macro),
        "f1": f1_score(truth, answers, **macro),
        "recall": recall_score(truth[mated], answers[mated], average="micro"),
        "answered_precision": precision_score(truth, answers, labels=people, average="micro", zero_division=0.0),
        "answered_f1": f1_score(truth, answers, labels=people, average="micro", zero_division=0.0),
        "unknown_rate": float((~named[mated]).mean()),
    }


@pytest.mark.parametrize("strangers", [0, 5])
def test_every_column_against_scikit(make_faces: object, strangers: int) -> None:
    gallery = make_faces(8, 4, spread=1.3, seed=1)  # type: ignore[operator]
    probes = make_faces(8 + strangers, 6, spread=1.3, seed=2)  # type: ignore[operator]
    searches = search(gallery, probes)
    table = grid_search(searches, SMALL)
    for index in range(0, len(table), 5):
        row = table.row(index)
        expected = by_scikit(searches, table.rule(index))
        assert {name: row[name] for name in expected} == pytest.approx(expected)
        if not strangers:
            truth, answers = searches.truth, searches.answers(table.rule(index))
            assert row["precision"] == pytest.approx(precision_score(truth, answers, average="micro"))
            assert row["fp"] == int((truth != answers).sum())


def test_sizes_of_the_grids() -> None:
    assert len(DEFAULT_GRID) == 3645
    assert len(PAPER_GRID) == 2295
    assert 0.82 in PAPER_GRID.thresholds.tolist()
    assert PAPER_GRID.thresholds[-1] == 1.0


@pytest.mark.parametrize("bad", [(0.5, 0.4, 0.1), (0.5, 1.0, 0.0), (-0.1, 1.0, 0.1), (1.0, 2.5, 0.1)])
def test_impossible_thresholds_are_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(SettingsError):
        threshold_range(*bad)


def test_impossible_grids_are_refused() -> None:
    with pytest.raises(SettingsError, match="no pair"):
        Grid((3,), (2, 3), threshold_range(0, 1, 0.1))
    with pytest.raises(SettingsError, match="ascend"):
        Grid((1,), (2,), np.array([0.5, 0.5]))


def row_table(rows: list[tuple[int, int, float, float]]) -> GridTable:
    """A table of k1, k2, threshold, accuracy; the rest 0."""
    table = np.zeros(len(rows), dtype=[(n, np.int64 if n in ("k1", "k2") else np.float64) for n in COLUMNS])
    for i, (k1, k2, threshold, accuracy) in enumerate(rows):
        table[i]["k1"], table[i]["k2"], table[i]["threshold"], table[i]["accuracy"] = k1, k2, threshold, accuracy
    return GridTable(table, DEFAULT_SCORING)


def test_ties_go_to_the_smaller_threshold_then_k1_then_k2() -> None:
    table = row_table([(1, 2, 0.6, 0.9), (1, 3, 0.5, 0.9), (2, 3, 0.5, 0.9), (2, 4, 0.5, 0.9), (1, 2, 0.4, 0.1)])
    assert table.best_row() == 1
    assert table.rule(1) == DecisionRule(1, 3, 0.5)


def test_of_mistakes_the_fewest_are_best(make_faces: object) -> None:
    table = grid_search(search(make_faces(4, 3), make_faces(4, 5, seed=3)), SMALL)  # type: ignore[operator]
    assert table.row(table.best_row("unknown_rate"))["unknown_rate"] == table.column("unknown_rate").min()
    for wrong in ("k1", "nonsense", "strangers_named_rate"):
        with pytest.raises(SettingsError):
            table.best_row(wrong)


def test_plateau_is_where_nothing_changes_any_more() -> None:
    table = row_table([(1, 2, 0.5, 0.1), (1, 2, 0.6, 0.7), (1, 2, 0.7, 0.7), (1, 3, 0.5, 0.4), (1, 3, 0.6, 0.4)])
    assert [(p.k1, p.k2, p.threshold) for p in table.plateaus()] == [(1, 2, 0.6), (1, 3, 0.5)]
    assert table.plateau() == 0.6
    rising = row_table([(1, 2, 0.5, 0.1), (1, 2, 0.6, 0.7)])
    assert rising.plateaus()[0].threshold is None
    assert rising.plateau() is None


def test_csv_has_the_papers_columns_first(make_faces: object, tmp_path: Path) -> None:
    table = grid_search(search(make_faces(3, 2), make_faces(3, 2, seed=9)), SMALL)  # type: ignore[operator]
    table.write_csv(tmp_path / "grid_search_results.csv")
    rows = list(csv.reader((tmp_path / "grid_search_results.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0][:10] == ["k1", "k2", "threshold", "precision", "recall", "f1", "tp", "fp", "tn", "fn"]
    assert rows[0] == list(COLUMNS)
    assert len(rows) == len(SMALL) + 1
    assert rows[1][:3] == ["1", "2", "0"]
    assert rows[1][-1] == ""
    with pytest.raises(OutputError, match="could not be written"):
        table.write_csv(tmp_path / "missing" / "grid.csv")


def test_degenerate_sets_do_not_divide_by_zero(make_faces: object) -> None:
    one = make_faces(1, 1)  # type: ignore[operator]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = grid_search(search(one, one), SMALL)
        only_strangers = grid_search(search(one, make_faces(2, 1, first=5)), SMALL)  # type: ignore[operator]
    assert alone.row(alone.best_row())["accuracy"] == 1.0
    assert only_strangers.column("recall").max() == 0.0
    assert only_strangers.column("accuracy")[0] == 1.0
    with pytest.raises(InputError, match="no probe"):
        grid_search(search(one, one.take(np.array([], np.int64))), SMALL)


def test_too_few_neighbours_are_noticed(make_faces: object) -> None:
    faces = make_faces(3, 3)  # type: ignore[operator]
    with pytest.raises(InputError, match="neighbours"):
        grid_search(search(faces, faces, k=3), SMALL)
