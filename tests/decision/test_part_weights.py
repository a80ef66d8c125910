from __future__ import annotations

import numpy as np
import pytest

from knownface.decision.part_weights import learn_weights
from knownface.types import Embeddings, Ids


def _space(people: Ids, dim: int, noise: float, seed: int) -> Embeddings:
    """Vectors of people with their own directions, and noise."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(int(people.max()) + 1, dim)) / np.sqrt(dim)
    vectors = centres[people] + noise * rng.normal(size=(len(people), dim)) / np.sqrt(dim)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_the_part_that_tells_people_apart_counts_more_the_more_people_say_so() -> None:
    shares = []
    for count in (2, 3, 20, 1500):
        people = np.repeat(np.arange(count), 2)
        found = learn_weights([_space(people, 64, 0.5, 1), _space(people, 64, 2.0, 2)], people, [1, 1])
        if count < 3:
            assert found is None
            continue
        assert found is not None
        weights, several = found
        assert several == min(count, 1000)
        assert weights.sum() == pytest.approx(1)
        assert (weights > 0).all()
        shares.append(weights[0])
    assert 0.5 < shares[0] < shares[1] < shares[2]


def test_people_with_one_template_teach_what_different_people_are_only() -> None:
    people = np.concatenate([np.repeat(np.arange(4), 3), np.arange(4, 3000)])
    found = learn_weights([_space(people, 32, 0.5, 1), _space(people, 32, 0.5, 2)], people, [3, 1])
    assert found is not None
    assert found[1] == 4
