"""ROC and precision-recall against scikit-learn; ranks and pairs against plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from knownface.errors import InputError
from knownface.evaluation import (
    FaceSet,
    cmc,
    distance_curve,
    match_ranks,
    nearest_curve,
    one_against_rest,
    pair_distances,
    search,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60))
def test_curves_are_scikits(pairs: list[tuple[int, bool]]) -> None:
    distances, genuine = np.array([d / 4 for d, _ in pairs]), np.array([g for _, g in pairs])
    curve = distance_curve(distances, genuine)
    if genuine.all() or not genuine.any():
        assert np.isnan(curve.area)
        return
    assert curve.area == pytest.approx(roc_auc_score(genuine, -distances))
    assert curve.average_precision == pytest.approx(average_precision_score(genuine, -distances))
    false, true, thresholds = roc_curve(genuine, -distances, drop_intermediate=False)
    np.testing.assert_allclose(curve.thresholds, -thresholds[1:])
    np.testing.assert_allclose(curve.false_positive_rate, false[1:])
    np.testing.assert_allclose(curve.true_positive_rate, true[1:])


def test_what_is_infinitely_far_is_never_accepted() -> None:
    curve = distance_curve(np.array([0.5, np.inf]), np.array([True, True]))
    assert curve.true_positive_rate.tolist() == [0.5]
    assert distance_curve(np.array([]), np.array([], bool)).average_precision == 0.0


def test_one_against_rest_is_every_pair(make_faces) -> None:
    gallery, probes = make_faces(4, 2), make_faces(5, 3, seed=5)
    distances, genuine = one_against_rest(gallery, probes)
    assert distances.shape == (15 * 4,)
    assert genuine.sum() == 12
    row = distances.reshape(15, 4)[0]
    own = np.linalg.norm(gallery.embeddings[gallery.people == "p0"] - probes.embeddings[0], axis=1).min()
    assert row[0] == pytest.approx(own, abs=1e-6)


def test_nearest_curve_calls_strangers_wrong(make_faces) -> None:
    curve = nearest_curve(search(make_faces(4, 2, spread=0.1), make_faces(6, 3, spread=0.1, seed=5)))
    assert (curve.genuine, curve.impostors) == (12, 6)
    assert curve.area == 1.0


def test_ranks_and_cmc(make_faces) -> None:
    gallery, probes = make_faces(9, 2, spread=1.2), make_faces(11, 4, spread=1.2, seed=3)
    ranks = match_ranks(gallery, probes)
    assert len(ranks) == 36
    expected = []
    for vector, person in zip(probes.embeddings, probes.people, strict=True):
        if person not in gallery.people:
            continue
        near = {
            p: np.linalg.norm(gallery.embeddings[gallery.people == p] - vector, axis=1).min() for p in gallery.people
        }
        expected.append(1 + sum(near[p] < near[person] for p in near))
    assert ranks.tolist() == expected
    curve = cmc(ranks, 9)
    assert curve[0] == np.mean(np.array(expected) == 1)
    assert curve[-1] == 1.0
    assert (np.diff(curve) >= 0).all()
    assert cmc(np.array([], np.int64), 3).tolist() == [0, 0, 0]


def test_equal_distance_counts_against_us() -> None:
    gallery = FaceSet.of(np.eye(2), ["a", "b"])
    probe = FaceSet.of([[np.sqrt(0.5), np.sqrt(0.5)]], ["a"])
    assert match_ranks(gallery, probe).tolist() == [2]


def test_pairs_by_a_loop_without_frames_of_one_video() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(20, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    faces = FaceSet.of(vectors, rng.integers(0, 3, 20), rng.integers(0, 6, 20))
    expected: dict[bool, list[float]] = {True: [], False: []}
    for i, j in itertools.combinations(range(20), 2):
        if faces.sources[i] != faces.sources[j]:
            distance = float(np.linalg.norm(faces.embeddings[i] - faces.embeddings[j]))
            expected[bool(faces.people[i] == faces.people[j])].append(distance)
    pairs = pair_distances(faces)
    np.testing.assert_allclose(np.sort(pairs.genuine), np.sort(expected[True]), rtol=1e-5)
    np.testing.assert_allclose(np.sort(pairs.impostor), np.sort(expected[False]), rtol=1e-5)
    assert (pairs.genuine_total, pairs.impostor_total) == (len(expected[True]), len(expected[False]))


def test_many_pairs_are_sampled(make_faces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knownface.evaluation.curves._ALL_PAIRS", 1000)
    monkeypatch.setattr("knownface.evaluation.curves._LARGEST_PERSON", 10)
    pairs = pair_distances(make_faces(20, 20), largest=500)
    assert (len(pairs.genuine), len(pairs.impostor)) == (500, 500)
    assert pairs.genuine_total == 20 * 190
    assert pairs.impostor_total == 400 * 399 // 2 - 20 * 190


def test_one_face_has_no_pair(make_faces) -> None:
    with pytest.raises(InputError, match="two faces"):
        pair_distances(make_faces(1, 1))
