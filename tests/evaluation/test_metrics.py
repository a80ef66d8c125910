"""Reports of people against scikit-learn, and the odd cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as scikit_confusion
from sklearn.metrics import precision_recall_fscore_support

from knownface.decision import NOBODY
from knownface.evaluation import Searches, classification_report, confused_pairs, confusion_matrix, performance_groups
from knownface.evaluation.metrics import UNKNOWN
from knownface.types import Neighbours


def searches_of(shown: list[int], enrolled: int, near: list[list[int]] | None = None) -> Searches:
    """Probes of these people; ``near`` gives the neighbours' people."""
    who = np.full((len(shown), 1), NOBODY) if near is None else np.array(near)
    distances = np.where(who == NOBODY, np.inf, 0.5 + 0.1 * np.arange(who.shape[1])).astype(np.float32)
    templates = np.where(who == NOBODY, NOBODY, 100 + np.arange(who.size).reshape(who.shape))
    people = np.array(shown, dtype=np.int64)
    labels = tuple(f"p{i}" for i in range(max([enrolled - 1, *shown]) + 1))
    return Searches(Neighbours(distances, templates, who), people, people < enrolled, labels, enrolled)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 3)), min_size=1, max_size=40))
def test_against_scikit(pairs: list[tuple[int, int]]) -> None:
    shown, given_ = [p for p, _ in pairs], np.array([a for _, a in pairs])
    searches = searches_of(shown, 4)
    truth = searches.truth
    report = classification_report(searches, given_)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, given_, labels=[0, 1, 2, 3, NOBODY], zero_division=0.0
    )
    rows = [*report.people, report.unknown]
    assert [s.support for s in rows] == support.tolist()
    np.testing.assert_allclose([(s.precision, s.recall, s.f1) for s in rows], np.stack([precision, recall, f1], axis=1))
    assert (confusion_matrix(searches, given_).counts == scikit_confusion(truth, given_, labels=[0, 1, 2, 3, -1])).all()
    probed = np.unique(truth[truth != NOBODY])
    if len(probed):
        for average, name in ((report.macro, "macro"), (report.weighted, "weighted")):
            expected = precision_recall_fscore_support(truth, given_, labels=probed, average=name, zero_division=0.0)
            assert (average.precision, average.recall, average.f1) == pytest.approx(expected[:3])
    assert report.accuracy == pytest.approx(float((truth == given_).mean()))
    for score in rows:
        assert score.tp + score.fn == score.support


def test_groups_have_the_papers_bounds() -> None:
    # recall 0, 0.5, 0.74..., 0.75, and one without a probe
    shown = [0] * 2 + [1] * 2 + [2] * 50 + [3] * 4
    answers = np.array([-1, -1, 1, -1, *[2] * 37, *[-1] * 13, 3, 3, 3, -1])
    groups = performance_groups(classification_report(searches_of(shown, 5), answers), "recall")
    assert groups.low == ("p0",)
    assert groups.middle == ("p1", "p2")
    assert groups.high == ("p3",)


def test_confused_pairs_are_counted_with_the_pictures_to_show() -> None:
    # p0 taken for p1 twice, p1 refused once, the stranger p3 called p2 once
    searches = searches_of([0, 0, 1, 3, 2], 3, near=[[0, 1], [1, 0], [0, 1], [2, 2], [2, 2]])
    answers = np.array([1, 1, NOBODY, 2, 2])
    first, *rest = confused_pairs(searches, answers)
    assert (first.person, first.taken_for, first.count) == ("p0", "p1", 2)
    assert [m.probe for m in first.examples] == [1, 0]  # its template is nearer
    assert [m.template for m in first.examples] == [102, 101]
    assert [(p.person, p.taken_for, p.count) for p in rest] == [("p1", UNKNOWN, 1), (UNKNOWN, "p2", 1)]
    assert rest[0].examples[0].template == 105  # its own template, too far away
    assert len(confused_pairs(searches, answers, limit=1, examples=1)[0].examples) == 1


def test_a_mistake_without_a_neighbour_has_no_template() -> None:
    pair = confused_pairs(searches_of([0], 1), np.array([NOBODY]))[0]
    assert (pair.examples[0].template, pair.examples[0].distance) == (None, None)


def test_nobody_answered_nobody_probed_and_only_strangers() -> None:
    refused = classification_report(searches_of([0, 1], 2), np.array([NOBODY, NOBODY]))
    assert refused.macro.f1 == 0.0
    assert refused.unknown_rate == 1.0
    assert refused.strangers_named_rate is None
    strangers = classification_report(searches_of([1, 2], 1), np.array([NOBODY, 0]))
    assert strangers.people[0].support == 0
    assert strangers.macro.f1 == 0.0
    assert strangers.strangers_named_rate == 0.5
    assert strangers.accuracy == 0.5
    empty = classification_report(searches_of([], 1), np.array([], np.int64))
    assert empty.accuracy == 0.0
