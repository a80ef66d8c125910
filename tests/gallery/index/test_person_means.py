from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from knownface.gallery import Gallery


def vectors_of(gallery, name):
    return gallery.vectors(name).embeddings


def unit(vector):
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def expected(gallery, probe, k, around=20):
    """By the words of the description, one at a time."""
    near = gallery.search(probe[None], max(k, around))
    rows = []
    for distance, template, person in zip(*(each[0].tolist() for each in dataclasses.astuple(near)), strict=True):
        if person < 0:
            continue
        first = len(rows) < 2 * around and person not in {whose for _, _, whose in rows}
        rows.append((distance, template, person))
        vectors = vectors_of(gallery, gallery.names[person]).astype(np.float64)
        if first and len(vectors) > 1:
            rows.append((float(np.linalg.norm(probe - unit(vectors.sum(axis=0)))), template, person))
    return sorted(rows, key=lambda row: row[0])[:k]


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 3, 30])
def test_each_persons_mean_is_one_more_template(gallery, face, k):
    gallery.enrol([(f"P{i % 12}", face(i)) for i in range(45)] + [("Alone", face(99)), ("P1", face(7, negative=True))])
    probes = np.stack([face(i).vector for i in range(60)])
    found = gallery.index.search(probes, k, "nearest+mean")
    assert found.distances.shape == (60, k)
    for row, probe in enumerate(probes):
        wanted = expected(gallery, probe, k)
        np.testing.assert_allclose(found.distances[row, : len(wanted)], [d for d, _, _ in wanted], atol=1e-5)
        assert found.people[row, 0] == wanted[0][2]
        assert sorted(found.people[row, : len(wanted)]) == sorted(person for _, _, person in wanted)
        assert set(found.templates[row].tolist()) <= {-1, *gallery.vectors().templates.tolist()}
        assert (found.people[row, len(wanted) :] == -1).all()
        alone = gallery.index.search(probe[None], k, "nearest+mean")
        np.testing.assert_array_equal(alone.people[0], found.people[row])


def test_who_has_one_template_or_opposite_ones_has_no_mean(gallery, face):
    opposite = dataclasses.replace(face(2), vector=-face(1).vector)
    gallery.enrol([("One", face(3)), ("Two", face(1)), ("Two", opposite)])
    found = gallery.index.search(face(3).vector[None], 5, "nearest+mean")
    assert sorted(found.people[0].tolist()) == sorted([-1, -1, *gallery.vectors().people.tolist()])


def test_an_empty_gallery_has_no_means(gallery, face):
    found = gallery.index.search(face(1).vector[None], 2, "nearest+mean")
    assert found.people.tolist() == [[-1, -1]]
    assert np.isinf(found.distances).all()


def test_a_mean_changes_with_the_templates_whoever_changes_them(gallery: Gallery, face, reopen):
    gallery.add_templates("Ann", [face(1), face(2)])
    both = unit(face(1).vector + face(2).vector)
    assert gallery.index.search(both[None], 1, "nearest+mean").distances[0, 0] < 1e-3
    other = reopen()
    other.bind(gallery.contract)
    other.add_templates("Ann", [face(3)])
    three = unit(face(1).vector + face(2).vector + face(3).vector)
    assert gallery.index.search(three[None], 1, "nearest+mean").distances[0, 0] < 1e-3
    assert gallery.index.search(both[None], 1, "nearest+mean").distances[0, 0] > 0.01
    other.remove_templates([other.templates("Ann")[2].id])
    assert gallery.index.search(both[None], 1, "nearest+mean").distances[0, 0] < 1e-3
    other.remove("Ann")
    assert gallery.index.search(both[None], 1, "nearest+mean").people.tolist() == [[-1]]
