"""Exact neighbours against a plain loop, with ties and hidden templates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.evaluation.neighbours import nearest_of_people, nearest_templates, with_rivals


def slow(templates: np.ndarray, probe: np.ndarray, hidden: np.ndarray, k: int) -> list[tuple[float, int]]:
    rows = [
        (float(np.float32(np.sqrt(((probe.astype(np.float64) - t) ** 2).sum()))), i)
        for i, t in enumerate(templates)
        if not hidden[i]
    ]
    return sorted(rows)[:k]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 12), st.booleans(), st.booleans())
def test_equals_a_plain_loop(seed: int, count: int, k: int, hide: bool, repeat: bool) -> None:
    rng = np.random.default_rng(seed)
    templates = rng.normal(size=(count, 8)).astype(np.float32)
    if repeat:  # many templates are one and the same
        templates = templates[rng.integers(0, max(1, count // 10), count)]
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    probes = templates[rng.integers(0, count, 5)]
    people = rng.integers(0, 4, count)
    groups = (rng.integers(0, 3, count), rng.integers(0, 3, 5))
    near = nearest_templates(templates, people, probes, k, hide=[groups] if hide else [])
    for i, probe in enumerate(probes):
        hidden = groups[0] == groups[1][i] if hide else np.zeros(count, dtype=bool)
        expected = slow(templates, probe, hidden, k)
        found = [(d, t) for d, t in zip(near.distances[i].tolist(), near.templates[i].tolist(), strict=True) if t >= 0]
        assert found == expected
        assert near.people[i, : len(expected)].tolist() == people[[t for _, t in expected]].tolist()


def test_a_thousand_equal_templates_come_in_order() -> None:
    templates = np.tile(np.array([[0.6, 0.8]], np.float32), (1000, 1))
    near = nearest_templates(templates, np.zeros(1000, np.int64), templates[:3], 5)
    assert near.templates.tolist() == [[0, 1, 2, 3, 4]] * 3


def test_blocks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    templates = rng.normal(size=(90, 6)).astype(np.float32)
    people = np.sort(rng.integers(0, 9, 90))
    people[:9] = np.arange(9)
    probes = rng.normal(size=(40, 6)).astype(np.float32)
    whole = nearest_templates(templates, people, probes, 4)
    persons = nearest_of_people(templates, people, probes)
    monkeypatch.setattr("knownface.evaluation.neighbours._BLOCK", 500)
    parts = nearest_templates(templates, people, probes, 4)
    np.testing.assert_array_equal(whole.templates, parts.templates)
    np.testing.assert_array_equal(whole.distances, parts.distances)
    np.testing.assert_allclose(persons, nearest_of_people(templates, people, probes))


def test_nearest_of_people_is_the_least_distance() -> None:
    rng = np.random.default_rng(1)
    templates = rng.normal(size=(30, 5)).astype(np.float32)
    people = np.r_[np.arange(6), rng.integers(0, 6, 24)]
    probes = rng.normal(size=(7, 5)).astype(np.float32)
    every = np.linalg.norm(probes[:, None].astype(float) - templates[None], axis=2)
    expected = np.stack([every[:, people == p].min(axis=1) for p in range(6)], axis=1)
    np.testing.assert_allclose(nearest_of_people(templates, people, probes), expected, atol=1e-7)


def test_rivals_only_where_one_person_is_alone() -> None:
    templates = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], np.float32)
    people = np.array([0, 0, 1, 1])
    probes = np.array([[1, 0], [0.7, 0.71414284]], np.float32)
    near = with_rivals(nearest_templates(templates, people, probes, 2), 2, templates, people, probes)
    assert near.templates[0].tolist() == [0, 1, 2]
    assert near.templates[1, 2] == -1
    lonely = with_rivals(nearest_templates(templates[:2], people[:2], probes, 2), 2, templates[:2], people[:2], probes)
    assert lonely.templates[:, 2].tolist() == [-1, -1]
