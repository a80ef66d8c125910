from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.liveness import combined

SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0.05, 1)), min_size=1, max_size=8)


@given(SCORES)
def test_it_lies_between_the_pictures_whatever_their_order(pictures: list[tuple[float, float]]) -> None:
    scores, weights = zip(*pictures, strict=True)
    together = combined(scores, weights)
    assert min(scores) - 1e-5 <= together <= max(scores) + 1e-5
    assert combined(scores[::-1], weights[::-1]) == pytest.approx(together)


def test_one_picture_that_clearly_shows_an_attack_outweighs_some_that_say_little() -> None:
    assert combined([0.6, 0.6, 0.6, 0.001], [1.0] * 4) < 0.5
    assert combined([0.6, 0.6, 0.6, 0.001], [1.0, 1.0, 1.0, 0.05]) > 0.5
