"""Which parameters a gallery is searched with: what the user set, the calibration, the embedder's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from knownface.deciding import rule_in_force
from knownface.gallery import Gallery, GalleryCalibration, NewTemplate
from knownface.settings import load_settings
from knownface.storage.schema import calibrations
from knownface.types import DecisionRule, EmbedderContract

OWN = DecisionRule(1, 3, 1.0)
CALIBRATED = DecisionRule(5, 9, 0.8, 0.1)
CONTRACT = EmbedderContract("net", 4, "aligned", "a" * 64, "MIT", OWN, calibrated=True)
UNCALIBRATED = replace(CONTRACT, calibrated=False)


@pytest.fixture
def gallery(alone: Path) -> Iterator[Gallery]:
    with Gallery.open(":memory:") as opened:
        opened.bind(CONTRACT)
        opened.add_templates("Ann", [NewTemplate(np.eye(4, dtype=np.float32)[0], "a.jpg", "a" * 64)])
        yield opened


def calibrate(gallery: Gallery) -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    gallery.set_calibration(
        GalleryCalibration(CALIBRATED, CONTRACT.fingerprint, 0.01, 0.01, 0.95, 1, 1, 1, 1, "Told.", {}, day)
    )


def test_a_measured_embedder_needs_no_word(gallery: Gallery) -> None:
    assert rule_in_force(gallery, CONTRACT, load_settings()) == (OWN, ())


def test_a_threshold_that_nobody_measured_is_told_in_one_line(gallery: Gallery) -> None:
    rule, notes = rule_in_force(gallery, UNCALIBRATED, load_settings())
    assert rule == OWN
    assert len(notes) == 1
    assert "uncalibrated" in notes[0]
    assert "knownface calibrate" in notes[0]
    assert "\n" not in notes[0]


@pytest.mark.parametrize("contract", [CONTRACT, UNCALIBRATED])
def test_the_calibration_is_used_and_told(gallery: Gallery, contract: EmbedderContract) -> None:
    calibrate(gallery)
    rule, notes = rule_in_force(gallery, contract, load_settings())
    assert rule == CALIBRATED
    assert len(notes) == 1
    assert notes[0].startswith("Calibrated on 2026-01-02")


def test_what_the_user_sets_wins(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    calibrate(gallery)
    rule, notes = rule_in_force(gallery, CONTRACT, load_settings(threshold=0.9))
    assert rule == DecisionRule(5, 9, 0.9, 0.1)
    assert "does not hold" in notes[0]
    monkeypatch.setenv("KNOWNFACE_MARGIN", "0")
    assert rule_in_force(gallery, CONTRACT, load_settings())[0] == DecisionRule(5, 9, 0.8, 0.0)


def test_a_calibration_of_another_embedder_is_told_and_not_used(gallery: Gallery) -> None:
    calibrate(gallery)
    other = replace(UNCALIBRATED, fingerprint="b" * 64)
    rule, notes = rule_in_force(gallery, other, load_settings())
    assert rule == OWN
    assert "another embedder" in notes[0]
    assert "uncalibrated" in notes[1]


def test_a_calibration_of_another_scoring_is_told_and_not_used(gallery: Gallery) -> None:
    calibrate(gallery)
    with gallery.database.writing() as connection:  # as earlier versions stored it
        connection.execute(update(calibrations).values(details="{}"))
    rule, notes = rule_in_force(gallery, CONTRACT, load_settings())
    assert rule == OWN
    assert "scoring nearest and is not used with nearest+mean" in notes[0]
    plain, notes = rule_in_force(gallery, CONTRACT, load_settings(scoring="nearest"))
    assert plain == replace(CALIBRATED, scoring="nearest")
    assert notes[0].startswith("Calibrated on 2026-01-02")


def test_an_embedder_may_have_a_threshold_of_its_own_for_the_plain_scoring(gallery: Gallery) -> None:
    both = replace(CONTRACT, nearest_threshold=1.1)
    assert rule_in_force(gallery, both, load_settings())[0].threshold == 1.0
    assert rule_in_force(gallery, both, load_settings(scoring="nearest"))[0] == DecisionRule(1, 3, 1.1, 0, "nearest")
