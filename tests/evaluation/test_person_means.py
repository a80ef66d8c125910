"""People's means in evaluations: as a gallery has them, and without what a search must not see."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.decision import AROUND
from knownface.evaluation import FaceSet, search, search_without_own_person, search_without_own_source
from knownface.evaluation import person_means as module


def plain_loop(faces: FaceSet, codes: np.ndarray, probe: np.ndarray, hidden: np.ndarray, k: int) -> list[tuple]:
    """By the words of the description: distance and person of the k nearest, then the nearest of anybody else."""
    apart = np.linalg.norm(faces.embeddings - probe, axis=1)
    seen = sorted((d, i) for i, d in enumerate(apart.tolist()) if not hidden[i])
    rows = [(distance, int(codes[i])) for distance, i in seen]
    wide = rows[: max(k, AROUND)]
    for person in {person for _, person in rows[:AROUND]}:
        theirs = faces.embeddings[(codes == person) & ~hidden].astype(np.float64)
        if len(theirs) > 1:
            mean = theirs.sum(axis=0)
            wide.append((float(np.linalg.norm(mean / np.linalg.norm(mean) - probe)), person))
    wide.sort()
    first = wide[:k]
    other = [row for row in [*wide, *rows] if first and row[1] != first[0][1]]
    return first if len({person for _, person in first}) > 1 else [*first, *other[:1]]


@pytest.mark.parametrize("block", [1 << 22, 100])
@pytest.mark.parametrize(("people", "each", "k"), [(9, 7, 3), (3, 40, 10), (2, 1, 2), (1, 3, 2)])
def test_each_search_has_the_means_of_the_templates_that_it_sees(
    make_faces, monkeypatch: pytest.MonkeyPatch, people: int, each: int, k: int, block: int
) -> None:
    monkeypatch.setattr(module, "_BLOCK", block)
    rng = np.random.default_rng(people)
    made = make_faces(people, each)
    shuffled = made.take(rng.permutation(len(made)))
    # Some files show several people, some people have several templates from one file.
    gallery = FaceSet.of(shuffled.embeddings, shuffled.people, rng.integers(0, 2 * len(made) // 3 + 1, len(made)))
    codes = np.unique(gallery.people, return_inverse=True)[1]
    nothing = np.zeros(len(gallery), dtype=bool)
    probes = make_faces(people + 2, 3, seed=1)
    of_sources = [gallery.sources == source for source in gallery.sources]
    of_people = [same | (codes == code) for same, code in zip(of_sources, codes, strict=True)]
    for searches, vectors, hidden in (
        (search(gallery, probes, k), probes.embeddings, [nothing] * len(probes)),
        (search_without_own_source(gallery, k), gallery.embeddings, of_sources),
        (search_without_own_person(gallery, k), gallery.embeddings, of_people),
    ):
        near = searches.neighbours
        for row, (probe, mask) in enumerate(zip(vectors, hidden, strict=True)):
            wanted = plain_loop(gallery, codes, probe, mask, k)
            there = near.people[row] >= 0
            np.testing.assert_allclose(near.distances[row][there], [distance for distance, _ in wanted], atol=1e-6)
            assert near.people[row][there].tolist() == [person for _, person in wanted]
            assert not mask[near.templates[row][there]].any()


def test_templates_that_cancel_each_other_out_have_no_mean() -> None:
    opposite = FaceSet.of([[1, 0], [-1, 0], [0, 1]], ["a", "a", "b"])
    assert np.isfinite(search(opposite, opposite, 4).neighbours.distances[:, :4]).sum(axis=1).tolist() == [3, 3, 3]
