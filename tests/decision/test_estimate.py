"""Thresholds estimated from the enrolled people alone, on made spaces and on real faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.decision.estimate import FEWEST_PEOPLE, measure_spreads
from knownface.types import CohortSpread, Embeddings, Ids


def unit(vectors: np.ndarray) -> Embeddings:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def estimate(
    templates: Embeddings, people: Ids, fpir: float, cohort: CohortSpread | None = None, scoring: str = "nearest"
) -> float:
    spread = measure_spreads(templates, people)[scoring]
    return spread.threshold(fpir, spread.people, cohort)


def nearest_distances(probes: Embeddings, templates: Embeddings) -> np.ndarray:
    return np.sqrt(2 - 2 * (probes @ templates.T).max(axis=1))


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
        shares.append(float((nearest_distances(strangers, templates) <= estimate(templates, people, 0.01)).mean()))
        means = unit(np.add.reduceat(templates, np.arange(0, len(people), 3)))
        both = nearest_distances(strangers, np.concatenate([templates, means]))
        shares.append(float((both <= estimate(templates, people, 0.01, scoring="nearest+mean")).mean()))
    # Of few people in a space that nobody measured little is known, so little is risked.
    assert (0.0003 if count >= 50 else 0) <= np.mean(shares) <= 0.02


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
            estimates.append(estimate(templates, people, 0.01, known))
        spread[known] = np.std(estimates)
    assert spread[cohort] < spread[None]


@given(st.integers(3, 30), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_estimate_is_a_distance_follows_the_rate_and_no_order(count, per_person, seed):
    generator = np.random.default_rng(seed)
    templates, people = made_people(generator, count, per_person, 16, 0.3)
    thresholds = [estimate(templates, people, rate) for rate in (0.001, 0.01, 0.1)]
    assert all(0 <= t <= 2 for t in thresholds)
    assert thresholds == sorted(thresholds)
    order = generator.permutation(len(people))
    assert estimate(templates[order], people[order], 0.01) == pytest.approx(thresholds[1], abs=1e-5)


def test_too_few_people_are_no_ground_for_an_estimate():
    templates, people = made_people(np.random.default_rng(1), FEWEST_PEOPLE - 1, 3, 16, 0.0)
    assert measure_spreads(templates, people) == {}


@pytest.mark.slow
def test_many_templates_of_few_people_are_compared_in_blocks(monkeypatch):
    templates, people = made_people(np.random.default_rng(5), 4, 40, 16, 0.0)
    whole = estimate(templates, people, 0.01)
    monkeypatch.setattr("knownface.decision.scoring._BLOCK_COSINES", 700)
    assert estimate(templates, people, 0.01) == pytest.approx(whole, abs=1e-6)


def test_more_people_make_the_threshold_stricter_without_measuring_again():
    everybody, people = made_people(np.random.default_rng(3), 1500, 1, 128, 0.0)
    spread = measure_spreads(everybody[:400], people[:400])["nearest"]
    at_400, at_1500 = spread.threshold(0.01, 400), spread.threshold(0.01, 1500)
    assert at_1500 < at_400
    strangers, _ = made_people(np.random.default_rng(4), 3000, 1, 128, 0.0)
    assert 0.0005 <= (nearest_distances(strangers, everybody) <= at_1500).mean() <= 0.03


def test_the_share_of_known_people_who_are_named_is_that_of_the_rest_of_their_pictures():
    generator = np.random.default_rng(6)
    templates, people = made_people(generator, 60, 4, 64, 0.0)
    spreads = measure_spreads(templates, people)
    others = templates @ templates.T
    np.fill_diagonal(others, -1)
    own = np.where(people[:, None] == people, others, -1).max(axis=1)
    for distance in (0.7, 0.85, 1.0):
        seen = float((np.sqrt(2 - 2 * own) <= distance).mean())
        assert spreads["nearest"].named_share(distance) == pytest.approx(seen, abs=0.03)
    assert spreads["nearest+mean"].named_share(0.85) >= spreads["nearest"].named_share(0.85)
    assert measure_spreads(templates[::4], people[::4])["nearest"].named_share(1.0) is None


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
    threshold = estimate(templates, np.arange(len(templates)), 0.01, decision.cohort)
    assert (nearest_distances(strangers, templates) <= threshold).mean() <= 0.03
    assert 0.9 < threshold < 1.2
