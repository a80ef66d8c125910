"""The rules on top of the vote: counter-examples, own thresholds, margin, one face a person."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.decision import CounterExamples, GalleryFacts, decide_picture
from knownface.types import Decision, DecisionRule, Embeddings, Neighbours

NAMES = {1: "Ada", 2: "Ben", 3: "Cleo"}


def on_circle(*angles: float) -> Embeddings:
    """Unit vectors at these angles in degrees: distance of two is 2 sin(difference / 2)."""
    a = np.deg2rad(np.array(angles))
    return np.column_stack([np.cos(a), np.sin(a)]).astype(np.float32)


class Circle:
    """An exact gallery on the unit circle; ``asked`` records the k of every search."""

    def __init__(self, *templates: tuple[int, float]) -> None:
        self.people = np.array([p for p, _ in templates])
        self.vectors = on_circle(*[a for _, a in templates])
        self.asked: list[int] = []

    def decide(
        self, probes: Embeddings, rule: DecisionRule, *, repeats: bool = False, **facts: object
    ) -> list[Decision]:
        def search(k: int) -> Neighbours:
            self.asked.append(k)
            distances = np.linalg.norm(probes[:, None] - self.vectors[None], axis=2).astype(np.float32)
            order = np.argsort(distances, axis=1, kind="stable")[:, :k]
            return Neighbours(np.take_along_axis(distances, order, 1), order.astype(np.int64), self.people[order])

        gallery = GalleryFacts(len(self.people), NAMES, **facts)  # type: ignore[arg-type]
        return decide_picture(probes, search, rule, gallery, allow_repeats=repeats)


def test_no_faces_no_search() -> None:
    circle = Circle((1, 0))
    assert circle.decide(np.empty((0, 2), np.float32), DecisionRule(1, 2, 1.0)) == []
    assert circle.asked == []


def test_the_same_neighbours_are_not_searched_for_twice() -> None:
    circle = Circle((1, 0), (2, 90))
    first, second = circle.decide(on_circle(5, 10), DecisionRule(1, 3, 0.5))
    assert (first.name, second.name) == ("Ada", None)
    assert len(circle.asked) == len(set(circle.asked))


def test_names_and_reasons() -> None:
    [near, far] = Circle((1, 0), (2, 90)).decide(on_circle(5, 200), DecisionRule(1, 2, 0.5))
    assert (near.name, near.reason, near.stage, near.votes) == ("Ada", "named", 1, 1)
    assert near.runner_up is not None
    assert near.runner_up.person_id == 2
    assert (far.name, far.reason, far.stage, far.votes) == (None, "too far", 0, 0)
    assert far.distance > 0.5


def test_an_empty_gallery_says_so() -> None:
    [decision] = Circle().decide(on_circle(5), DecisionRule(1, 2, 2.0))
    assert (decision.name, decision.reason, decision.distance) == (None, "empty gallery", float("inf"))


def test_a_person_is_given_to_the_nearest_of_two_faces() -> None:
    circle, rule = Circle((1, 0), (2, 40)), DecisionRule(1, 2, 0.5)
    assert [d.name for d in circle.decide(on_circle(10, 2), rule)] == [None, "Ada"]
    assert circle.decide(on_circle(10, 2), rule)[0].reason == "taken"
    assert [d.name for d in circle.decide(on_circle(10, 2), rule, repeats=True)] == ["Ada", "Ada"]


def test_who_loses_a_person_falls_to_the_next_that_qualifies() -> None:
    [loser, keeper] = Circle((1, 0), (2, 30)).decide(on_circle(12, 2), DecisionRule(1, 2, 0.5))
    assert (loser.name, keeper.name) == ("Ben", "Ada")


def test_the_next_candidate_is_found_beyond_k2() -> None:
    circle = Circle((1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 20))
    [loser, keeper] = circle.decide(on_circle(8, 2), DecisionRule(1, 2, 0.5))
    assert (loser.name, keeper.name) == ("Ben", "Ada")
    assert max(circle.asked) > 2


def test_a_counter_example_nearer_than_the_person_removes_the_person() -> None:
    circle, rule = Circle((1, 0), (2, 60)), DecisionRule(1, 2, 0.6)
    not_ada = CounterExamples(on_circle(12), np.array([1]))
    [decision] = circle.decide(on_circle(10), rule, counter_examples=not_ada)
    assert (decision.name, decision.reason) == (None, "not this person")
    [decision] = circle.decide(on_circle(3), rule, counter_examples=not_ada)
    assert decision.name == "Ada"


def test_own_threshold_replaces_the_rules() -> None:
    circle, rule = Circle((1, 0), (2, 90)), DecisionRule(1, 2, 0.3)
    assert circle.decide(on_circle(30), rule)[0].name is None
    assert circle.decide(on_circle(30), rule, thresholds={1: 0.6})[0].name == "Ada"
    assert circle.decide(on_circle(10), rule, thresholds={1: 0.1})[0].name is None


def test_margin_sees_a_rival_beyond_k2() -> None:
    circle = Circle((1, 0), (1, 1), (1, 2), (1, 3), (2, 25))
    [decision] = circle.decide(on_circle(12), DecisionRule(1, 2, 0.5, margin=0.2))
    assert (decision.name, decision.reason) == (None, "margin")
    [decision] = circle.decide(on_circle(1), DecisionRule(1, 2, 0.5, margin=0.2))
    assert decision.name == "Ada"


ANGLES = st.integers(0, 35).map(lambda a: a * 10.0)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(1, 3), ANGLES), min_size=1, max_size=8),
    st.lists(ANGLES, min_size=1, max_size=5),
    st.sampled_from([0.2, 0.5, 1.0, 2.0]),
    st.sampled_from([0.0, 0.1]),
)
def test_nobody_is_given_twice_and_no_loser_was_nearer(
    templates: list[tuple[int, float]], probes: list[float], threshold: float, margin: float
) -> None:
    circle, rule = Circle(*templates), DecisionRule(1, 3, threshold, margin)
    faces = on_circle(*probes)
    together = circle.decide(faces, rule)
    alone = circle.decide(faces, rule, repeats=True)
    given_to = [d.person_id for d in together if d.person_id is not None]
    assert len(given_to) == len(set(given_to))
    for one, free in zip(together, alone, strict=True):
        if one.person_id != free.person_id and free.person_id is not None:
            keeper = next(d for d in together if d.person_id == free.person_id)
            assert keeper.distance <= free.distance
        if free.person_id is None and margin == 0:
            assert one.person_id is None
