"""Promises: what they allow, when they are refused, and whether they are kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from knownface.errors import CalibrationError, SettingsError, TooFewStrangersError
from knownface.evaluation import Calibration, FaceSet, calibrate, search, search_without_own_source
from knownface.evaluation.calibration import MARGINS
from knownface.evaluation.guarantee import Impostors, allowance, gather_impostors
from knownface.types import CohortSpread

DIM = 24


@pytest.fixture(scope="module")
def gallery(make_faces) -> FaceSet:
    return make_faces(30, 5, spread=0.5, seed=1, dim=DIM)


@pytest.fixture(scope="module")
def strangers(make_faces) -> FaceSet:
    return make_faces(900, 1, spread=0.5, first=1000, seed=2, dim=DIM)


def test_a_calibration_tells_everything(gallery: FaceSet, strangers: FaceSet) -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    result = calibrate(gallery, strangers, fpir=0.02, undetected_gallery=3, undetected_strangers=4, now=when)
    assert result.fpir <= result.fpir_bound <= result.wanted_fpir == 0.02
    assert result.fpir in result.fpir_interval
    assert result.tpir in result.tpir_interval
    assert (result.people, result.sources, result.templates) == (30, 150, 150)
    assert (result.people_searched, result.genuine_searches) == (30, 150)
    assert (result.strangers, result.left_out) == (900, 0)
    assert (result.undetected_gallery, result.undetected_strangers) == (3, 4)
    assert result.calibrated_at == when
    assert "at most 2.00% of strangers get a name, with 95% confidence" in result.sentence
    assert "Known people are recognised" in result.sentence


def test_a_calibration_survives_json(gallery: FaceSet, strangers: FaceSet, make_faces) -> None:
    for people in (gallery, make_faces(5, 1, dim=DIM)):
        result = calibrate(people, strangers, fpir=0.02)
        assert Calibration.from_dict(json.loads(json.dumps(result.as_dict()))) == result


def test_the_rule_does_what_is_said(gallery: FaceSet, strangers: FaceSet) -> None:
    result = calibrate(gallery, strangers, fpir=0.02, margins=(0.0,))
    named = (search(gallery, strangers).answers(result.rule) >= 0).sum()
    genuine = search_without_own_source(gallery)
    right = (genuine.answers(result.rule) == genuine.people).mean()
    assert named <= result.fpir * (900 + 15)
    # The one told is cross-validated.
    assert result.tpir == pytest.approx(right, abs=0.05)


def test_promises_are_kept_on_other_strangers(gallery: FaceSet, strangers: FaceSet) -> None:
    inside, below = 0, 0
    for seed in range(25):
        order = np.random.default_rng(seed).permutation(900)
        result = calibrate(gallery, strangers.take(order[:450]), fpir=0.02)
        seen = (search(gallery, strangers.take(order[450:])).answers(result.rule) >= 0).mean()
        inside += seen in result.fpir_interval
        below += seen <= result.wanted_fpir
    assert inside >= 24
    assert below >= 24


def test_too_few_strangers_are_refused_with_how_many_would_do(gallery: FaceSet, make_faces) -> None:
    with pytest.raises(TooFewStrangersError, match="cannot be promised") as refusal:
        calibrate(gallery, None, fpir=0.01)
    needed = refusal.value.needed
    assert 280 <= needed <= 299
    assert str(needed) in refusal.value.hint
    far = make_faces(needed, 1, first=5000, dim=DIM)
    assert calibrate(gallery, far, fpir=0.01).strangers == needed
    with pytest.raises(TooFewStrangersError):
        calibrate(gallery, far.take(np.arange(needed - 1)), fpir=0.01)


def test_the_rate_of_the_hint_can_be_promised(gallery: FaceSet, make_faces) -> None:
    few = make_faces(50, 1, first=5000, dim=DIM)
    with pytest.raises(TooFewStrangersError) as refusal:
        calibrate(gallery, few, fpir=0.01)
    offered = refusal.value.possible
    assert offered is not None
    assert calibrate(gallery, few, fpir=offered).fpir_bound <= offered


def test_many_pictures_of_one_stranger_are_one_stranger(gallery: FaceSet, make_faces) -> None:
    with pytest.raises(TooFewStrangersError):
        calibrate(gallery, make_faces(10, 200, first=1000, dim=DIM), fpir=0.02)


def test_a_stranger_with_an_enrolled_name_is_a_stranger(gallery: FaceSet, strangers: FaceSet) -> None:
    renamed = FaceSet.of(strangers.embeddings, [f"p{i}" for i in range(900)])
    numbered = FaceSet.of(strangers.embeddings, np.arange(900))
    rules = [calibrate(gallery, faces, fpir=0.02).rule for faces in (strangers, renamed, numbered)]
    assert rules[0] == rules[1] == rules[2]


def test_one_source_each_leaves_recognition_unmeasured(make_faces, strangers: FaceSet) -> None:
    result = calibrate(make_faces(5, 1, dim=DIM), strangers, fpir=0.02)
    assert result.tpir is None
    assert result.tpir_interval is None
    assert result.rule.margin == 0.0
    assert "could not be measured" in result.sentence


def test_a_single_person_needs_strangers(make_faces, strangers: FaceSet) -> None:
    one = make_faces(1, 4, dim=DIM)
    result = calibrate(one, strangers, fpir=0.02)
    assert (result.left_out, result.tpir) == (0, 1.0)
    with pytest.raises(TooFewStrangersError, match="no strangers"):
        calibrate(one, None, fpir=0.5)


def test_strangers_who_are_enrolled_make_it_hopeless(gallery: FaceSet) -> None:
    copies = gallery.take(np.tile(np.arange(150), 4))
    hidden = FaceSet.of(copies.embeddings, np.arange(600))
    with pytest.raises(CalibrationError, match="nobody is recognised"):
        calibrate(gallery, hidden, fpir=0.02)


@pytest.mark.parametrize(("fpir", "confidence"), [(0.0, 0.95), (1.0, 0.95), (0.01, 1.0), (0.01, 0.3)])
def test_senseless_wishes_are_refused(gallery: FaceSet, fpir: float, confidence: float) -> None:
    with pytest.raises(SettingsError):
        calibrate(gallery, None, fpir=fpir, confidence=confidence)


def test_an_allowance_looks_at_numbers_only_and_pays_for_attempts(gallery: FaceSet, strangers: FaceSet) -> None:
    assert gather_impostors(gallery, strangers, 10).trials == 900
    impostors = gather_impostors(gallery, strangers.take(np.arange(400)), 10)
    assert impostors.trials == 415
    one, three = (allowance(impostors, 0.02, 0.95, attempts) for attempts in (1, len(MARGINS)))
    assert one is not None
    assert three is not None
    assert three.errors <= one.errors
    assert three.confidence > 0.95
    assert one.bound(one.errors, impostors) <= 0.02
    alone = Impostors(None, None, 1)
    assert allowance(alone, 0.5, 0.95, 1) is None


def test_errors_never_fall_with_the_threshold_and_bound_every_vote(gallery: FaceSet, strangers: FaceSet) -> None:
    impostors = gather_impostors(gallery, strangers, 10)
    thresholds = np.linspace(0.2, 1.4, 25)
    for margin in MARGINS:
        errors = impostors.errors(thresholds, margin)
        assert (np.diff(errors) >= -1e-9).all()
        assert (errors <= impostors.errors(thresholds, 0.0) + 1e-9).all()


def test_few_enrolled_people_do_not_ask_for_more_strangers_than_the_rule_of_three(gallery: FaceSet) -> None:
    three = gallery.take(np.flatnonzero(np.isin(gallery.people, np.unique(gallery.people)[:3])))
    with pytest.raises(TooFewStrangersError) as error:
        calibrate(three, None, fpir=0.01)
    assert error.value.needed <= 300
    assert "accept an FPIR of 1" not in error.value.hint


@pytest.mark.parametrize(("people", "each"), [(4, 4), (30, 1), (30, 2)])
def test_promises_hold_of_tracks_where_it_is_known_what_averaging_does(
    make_faces, strangers: FaceSet, people: int, each: int
) -> None:
    enrolled = make_faces(people, each, dim=24)
    by_gallery = calibrate(enrolled, strangers, fpir=0.05)
    assert by_gallery.of_tracks == (people > 4 and each > 1)
    assert ("Nothing is promised of tracks" in by_gallery.sentence) != by_gallery.of_tracks
    known = CohortSpread(0.1, 0.0, averaging=0.1)
    assert "holds of tracks" in calibrate(enrolled, strangers, fpir=0.05, cohort=known).sentence
