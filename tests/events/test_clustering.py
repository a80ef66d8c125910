from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from knownface.events import group_by_likeness


@given(st.integers(2, 40), st.integers(1, 8), st.floats(0.1, 1), st.floats(0, 1.6), st.integers(0, 2**31))
def test_groups_are_those_of_scipys_average_linkage(count, people, spread, threshold, seed):
    rng = np.random.default_rng(seed)
    faces = rng.normal(size=(people, 16))[rng.integers(0, people, count)] + spread * rng.normal(size=(count, 16))
    faces = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    apart = [tuple(rng.choice(count, 2, replace=False).tolist()) for _ in range(rng.integers(0, 4))]
    distances = squareform(pdist(faces.astype(np.float64)))
    for one, other in apart:
        distances[one, other] = distances[other, one] = 2.0
    labels = fcluster(linkage(squareform(distances), method="average"), t=threshold, criterion="distance")
    expected = {frozenset(np.flatnonzero(labels == label).tolist()) for label in labels}
    groups = group_by_likeness(faces, threshold, apart)
    assert {frozenset(group) for group in groups} == expected
    assert [group[0] for group in groups] == sorted(group[0] for group in groups)
