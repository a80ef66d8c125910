"""A gallery to work on, and templates to fill it with."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from knownface.gallery import Gallery, NewTemplate
from knownface.types import Box, DecisionRule, EmbedderContract

DIM = 8


def make_contract(name="net", fingerprint="a" * 64, dim=DIM):
    return EmbedderContract(name, dim, "aligned", fingerprint, "Apache-2.0", DecisionRule(1, 3, 1.0, 0.1), True)


def unit_vectors(seed, n=1, dim=DIM):
    vectors = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def contract():
    return make_contract()


@pytest.fixture
def other_contract():
    return make_contract("other-net", "b" * 64)


@pytest.fixture
def face():
    """Makes a template from a number; equal numbers make equal ones."""

    def make(seed, *, dim=DIM, **changes):
        values = {
            "vector": unit_vectors(seed, dim=dim)[0],
            "source": f"/photos/{seed}.jpg",
            "source_sha256": hashlib.sha256(str(seed).encode()).hexdigest(),
            "box": Box(1.5, 2, 30, 40),
            "quality": 0.75,
        }
        return NewTemplate(**{**values, **changes})

    return make


@pytest.fixture
def gallery(place, contract):
    with Gallery.open(place) as opened:
        opened.bind(contract)
        yield opened


@pytest.fixture
def reopen(place):
    """Opens the gallery once more, as another program would; closes it at the end."""
    opened = []

    def again():
        opened.append(Gallery.open(place, create=False))
        return opened[-1]

    yield again
    for each in opened:
        each.close()
