"""People as points on the sphere: made anew from a seed, with as much confusion as a test wants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from toy_bench import toy_bench, toy_people, toy_video  # noqa: F401 - fixtures

from knownface.evaluation import FaceSet

MakeFaces = Callable[..., FaceSet]


@pytest.fixture(scope="session")
def make_faces() -> MakeFaces:
    """``make_faces(people, each, spread, first, seed)``: people named p0, p1, ...; each face a source of its own."""

    def make(people: int, each: int, *, spread: float = 0.6, first: int = 0, seed: int = 0, dim: int = 16) -> FaceSet:
        # A person is the same point in every set: numbered, not drawn in turn.
        middles = np.stack([np.random.default_rng([77, p]).normal(size=dim) for p in range(first, first + people)])
        noise = np.random.default_rng(seed).normal(size=(people, each, dim)) * spread
        vectors = (middles[:, None, :] + noise).reshape(-1, dim)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        labels = np.repeat([f"p{p}" for p in range(first, first + people)], each)
        return FaceSet.of(vectors, labels)

    return make
