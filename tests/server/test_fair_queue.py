from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from knownface.server.fair_queue import FairQueue


def run_through(queue: FairQueue[int], costs: dict[str, float], rounds: int, backlog: int) -> Counter[str]:
    """What every caller was charged while all of them always have something waiting."""
    spent: Counter[str] = Counter()
    for _ in range(rounds):
        for who in costs:
            while queue.waiting_of(who) < backlog:
                queue.put(who, 0)
        taken = []
        while (turn := queue.take()) is not None:
            taken.append(turn[0])
        assert 0 < len(taken) <= queue.shares + 1
        for who in taken:
            queue.done(who, costs.get(who, 1.0), 1.0)
            spent[who] += costs.get(who, 1.0)
    return spent


@given(shares=st.integers(1, 5), costs=st.lists(st.floats(0.01, 2), min_size=2, max_size=5))
def test_who_has_enough_waiting_gets_the_same_of_the_processor(shares: int, costs: list[float]) -> None:
    named = {f"key {i}": cost for i, cost in enumerate(costs)}
    spent = run_through(FairQueue(shares), named, rounds=100, backlog=shares + 1)
    # A caller with cheap items is bound by the places that it may have at a time, not by what it is charged.
    able = {who: 100 * max(1, shares // len(named)) * cost for who, cost in named.items()}
    fair = min(*able.values(), sum(spent.values()) / len(spent))
    slack = (shares + 2) * max(costs) + shares * 0.2
    assert min(spent.values()) >= 0.9 * fair - slack


@given(items=st.lists(st.integers(), max_size=30))
def test_items_of_one_caller_keep_their_order(items: list[int]) -> None:
    queue: FairQueue[int] = FairQueue(1)
    for item in items:
        queue.put("a", item)
    taken = []
    while (turn := queue.take()) is not None:
        taken.append(turn[1])
        queue.done("a", 1.0, 1.0)
    assert taken == items
    assert queue.waiting == queue.working == 0
    assert not queue._charged


def test_who_was_away_has_saved_up_nothing() -> None:
    queue: FairQueue[int] = FairQueue(1)
    spent = run_through(queue, {"busy": 1.0, "other": 1.0}, rounds=50, backlog=3)
    assert spent["busy"] + spent["other"] >= 50
    spent = run_through(queue, {"busy": 1.0, "late": 1.0}, rounds=50, backlog=3)
    assert abs(spent["busy"] - spent["late"]) <= 3


def test_what_is_dropped_is_never_anybodys_turn() -> None:
    queue: FairQueue[str] = FairQueue(1)
    for name in "abc":
        queue.put("one", name)
    assert queue.take() == ("one", "a")
    assert not queue.drop("one", "a")
    assert queue.drop("one", "b")
    queue.done("one", 1.0, 1.0)
    assert queue.take() == ("one", "c")


def test_a_busy_caller_leaves_a_processor_to_who_was_here_a_moment_ago() -> None:
    now = [0.0]
    prompt, patient = (FairQueue[int](shares, lambda: now[0]) for shares in (3, 1))
    prompt.put("door", 0)
    assert prompt.take(beside=patient) == ("door", 0)
    prompt.done("door", 0.1, 0.1)
    for number in range(9):
        prompt.put("flood", number)
        patient.put("flood", number)
    assert [prompt.take(beside=patient) is None for _ in range(3)] == [False, False, True]
    assert patient.take(beside=prompt) is None
    prompt.put("door", 1)
    assert prompt.take(beside=patient) == ("door", 1)
    prompt.done("door", 0.1, 0.1)
    now[0] = 10.0  # nobody else for a while
    assert patient.take(beside=prompt) is not None
    assert prompt.take(beside=patient) is None  # three of three places are taken


def test_long_items_take_no_more_than_their_callers_part_while_somebody_is_here() -> None:
    now = [0.0]
    prompt, patient = FairQueue[int](3, lambda: now[0]), FairQueue[int](1, lambda: now[0], lends=False)
    prompt.put("door", 0)
    assert prompt.take(beside=patient) == ("door", 0)
    prompt.done("door", 0.1, 0.1)
    for number in range(9):
        patient.put("flood", number)
    assert [patient.take(beside=prompt) is None for _ in range(2)] == [False, True]
    now[0] = 10.0
    assert patient.take(beside=prompt) is not None
