from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from knownface.events import group_by_likeness
from knownface.events.together import Together

ENDLESS = 1e9


def seen_in_pairs(count, pairs):
    """Rows of which these pairs were seen at one place at the same time, and never else."""
    stays = [[] for _ in range(count)]
    for number, pair in enumerate(pairs):
        for row in pair:
            stays[row].append((f"place {number}", 0.0, 1.0))
    return Together(stays)


@given(st.integers(2, 40), st.integers(1, 8), st.floats(0.1, 1), st.floats(0, 1.6), st.integers(0, 2**31))
@example(40, 1, 0.1, 1.6, 0)
def test_groups_are_those_of_scipys_average_linkage_of_squares(count, people, spread, threshold, seed):
    rng = np.random.default_rng(seed)
    faces = rng.normal(size=(people, 16))[rng.integers(0, people, count)] + spread * rng.normal(size=(count, 16))
    faces = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    apart = [tuple(rng.choice(count, 2, replace=False).tolist()) for _ in range(rng.integers(0, 4))]
    squares = squareform(pdist(faces.astype(np.float64), "sqeuclidean"))
    for one, other in apart:
        squares[one, other] = squares[other, one] = ENDLESS
    labels = fcluster(linkage(squareform(squares), method="average"), t=threshold**2, criterion="distance")
    expected = {frozenset(np.flatnonzero(labels == label).tolist()) for label in labels}
    groups = group_by_likeness(faces, threshold, seen_in_pairs(count, apart))
    assert {frozenset(group) for group in groups} == expected
    assert [group[0] for group in groups] == sorted(group[0] for group in groups)


def test_a_face_whose_nearest_were_all_seen_with_it_finds_one_farther_away():
    """The crowd before a mirror: more twins at once than are looked at first."""
    rng = np.random.default_rng(5)
    faces = np.eye(16, dtype=np.float32)[0] + 0.02 * rng.normal(size=(41, 16)).astype(np.float32)
    faces[40] += 0.2 * np.eye(16, dtype=np.float32)[1]
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    groups = group_by_likeness(faces, 1.0, Together([[("hall", 0.0, 9.0)]] * 40 + [[("yard", 0.0, 9.0)]]))
    assert sorted(map(len, groups)) == [1] * 39 + [2]
    assert any(40 in group for group in groups if len(group) == 2)


_STAYS = st.lists(st.tuples(st.sampled_from(["door", "yard"]), st.integers(0, 30), st.integers(1, 6)), max_size=4)


@given(st.lists(_STAYS, min_size=2, max_size=6), st.data())
def test_rows_are_together_where_any_of_their_stays_overlap_also_once_joined(rows, data):
    stays = [[(place, float(start), float(start + length)) for place, start, length in row] for row in rows]
    together, gone = Together(stays), data.draw(st.integers(2, len(rows)))
    for row in range(gone, len(rows)):  # the last ones are given to the first
        together.join(0, row)
        stays[0] = stays[0] + stays[row]
    for one in range(gone):
        for other in range(gone):
            expected = any(p == q and a < d and c < b for p, a, b in stays[one] for q, c, d in stays[other])
            assert together.are(np.array([one]), np.array([other])) == [expected]
