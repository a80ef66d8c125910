"""How much nearer tracks are than pictures, and that promises hold of both."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.evaluation import FaceSet, calibrate, search
from knownface.evaluation.averaging import FEWEST_PEOPLE, nearer_by_averaging

NOISY = {"spread": 0.9, "dim": 24}


def tracks_of(faces: FaceSet) -> FaceSet:
    people = np.unique(faces.people)
    means = np.stack([faces.embeddings[faces.people == person].mean(axis=0) for person in people])
    return FaceSet.of(means / np.linalg.norm(means, axis=1, keepdims=True), people)


def test_it_is_known_from_few_pictures_what_many_bring(make_faces) -> None:
    found = [nearer_by_averaging(make_faces(60, each, **NOISY), "nearest+mean") for each in (2, 3, 12)]
    assert max(found) - min(found) < 0.03
    assert nearer_by_averaging(make_faces(60, 4, spread=0.01, dim=24), "nearest") == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("people", "each"), [(FEWEST_PEOPLE - 1, 4), (30, 1)])
def test_nothing_is_said_of_too_few(make_faces, people: int, each: int) -> None:
    assert nearer_by_averaging(make_faces(people, each), "nearest") is None
    strangers = make_faces(300, 1, first=100)
    assert "Nothing is promised of tracks" in calibrate(make_faces(people, each), strangers, fpir=0.05).sentence


def test_promises_are_kept_on_tracks_of_strangers(make_faces) -> None:
    gallery = make_faces(40, 4, seed=1, **NOISY)
    inside = 0
    for seed in range(10):
        known = make_faces(200, 1, first=1000 * seed + 100, seed=2, **NOISY)
        result = calibrate(gallery, known, fpir=0.05)
        others = tracks_of(make_faces(200, 8, first=1000 * seed + 500, seed=3, **NOISY))
        inside += (search(gallery, others).answers(result.rule) >= 0).mean() <= 0.05
        assert "holds of tracks" in result.sentence
    assert inside >= 9
