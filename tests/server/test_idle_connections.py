from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knownface.server.idle_connections import JUST_ANSWERED, Connection, IdleConnections


class Scene:
    """Connections of some addresses that come, ask, are answered and go, at times of our own."""

    def __init__(self, most: int, exempt: tuple[str, ...] = ()) -> None:
        self.now = 0.0
        self.idle = IdleConnections(most, exempt, lambda: self.now)
        self.closed: list[Connection] = []

    def connect(self, address: str, *, answered: bool = False) -> Connection:
        one = Connection(address, lambda: self.closed.append(one), answered)
        self.idle.add(one)
        return one


@given(
    most=st.integers(1, 6),
    steps=st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 2 * JUST_ANSWERED)), max_size=60),
)
def test_whoever_has_most_gives_way_and_nobody_who_was_just_answered(
    most: int, steps: list[tuple[str, bool, float]]
) -> None:
    scene = Scene(most)
    open_ones: list[Connection] = []
    for address, answered, wait in steps:
        scene.now += wait
        before = len(scene.closed)
        open_ones.append(scene.connect(address, answered=answered))
        for victim in scene.closed[before:]:
            assert not victim.answered or scene.now - victim.since > JUST_ANSWERED
            own = [one for one in open_ones if one.address == victim.address]
            assert victim.answered <= all(one.answered for one in own)
            assert all(victim.since <= one.since for one in own if one.answered == victim.answered)
            open_ones.remove(victim)
        assert len(scene.idle) == len(open_ones)
        protected = sum(one.answered and scene.now - one.since <= JUST_ANSWERED for one in open_ones)
        assert len(open_ones) <= most or protected


def test_a_crowd_displaces_its_own() -> None:
    scene = Scene(10)
    others = [scene.connect("quiet") for _ in range(3)]
    asked = scene.connect("crowd", answered=True)
    for _ in range(50):
        scene.connect("crowd")
    assert {one.address for one in scene.closed} == {"crowd"}
    assert asked not in scene.closed
    for one in (*others, asked):
        scene.idle.remove(one)
        scene.idle.remove(one)  # gone is gone
    assert len(scene.idle) == 6


def test_connections_of_proxies_are_left_alone() -> None:
    scene = Scene(1, exempt=("proxy",))
    for _ in range(5):
        scene.connect("proxy")
    assert (scene.closed, len(scene.idle)) == ([], 0)
