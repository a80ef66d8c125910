from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from knownface.tracking.identity import Estimate, displaced, settle

AGREEING, PARTING = 2, 3
claims = st.one_of(st.none(), st.integers(1, 3))
rounds = st.lists(st.tuples(claims, st.booleans(), st.booleans(), st.booleans()), max_size=40)


def run(steps: list[tuple[int | None, bool, bool, bool]]) -> list[Estimate]:
    estimates = [Estimate()]
    for claim, fresh, clear, enough in steps:
        after = settle(
            estimates[-1],
            claim,
            fresh=fresh,
            clear=clear and claim is not None,
            enough=enough,
            agreeing=AGREEING,
            parting=PARTING,
        )
        estimates.append(after)
    return estimates


@given(rounds)
def test_an_answer_is_always_one_that_the_evidence_gave(steps: list[tuple[int | None, bool, bool, bool]]) -> None:
    estimates = run(steps)
    for number, estimate in enumerate(estimates[1:], start=1):
        if estimate.state == "named":
            assert estimate.person_id in {claim for claim, *_ in steps[:number]}
        else:
            assert estimate.person_id is None
        assert estimate.hypothesis == steps[number - 1][0]


@given(rounds)
def test_a_name_changes_only_when_pictures_in_a_row_agree(steps: list[tuple[int | None, bool, bool, bool]]) -> None:
    estimates = run(steps)
    for number, (before, after) in enumerate(itertools.pairwise(estimates), start=1):
        if before.state == "named" and (after.state, after.person_id) != ("named", before.person_id):
            row = [fresh for claim, fresh, *_ in steps[:number] if claim == steps[number - 1][0]]
            assert sum(row) >= (PARTING if after.hypothesis is None else AGREEING)
            assert after.hypothesis == steps[number - 1][0]


@given(rounds)
def test_only_a_confirmed_face_becomes_an_unknown(steps: list[tuple[int | None, bool, bool, bool]]) -> None:
    estimates = run([(claim, fresh, clear, False) for claim, fresh, clear, _ in steps])
    never_named = all(estimate.state != "named" for estimate in estimates)
    assert not never_named or all(estimate.state == "pending" for estimate in estimates)


def step(estimate: Estimate, claim: int | None, *, clear: bool = False, enough: bool = True) -> Estimate:
    return settle(estimate, claim, fresh=True, clear=clear, enough=enough, agreeing=AGREEING, parting=PARTING)


def test_a_clear_picture_names_at_once_and_a_doubtful_one_needs_a_second() -> None:
    assert step(Estimate(), 1, clear=True).state == "named"
    doubtful = step(Estimate(), 1)
    assert doubtful.state == "pending"
    assert step(doubtful, 1).person_id == 1
    assert step(step(doubtful, 2), 1).state == "pending"


def test_one_odd_picture_changes_nothing() -> None:
    named = step(Estimate(), 1, clear=True)
    odd = step(named, 2, clear=True)
    assert (odd.state, odd.person_id) == ("named", 1)
    assert step(odd, 1).person_id == 1
    assert step(odd, 2).person_id == 2


def test_a_name_is_taken_back_after_more_pictures_and_is_no_unknown_at_once() -> None:
    estimate, states = step(Estimate(), 1, clear=True), []
    for _ in range(2 * PARTING):
        estimate = step(estimate, None)
        states.append(estimate.state)
    assert states == ["named", "named", "pending", "pending", "pending", "unknown"]


def test_the_same_decision_again_without_a_new_picture_does_not_count() -> None:
    doubtful = settle(Estimate(), 1, fresh=True, clear=False, enough=True, agreeing=AGREEING, parting=PARTING)
    for _ in range(5):
        doubtful = settle(doubtful, 1, fresh=False, clear=False, enough=True, agreeing=AGREEING, parting=PARTING)
    assert doubtful.state == "pending"


def test_an_unknown_comes_after_enough_pictures_that_name_nobody() -> None:
    estimate = Estimate()
    states = []
    for enough in (*[False] * 2 * PARTING, True):
        estimate = step(estimate, None, enough=enough)
        states.append(estimate.state)
    assert states == [*["pending"] * 2 * PARTING, "unknown"]
    assert step(Estimate(), None).state == "pending"
    assert step(estimate, 2, clear=True).person_id == 2


def test_who_lost_their_person_is_undecided() -> None:
    assert displaced(Estimate("named", 1, 1, 4)) == Estimate("pending", None, None, 0)
    assert displaced(Estimate("named", 1, 2, 1)) == Estimate("pending", None, 2, 0)
