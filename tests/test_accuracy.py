"""How often a stranger would get a name: who says so, and where it stops holding."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knownface.accuracy import Accuracy, AccuracyInForce, accuracy_in_force
from knownface.gallery import Gallery, GalleryCalibration, NewTemplate
from knownface.settings import load_settings
from knownface.types import DecisionRule, EmbedderContract

CONTRACT = EmbedderContract("net", 32, "aligned", "a" * 64, "MIT", DecisionRule(1, 3, 1.0), calibrated=True)
CALIBRATED = DecisionRule(5, 9, 0.8, 0.1)


@pytest.fixture
def gallery(alone: Path) -> Iterator[Gallery]:
    with Gallery.open(":memory:") as opened:
        opened.bind(CONTRACT)
        opened.add_templates("Ann", [NewTemplate(np.eye(32, dtype=np.float32)[0], "a.jpg", "a" * 64)])
        yield opened


def add_people(gallery: Gallery) -> None:
    vectors = np.random.default_rng(1).normal(size=(20, 32)).astype(np.float32)
    for person, vector in enumerate(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)):
        gallery.add_templates(f"Person {person}", [NewTemplate(vector, "b.jpg", f"{person:064x}")])


def known(gallery: Gallery, **set_by_user: Any) -> AccuracyInForce:
    settings = load_settings(**set_by_user)
    return accuracy_in_force(gallery.index.snapshot(), gallery.calibration, CONTRACT, settings)


def test_of_too_few_people_nothing_is_known(gallery: Gallery) -> None:
    found = known(gallery)
    assert found.at(0.3) == found.overall == Accuracy(None, "unknown")
    assert "is not known" in found.overall.sentence


def test_an_estimate_says_that_it_is_one(gallery: Gallery) -> None:
    add_people(gallery)
    found = known(gallery, fpir=0.02)
    assert found.overall.by == "estimated"
    assert found.overall.strangers_named == pytest.approx(0.02, rel=0.01)
    assert "only estimated" in found.overall.sentence
    shares = [found.at(distance).strangers_as_near for distance in (0.0, 0.2, 0.4, 0.8, 1.4, 2.0)]
    assert shares == sorted(shares, key=lambda share: share or 0)
    assert (shares[0], shares[-1]) == (1e-4, 1.0)
    claim = found.of_claim(0.4, 0.8)
    assert claim.by == "estimated"
    assert (
        1e-4 <= (claim.strangers_as_near or 0) <= (claim.strangers_named or 0) < (found.at(0.8).strangers_as_near or 0)
    )


def test_a_calibration_counts_as_long_as_it_holds(gallery: Gallery) -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    gallery.set_calibration(
        GalleryCalibration(CALIBRATED, CONTRACT.fingerprint, 0.01, 0.01, 0.95, 1, 1, 1, 1, "Told.", {}, day)
    )
    held = Accuracy(0.01, "calibrated", 0.95)
    assert known(gallery, scoring=CALIBRATED.scoring).overall == held
    assert "measured by a calibration (95% confidence)" in held.sentence
    assert known(gallery, threshold=0.7).overall == held
    assert known(gallery, threshold=0.9).overall.by == "unknown"
    assert known(gallery, margin=0.05).overall.by == "unknown"
    assert known(gallery, scoring="nearest").overall.by == "unknown"
    add_people(gallery)  # it is outgrown
    assert known(gallery).overall.by == "estimated"


def test_names_are_told_with_it_where_the_setting_asks(
    knownface: Any, enrolled_toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = ("people/Ben/one.png", "people/Zoë/one.png")
    (plain, *_) = json.loads(knownface("identify", *photos, "--json").out)
    assert "accuracy" not in plain
    monkeypatch.setenv("KNOWNFACE_SHOW_ACCURACY", "true")
    (told, *_) = json.loads(knownface("identify", *photos, "--json").out)
    assert {**plain, "accuracy": told["accuracy"]} == told
    assert set(told["accuracy"]) == {"strangers_as_near", "strangers_named", "by", "confidence"}
    assert knownface("identify", *photos, "--csv", "out.csv").status == 0
    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        (row, *_) = csv.DictReader(file)
    assert row["accuracy_by"] == told["accuracy"]["by"]
    assert "would pass" in knownface("verify", *photos).err
    ran = knownface("identify", *photos)
    assert "strangers" in ran.err
    assert "strangers as near" in ran.out
    assert "strangers" in knownface("sightings", "list").err
