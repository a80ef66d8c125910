from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knownface.tracking.unknowns import UnknownMemory


def unit(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


@given(st.dictionaries(st.integers(1, 50), st.floats(0, 6.28), max_size=20), st.floats(0, 6.28), st.floats(0.01, 1.5))
def test_the_nearest_absent_one_within_reach_is_recalled(gone: dict[int, float], angle: float, within: float) -> None:
    memory = UnknownMemory(60)
    for number, where in gone.items():
        memory.remember(number, unit(where), 0)
    present = {number for number in gone if number % 2}
    recalled = memory.recall(unit(angle), 1, 1, within, present)
    distances = {n: float(np.linalg.norm(unit(a) - unit(angle))) for n, a in gone.items() if n not in present}
    if recalled is None:
        assert all(distance >= within - 1e-6 for distance in distances.values())
    else:
        assert distances[recalled] <= min(distances.values()) + 1e-6
        assert distances[recalled] <= within + 1e-6


def test_who_left_long_ago_is_forgotten() -> None:
    memory = UnknownMemory(10)
    memory.remember(1, unit(0), 0)
    assert memory.recall(unit(0), 10, 10, 0.5, ()) == 1
    assert memory.recall(unit(0), 10.1, 10.1, 0.5, ()) is None


def test_who_was_seen_beside_a_face_is_somebody_else() -> None:
    memory = UnknownMemory(60)
    memory.remember(1, unit(0), 5)
    assert memory.recall(unit(0), 4.9, 6, 0.5, ()) is None
    assert memory.recall(unit(0), 5, 6, 0.5, ()) == 1
    # A stream that began anew: what it showed before lies later in its time.
    assert memory.recall(unit(0), 0, 1, 0.5, ()) == 1


def test_the_latest_picture_of_a_number_counts() -> None:
    memory = UnknownMemory(10)
    memory.remember(1, unit(0), 0)
    memory.remember(1, unit(1), 0)
    assert memory.recall(unit(0), 0, 0, 0.5, ()) is None
    assert memory.recall(unit(1), 0, 0, 0.5, ()) == 1


def test_memory_is_bounded() -> None:
    memory = UnknownMemory(1e9)
    for number in range(1, 1200):
        memory.remember(number, unit(number), 0)
    assert memory.recall(unit(1), 0, 0, 1e-3, ()) != 1
    assert memory.recall(unit(1199), 0, 0, 1e-3, ()) == 1199
