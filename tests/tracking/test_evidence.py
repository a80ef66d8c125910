from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_world import of_quality, picture_of

from knownface.quality import Covered
from knownface.tracking import Sample
from knownface.tracking.evidence import Evidence, combined, distance, kept, weight


def sample(person: str, number: int, score: float = 1.0) -> Sample:
    quality = of_quality(score)
    assert quality.score == pytest.approx(score)
    return Sample(1, number / 25, picture_of(person, number), quality)


def evidence_of(*samples: Sample) -> Evidence:
    evidence = Evidence()
    evidence.replace(samples)
    return evidence


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_evidence_is_a_unit_vector_nearer_to_the_person_than_single_pictures_are(scores: list[float]) -> None:
    samples = [sample("Ada", i, score) for i, score in enumerate(scores)]
    together = combined(samples)
    assert together.dtype == np.float32
    assert np.linalg.norm(together) == pytest.approx(1, abs=1e-5)
    other = picture_of("Ada", 99, noise=0.01)
    assert distance(together, other) <= max(distance(s.embedding, other) for s in samples) + 1e-5


def test_poor_pictures_count_little() -> None:
    good = [sample("Ada", i) for i in range(3)]
    poor = [sample("Zoe", i, 0.1) for i in range(10, 12)]
    assert distance(combined([*poor, *good]), combined(good)) < 0.02
    assert distance(combined([*[sample("Zoe", i) for i in range(10, 12)], *good]), combined(good)) > 0.3


def test_opposite_pictures_say_what_the_newest_says() -> None:
    one = sample("Ada", 1)
    assert np.array_equal(combined([replace(one, embedding=-one.embedding), one]), one.embedding)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(2, 12))
def test_the_best_and_the_newest_are_kept_in_order(scores: list[float], most: int) -> None:
    samples = [sample("Ada", i, score) for i, score in enumerate(scores)]
    chosen = kept(samples, most)
    assert len(chosen) == min(most, len(samples))
    assert chosen[-1] is samples[-1]
    assert [s.time for s in chosen] == sorted(s.time for s in chosen)
    left = [weight(s.quality) for s in samples if all(s is not c for c in chosen)]
    assert all(weight(s.quality) >= max(left, default=0) for s in chosen[:-1])


def test_what_a_scored_picture_says_stays_when_better_ones_are_not_scored() -> None:
    evidence = Evidence()
    evidence.accept(replace(sample("Ada", 0, 0.3), live=0.1), most=3)
    for number in range(1, 8):
        evidence.accept(sample("Ada", number), most=3)
    assert evidence.live == pytest.approx(0.1)
    evidence.accept(replace(sample("Ada", 9), live=0.9), most=3)
    assert evidence.live is not None
    assert 0.5 < evidence.live < 0.9, "the better picture counts more"


def test_a_picture_is_judged_by_the_evidence() -> None:
    evidence = evidence_of(*(sample("Ada", i) for i in range(4)))
    ada, zoe = sample("Ada", 9), sample("Zoe", 9)
    rule = {"alike": 0.97, "unlike": 1.14, "undecided": True}
    assert evidence.judge(ada, [], **rule) == "fits"
    assert evidence.judge(zoe, [], **rule) == "other"
    assert evidence.judge(zoe, [picture_of("Zoe", 1)], **rule) == "other"


def test_the_first_pictures_contradict_only_if_they_are_of_another_track() -> None:
    evidence = evidence_of(sample("Ada", 1))
    zoe = sample("Zoe", 9)
    rule = {"alike": 0.97, "unlike": 1.14, "undecided": True}
    assert evidence.judge(zoe, [], **rule) == "fits"
    assert evidence.judge(zoe, [picture_of("Zoe", 1)], **rule) == "other"


def test_doubts_do_not_count_as_evidence_against_further_doubts() -> None:
    good = [sample("Ada", i) for i in range(3)]
    doubts = tuple(sample("Zoe", i) for i in range(5, 9))
    evidence = evidence_of(*good, *doubts)
    evidence.doubts = doubts
    assert evidence.judge(sample("Zoe", 20), [], alike=0.97, unlike=1.14, undecided=False) != "fits"
    evidence.doubts = ()
    assert evidence.judge(sample("Zoe", 20), [], alike=0.97, unlike=1.14, undecided=False) == "fits"


def test_doubts_that_agree_become_the_evidence_of_another_track() -> None:
    ada, zoe = [sample("Ada", i) for i in range(3)], [sample("Zoe", i) for i in range(5, 8)]
    evidence = evidence_of(*ada)
    evidence.portraits = dict.fromkeys((s.time for s in [*ada, *zoe]), np.zeros((2, 2, 3), np.uint8))
    for picture in zoe:
        evidence.accept(picture, 12)
        evidence.doubt(picture, within=1.0)
    assert evidence.doubts == tuple(zoe)
    other = evidence.split()
    assert (evidence.samples, other.samples) == (tuple(ada), tuple(zoe))
    assert set(other.portraits) == {s.time for s in zoe}
    assert not evidence.doubts
    assert distance(combined(ada), evidence.embedding) == 0


def test_doubts_that_do_not_agree_begin_anew() -> None:
    evidence = evidence_of(*(sample("Ada", i) for i in range(3)))
    evidence.doubt(sample("Zoe", 5), within=0.1)
    newest = sample("Yan", 6)
    evidence.doubt(newest, within=0.1)
    assert evidence.doubts == (newest,)
    evidence.verified = False
    evidence.confirm()
    assert (evidence.doubts, evidence.verified) == ((), True)


def test_two_tracks_of_one_face_have_the_evidence_of_both() -> None:
    old, newer = evidence_of(sample("Ada", 1, 0.9)), evidence_of(sample("Ada", 2, 0.3), sample("Ada", 3, 0.8))
    old.verified = False
    old.merge(newer, 12)
    assert [s.time for s in old.samples] == [1 / 25, 2 / 25, 3 / 25]
    assert [round(s.quality.score, 2) for s in old.ranked()] == [0.9, 0.8, 0.3]
    assert old.verified


@pytest.mark.parametrize(
    ("pictures", "covered"),
    [(["mouth"], None), (["mouth", "mouth"], "mouth"), (["mouth", "mouth", None], None), ([], None)],
)
def test_what_is_covered_is_told_by_the_last_two_pictures(pictures: list[Covered | None], covered: str | None) -> None:
    samples = [replace(sample("Ada", number), covered=part) for number, part in enumerate(pictures)]
    assert evidence_of(*samples).covered == covered
