from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import ContractMismatchError, UnknownOfferError
from knownface.events import (
    SampleCandidate,
    SampleRule,
    accept_offers,
    list_offers,
    offer_picture,
    offer_sample,
    reject_offers,
)
from knownface.events.sample_rules import BY_RULE, SampleDistances, judge
from knownface.review import PersonReview
from knownface.types import DecisionRule

REVIEW = PersonReview(DecisionRule(1, 3, 1.0))


@pytest.fixture
def candidate(ids, made):
    """Ann as she was not seen before, at 0.7 of a threshold of 1."""
    face = made.away(made.unit(_number(ids, "Ann")), 0.68)
    return SampleCandidate(ids["Ann"], "door", made.noon, face, made.picture(1), 0.9, 6, 0)


def _number(ids, name):
    return ("Ann", "Ben", "Cy", "Dan").index(name)


@pytest.fixture
def offer(gallery, made):
    def make(candidate, threshold=1.0, now=made.noon, **more):
        return offer_sample(gallery, candidate, threshold, now=now, **more)

    return make


def test_a_sure_new_picture_is_offered_and_is_no_template_yet(offer, candidate, gallery, ids):
    assert offer(candidate) == "offered"
    (found,) = list_offers(gallery.database)
    assert (found.name, found.source, found.seen_at, found.quality) == ("Ann", "door", candidate.seen_at, 0.9)
    assert found.distance == pytest.approx(0.68, abs=0.05)
    assert found.rival_distance > found.distance + 0.15
    assert offer_picture(gallery.database, found.id)[:2] == b"\xff\xd8"
    assert gallery.person("Ann").templates == 2
    assert (list_offers(gallery.database, "Ben"), list_offers(gallery.database, "ann")) == ([], [found])


def test_accepted_it_is_a_template_once(offer, candidate, gallery):
    offer(candidate)
    (found,) = list_offers(gallery.database)
    assert accept_offers(gallery, [found.id], REVIEW).added == 1
    assert list_offers(gallery.database) == []
    templates = gallery.templates("Ann")
    assert len(templates) == 3
    assert templates[-1].source == "seen at door, 2026-03-02 12:00"
    near = gallery.search(candidate.embedding[None], 1)
    assert near.distances[0, 0] == pytest.approx(0, abs=1e-3)
    with pytest.raises(UnknownOfferError):
        accept_offers(gallery, [found.id], REVIEW)
    assert offer(candidate) == "known"


def test_rejected_it_is_not_offered_again(offer, candidate, gallery, made):
    offer(candidate)
    (found,) = list_offers(gallery.database)
    assert reject_offers(gallery, [found.id]) == 1
    assert list_offers(gallery.database) == []
    near = replace(candidate, embedding=made.away(candidate.embedding, 0.2, 7))
    assert offer(near) == "known"
    with pytest.raises(UnknownOfferError):
        offer_picture(gallery.database, found.id)


def test_somebody_else_becomes_a_counter_example(offer, candidate, gallery):
    offer(candidate)
    (found,) = list_offers(gallery.database)
    reject_offers(gallery, [found.id], not_the_person=True)
    assert [t.negative for t in gallery.templates("Ann")] == [False, False, True]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"changes": 1}, "changed"),
        ({"samples": 2}, "few"),
        ({"quality": 0.49}, "poor"),
        ({"person_id": 10_000}, "gone"),
    ],
)
def test_tracks_that_are_not_sure_offer_nothing(offer, candidate, gallery, changes, verdict):
    assert offer(replace(candidate, **changes)) == verdict
    assert list_offers(gallery.database) == []


def test_faces_that_are_far_near_to_a_rival_or_known_offer_nothing(offer, candidate, made, gallery, ids):
    ann, ben = made.unit(0), made.unit(1)
    between = (ann + ben) / np.linalg.norm(ann + ben)
    assert offer(replace(candidate, embedding=made.away(ann, 0.9))) == "far"
    assert offer(replace(candidate, embedding=between), threshold=1.3) == "rival"
    assert offer(replace(candidate, embedding=made.away(ann, 0.1))) == "known"
    assert list_offers(gallery.database) == []


def test_a_person_gets_few_a_day(offer, candidate, made, gallery):
    faces = [made.away(made.unit(0), 0.68, seed) for seed in range(60, 80)]
    verdicts = [offer(replace(candidate, embedding=face)) for face in faces]
    assert verdicts.count("offered") == SampleRule().a_day
    assert set(verdicts) <= {"offered", "known", "enough"}
    later = made.noon + timedelta(days=2)
    more = [offer(replace(candidate, embedding=face, seen_at=later), now=later) for face in faces]
    assert "offered" in more


def test_by_rule_only_the_surest_is_accepted_and_one_a_day(offer, candidate, made, gallery):
    assert offer(replace(candidate, samples=4), accept=True) == "offered"
    reject_offers(gallery, [o.id for o in list_offers(gallery.database)])
    first = replace(candidate, embedding=made.away(made.unit(0), 0.68, 61))
    assert offer(first, accept=True) == "accepted"
    assert [t.source for t in gallery.templates("Ann")][-1] == "sample: door, 2026-03-02 12:00"
    assert list_offers(gallery.database) == []


def test_the_gallery_does_not_wander(offer, candidate, made, gallery):
    """What was accepted by rule does not speak for what comes next."""
    assert offer(candidate, accept=True) == "accepted"
    beyond = made.away(candidate.embedding, 0.6, 4)
    start = made.unit(0)
    outward = candidate.embedding + 0.9 * (candidate.embedding - start)
    outward = (outward / np.linalg.norm(outward)).astype(np.float32)
    assert np.linalg.norm(outward - candidate.embedding) < 0.85 < np.linalg.norm(outward - start)
    assert offer(replace(candidate, embedding=outward), accept=True) == "far"
    assert beyond.shape == outward.shape


def test_without_anybody_else_there_is_no_rival(offer, candidate, gallery):
    gallery.remove("Ben", "Cy", "Dan")
    assert offer(candidate) == "offered"
    assert list_offers(gallery.database)[0].rival_distance is None


def test_offers_of_another_embedder_cannot_be_accepted(offer, candidate, gallery):
    from knownface.storage.events_schema import offers

    offer(candidate)
    with gallery.database.writing() as connection:
        connection.execute(offers.update().values(fingerprint="b" * 64))
    (found,) = list_offers(gallery.database)
    with pytest.raises(ContractMismatchError):
        accept_offers(gallery, [found.id], REVIEW)
    assert reject_offers(gallery, [found.id]) == 1


def test_merging_moves_offers(offer, candidate, gallery, ids):
    offer(candidate)
    gallery.merge(["Ann"], "Ben")
    assert [o.name for o in list_offers(gallery.database)] == ["Ben"]


DISTANCE = st.floats(0, 2)


@given(DISTANCE, DISTANCE, st.none() | DISTANCE, st.floats(0.1, 2), st.integers(0, 9), st.floats(0, 1))
def test_what_the_stricter_rule_takes_the_other_offers(own, enrolled, rival, threshold, samples, quality):
    candidate = SampleCandidate(1, "s", None, None, None, quality, samples, 0)
    near = SampleDistances(own, enrolled, rival)
    if judge(candidate, near, threshold, BY_RULE) == "offered":
        assert judge(candidate, near, threshold, SampleRule()) == "offered"
        assert enrolled < threshold
        assert rival is None or rival > enrolled
