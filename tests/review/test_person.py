"""Is it this person? The comparison of files that are offered for somebody."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import DifferentPeopleError, LooksLikeOtherError, OddPictureError
from knownface.review.person import Offer, Opinion, PersonReview, Rival, compare
from knownface.types import CohortSpread, DecisionRule, Embeddings

RULE = DecisionRule(1, 3, 1.0)
NOBODY = Offer("", np.empty((0, 0), np.float32))


def face(person: int, shot: int = 0) -> Embeddings:
    """An embedding, shape (1, 64): pictures of one person are about 0.6 apart, those of two 1.4."""
    vector = 0.45 * np.random.default_rng([person, shot]).normal(size=64) / 8
    vector[:8] = 0
    vector[person] = 1
    return (vector / np.linalg.norm(vector)).astype(np.float32)[None]


def compared(offers: list[Offer], own: Offer = NOBODY, rivals: list[list[Rival | None]] | None = None) -> list[Opinion]:
    nobody: list[list[Rival | None]] = [[None] * len(offer.embeddings) for offer in offers]
    return compare("Ada", offers, own, rivals or nobody, PersonReview(RULE))


def photos(*people: int) -> list[Offer]:
    return [Offer(f"{shot}.jpg", face(person, shot)) for shot, person in enumerate(people)]


def test_the_odd_one_out_is_named_with_its_nearest_and_the_distance() -> None:
    opinions = compared(photos(1, 1, 1, 2, 1))
    assert [opinion.doubt is None for opinion in opinions] == [True, True, True, False, True]
    assert isinstance(opinions[3].doubt, OddPictureError)
    assert ".jpg, is 1." in opinions[3].doubt.message


def test_what_is_enrolled_outweighs_what_is_new() -> None:
    opinions = compared(photos(2, 2, 2, 1), Offer("", np.concatenate([face(1, 7), face(1, 8)])))
    assert [opinion.doubt is None for opinion in opinions] == [False, False, False, True]
    assert "the nearest of 2 enrolled is 1." in str(opinions[0].doubt)


def test_different_people_without_a_majority_are_all_doubted() -> None:
    for people in ((1, 2), (1, 2, 3), (1, 1, 2, 2), (1, 1, 2, 3)):
        assert all(isinstance(opinion.doubt, DifferentPeopleError) for opinion in compared(photos(*people)))
    assert compared(photos(1))[0].doubt is None


def test_who_looks_more_like_somebody_else_is_doubted() -> None:
    rival = Rival("Bob", 0.5)
    for own, doubted in ((NOBODY, True), (Offer("", face(1, 0)), False)):
        [opinion] = compared(photos(1), own, [[rival]])
        assert isinstance(opinion.doubt, LooksLikeOtherError) == doubted
    opinions = compared(photos(1, 1), rivals=[[Rival("Bob", 0.9)], [None]])
    assert [opinion.doubt for opinion in opinions] == [None, None]


def test_of_several_faces_the_one_that_fits_is_taken() -> None:
    several = Offer("party.jpg", np.concatenate([face(2), face(1, 5), face(3)]), clear=False)
    later = Offer("later.jpg", np.concatenate([face(1, 6), face(4)]), clear=False)
    opinions = compared([later, several, *photos(1, 1)])
    assert [opinion.faces for opinion in opinions] == [(0,), (1,), (0,), (0,)]
    assert opinions[1].note.startswith("Of several faces the one that fits")


def test_of_several_faces_none_is_taken_where_it_is_not_clear() -> None:
    twins = Offer("twins.jpg", np.concatenate([face(1, 5), face(1, 6)]), clear=False)
    strangers = Offer("strangers.jpg", np.concatenate([face(2), face(3)]), clear=False)
    assert [opinion.faces for opinion in compared([twins, strangers, *photos(1, 1)])[:2]] == [(), ()]
    assert compared([twins])[0].faces == ()  # nothing tells


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.randoms())
def test_the_order_of_files_does_not_matter(people: list[int], random) -> None:  # type: ignore[no-untyped-def]
    offers = photos(*people)
    order = list(range(len(offers)))
    random.shuffle(order)
    straight, shuffled = compared(offers), compared([offers[index] for index in order])
    assert [straight[index].doubt is None for index in order] == [opinion.doubt is None for opinion in shuffled]


COHORTS = st.none() | st.builds(CohortSpread, st.floats(0.02, 0.2), st.floats(-0.3, 0.3))


@given(st.floats(1e-6, 1e-2), st.integers(1, 500), COHORTS)
def test_more_comparisons_are_stricter(rate: float, comparisons: int, cohort: CohortSpread | None) -> None:
    how = PersonReview(RULE, pair_rate=rate, cohort=cohort)
    assert how.largest_distance(comparisons + 1) <= how.largest_distance(comparisons) <= 2
    laxer = PersonReview(RULE, pair_rate=rate / 2, cohort=cohort)
    assert how.largest_distance(comparisons) <= laxer.largest_distance(comparisons)
