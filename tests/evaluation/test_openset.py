"""FPIR, FNIR and TPIR by their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.evaluation import FaceSet, open_set, operating_points, search
from knownface.types import DecisionRule


@pytest.fixture(scope="module")
def searches(make_faces):
    gallery = make_faces(20, 4, spread=0.8, seed=1)
    probes = make_faces(60, 3, spread=0.8, seed=2)  # p20 to p59 are strangers
    return search(gallery, probes)


@pytest.mark.parametrize(("k1", "k2", "margin"), [(1, 2, 0.0), (3, 5, 0.0), (2, 7, 0.05)])
def test_rates_are_those_of_the_vote(searches, k1: int, k2: int, margin: float) -> None:
    thresholds = np.array([0.2, 0.5, 0.7, 0.9, 1.1, 2.0])
    counts = open_set(searches, k1=k1, k2=k2, margin=margin, thresholds=thresholds)
    for i, threshold in enumerate(thresholds.tolist()):
        answers = searches.answers(DecisionRule(k1, k2, threshold, margin))
        assert counts.fpir[i] == pytest.approx((answers[~searches.mated] >= 0).mean())
        right = answers[searches.mated] == searches.people[searches.mated]
        assert counts.tpir[i] == pytest.approx(right.mean())
    assert counts.hits.shape == (20, 6)
    assert counts.named.shape == (40, 6)
    assert set(counts.non_mated.tolist()) == {3}


def test_fpir_rises_and_nearest_fnir_falls(searches) -> None:
    counts = open_set(searches)
    assert (np.diff(counts.fpir) >= 0).all()
    assert (np.diff(counts.fnir) <= 0).all()
    assert counts.fpir[0] == 0.0
    assert counts.fpir[-1] == 1.0


def test_undetected_faces_are_counted_and_part_of_no_rate(searches) -> None:
    counts = open_set(searches, undetected_mated=60, undetected_strangers=1000)
    plain = open_set(searches)
    np.testing.assert_array_equal(counts.fpir, plain.fpir)
    np.testing.assert_array_equal(counts.fnir, plain.fnir)
    assert (counts.undetected_mated, counts.undetected_strangers) == (60, 1000)


def test_operating_points_keep_their_rate(searches) -> None:
    counts = open_set(searches)
    loose, strict = operating_points(counts, [0.1, 0.001])
    assert loose.fpir <= 0.1
    assert strict.fpir == 0.0
    assert strict.threshold is not None
    assert strict.threshold <= loose.threshold
    assert strict.tpir <= loose.tpir
    for point in (loose, strict):
        assert point.tpir in point.tpir_interval
        assert point.fpir in point.fpir_interval
        index = int(np.searchsorted(counts.thresholds, point.threshold))
        assert counts.fpir[index] <= point.wanted_fpir < counts.fpir[index + 1]
    assert strict.strangers == 40
    assert strict.strangers_needed == 2995
    assert strict.fpir_interval.high > 3 / 120


def test_more_people_make_it_surer(make_faces) -> None:
    widths = []
    for people in (20, 200):
        gallery = make_faces(people, 2, spread=1.0, seed=1, dim=12)
        probes = make_faces(3 * people, 2, spread=1.0, seed=2, dim=12)
        interval = operating_points(open_set(search(gallery, probes)), [0.1])[0].tpir_interval
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0]


def test_bootstrap_in_blocks_gives_valid_intervals(searches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knownface.evaluation.openset._BLOCK", 60 * 7)
    point = operating_points(open_set(searches), [0.1])[0]
    assert point.tpir in point.tpir_interval


def test_a_rate_that_no_threshold_keeps() -> None:
    vectors = np.eye(3, dtype=np.float32)
    gallery = FaceSet.of(vectors[:2], ["a", "b"])
    twin = FaceSet.of(vectors[[0, 0]], ["a", "double"])
    point = operating_points(open_set(search(gallery, twin)), [0.5])[0]
    assert (point.threshold, point.tpir, point.fpir) == (None, 0.0, 0.0)


def test_without_strangers_there_is_nothing_to_say(make_faces) -> None:
    faces = make_faces(3, 3)
    counts = open_set(search(faces, faces))
    assert np.isnan(counts.fpir).all()
    assert counts.tpir[-1] == 1.0
    assert operating_points(counts) == []
