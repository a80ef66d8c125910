"""Thresholds estimated from the enrolled people alone, on made spaces and on real faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.decision.estimate import FEWEST_PEOPLE, estimate_threshold
from knownface.types import CohortSpread, Embeddings, Ids


def unit(vectors: np.ndarray) -> Embeddings:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def made_people(
    generator: np.random.Generator, count: int, per_person: int, dim: int, common: float
) -> tuple[Embeddings, Ids]:
    """People around a common direction, each with pictures around a direction of its own."""
    shared = np.zeros(dim)
    shared[0] = common * np.sqrt(dim)
    people = np.repeat(np.arange(count), per_person)
    centres = generator.normal(size=(count, dim)) + shared
    return unit(centres[people] + 0.6 * generator.normal(size=(len(people), dim))), people


@pytest.mark.parametrize("common", [0.0, 1.5])
@pytest.mark.parametrize("dim", [24, 128])
@pytest.mark.parametrize("count", [10, 50, 300])
def test_about_the_wanted_share_of_strangers_is_named(count, dim, common):
    generator = np.random.default_rng(count * dim)
    shares = []
    for _ in range(12):
        templates, people = made_people(generator, count, 3, dim, common)
        strangers, _ = made_people(generator, 1500, 1, dim, common)
        threshold = estimate_threshold(templates, people, 0.01)
        assert threshold is not None
        nearest = np.sqrt(2 - 2 * (strangers @ templates.T).max(axis=1))
        shares.append(float((nearest <= threshold).mean()))
    assert 0.0003 <= np.mean(shares) <= 0.02


def test_a_cohort_makes_up_for_few_people():
    generator = np.random.default_rng(7)
    others, _ = made_people(generator, 700, 1, 64, 0.5)
    cosines = (others @ others.T)[np.triu_indices(len(others), 1)].astype(np.float64)
    z = (cosines - cosines.mean()) / cosines.std()
    cohort = CohortSpread(float(cosines.std()), float((z**3).mean()))
    spread = {}
    for known in (None, cohort):
        estimates = []
        for _ in range(30):
            templates, people = made_people(generator, 5, 2, 64, 0.5)
            threshold = estimate_threshold(templates, people, 0.01, known)
            assert threshold is not None
            estimates.append(threshold)
        spread[known] = np.std(estimates)
    assert spread[cohort] < spread[None]


@given(st.integers(3, 30), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_estimate_is_a_distance_follows_the_rate_and_no_order(count, per_person, seed):
    generator = np.random.default_rng(seed)
    templates, people = made_people(generator, count, per_person, 16, 0.3)
    thresholds = [estimate_threshold(templates, people, rate) for rate in (0.001, 0.01, 0.1)]
    assert all(t is not None and 0 <= t <= 2 for t in thresholds)
    assert thresholds == sorted(thresholds)
    order = generator.permutation(len(people))
    assert estimate_threshold(templates[order], people[order], 0.01) == pytest.approx(thresholds[1], abs=1e-5)


def test_too_few_people_are_no_ground_for_an_estimate():
    templates, people = made_people(np.random.default_rng(1), FEWEST_PEOPLE - 1, 3, 16, 0.0)
    assert estimate_threshold(templates, people, 0.01) is None


@pytest.mark.slow
def test_many_templates_of_few_people_are_compared_in_blocks(monkeypatch):
    templates, people = made_people(np.random.default_rng(5), 4, 40, 16, 0.0)
    whole = estimate_threshold(templates, people, 0.01)
    monkeypatch.setattr("knownface.decision.estimate._BLOCK_COSINES", 700)
    assert estimate_threshold(templates, people, 0.01) == pytest.approx(whole, abs=1e-6)


def test_a_large_gallery_is_sampled_always_alike():
    templates, people = made_people(np.random.default_rng(3), 6000, 1, 32, 0.0)
    estimates = {estimate_threshold(templates, people, 0.01) for _ in range(2)}
    assert len(estimates) == 1
    strangers, _ = made_people(np.random.default_rng(4), 2000, 1, 32, 0.0)
    nearest = np.sqrt(2 - 2 * (strangers @ templates.T).max(axis=1))
    assert 0.001 <= (nearest <= estimates.pop()).mean() <= 0.03


@pytest.mark.slow
def test_real_strangers_are_named_as_often_as_wanted(face_data: Path, model_folder: Path, tmp_path: Path):
    from knownface.detection import YuNetDetector
    from knownface.embedding import load_embedder
    from knownface.media import read_image
    from knownface.models import ModelStore

    store = ModelStore(model_folder, tmp_path)
    embedder = load_embedder("mobilefacenet", store, threads=1)
    decision = store.entry("mobilefacenet").decision
    assert decision is not None
    detector = YuNetDetector(model_folder / "yunet_n_dynamic.onnx")

    def embedded(files: list[Path]) -> Embeddings:
        crops = []
        for file in files:
            image = read_image(file)
            crops += [embedder.crop(image, face) for face in detector.detect(image)[:1]]
        return embedder.embed(crops)

    files = sorted((face_data / "strangers").iterdir())
    templates, strangers = embedded(files[0:1500:15]), embedded(files[7:1500:5])
    threshold = estimate_threshold(templates, np.arange(len(templates)), 0.01, decision.cohort)
    assert threshold is not None
    nearest = np.sqrt(2 - 2 * (strangers @ templates.T).max(axis=1))
    assert (nearest <= threshold).mean() <= 0.03
    assert 0.9 < threshold < 1.2
