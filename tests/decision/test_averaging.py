"""Distances of means are counted as those of single pictures."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.decision.averaging import FEWEST_PEOPLE, measure_averaging, part_left


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def pictures(people: int, each: int, seed: int = 0) -> np.ndarray:
    """Shape (people, each, 96): in a space in which averaging takes much away."""
    generator = np.random.default_rng(seed)
    middles, noise = generator.normal(size=(people, 1, 96)), generator.normal(size=(people, each, 96))
    return unit(2.0 + middles + 0.6 * noise)


def measured(of_people: np.ndarray) -> dict[str, float]:
    people, each, dim = of_people.shape
    return measure_averaging(of_people.reshape(-1, dim), np.repeat(np.arange(people), each))


def test_it_is_the_same_for_few_pictures_and_for_many() -> None:
    found = [measured(pictures(60, each))["nearest+mean"] for each in (2, 3, 8)]
    assert min(found) > 1
    assert max(found) < 1.1 * min(found)


@pytest.mark.parametrize(("people", "each"), [(FEWEST_PEOPLE - 1, 4), (30, 1)])
def test_nothing_is_said_of_too_few(people: int, each: int) -> None:
    assert measured(pictures(people, each)) == {}


def test_equal_pictures_say_nothing_and_single_ones_count_as_they_are() -> None:
    assert measured(np.repeat(pictures(20, 1), 3, axis=1)) == {}
    assert part_left([1.0, 1.0], 4.3).tolist() == [1, 1]
    left = part_left(np.linspace(1, 0, 20), 1.15)
    assert (np.diff(left) <= 0).all()
    assert left.min() == 0.5


@pytest.mark.parametrize("each", [2, 8])
def test_one_threshold_names_as_many_strangers_by_means_as_by_pictures(each: int) -> None:
    gallery, strangers = pictures(60, 4), pictures(1500, each, seed=1)
    means = strangers.mean(axis=1)
    singles, averaged = (
        np.sqrt(2 - 2 * (probes @ gallery.reshape(-1, 96).T).max(axis=1)) for probes in (strangers[:, 0], unit(means))
    )
    counted = averaged / part_left(np.linalg.norm(means, axis=1), measured(gallery)["nearest"])
    threshold = np.quantile(singles, 0.02)
    assert (averaged <= threshold).mean() > 0.04
    assert 0.005 < (counted <= threshold).mean() < 0.03
