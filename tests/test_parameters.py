"""Which parameters a gallery is searched with: set by the user, calibrated, estimated, or the embedder's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from knownface.gallery import Gallery, GalleryCalibration, NewTemplate
from knownface.gallery.changes import note_people_change
from knownface.parameters import notes_on, rate_text, rule_in_force
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


def in_force(gallery: Gallery, contract: EmbedderContract, **set_by_user: Any) -> tuple[DecisionRule, str, list[str]]:
    settings, snapshot = load_settings(**set_by_user), gallery.index.snapshot()
    found = rule_in_force(snapshot, contract, settings)
    return found.rule, found.source, list(notes_on(snapshot, gallery.calibration, contract, settings))


def add_people(gallery: Gallery, count: int, *, shots: int = 1, spread: float = 0.3) -> None:
    generator = np.random.default_rng(1)
    for person in range(count):
        centre = generator.normal(size=4)
        for shot in range(shots):
            vector = centre + spread * generator.normal(size=4)
            vector /= np.linalg.norm(vector)
            new = NewTemplate(vector.astype(np.float32), "b.jpg", f"{person:032x}{shot:032x}")
            gallery.add_templates(f"Person {person}", [new])


def calibrate(gallery: Gallery) -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    gallery.set_calibration(
        GalleryCalibration(CALIBRATED, CONTRACT.fingerprint, 0.01, 0.01, 0.95, 1, 1, 1, 1, "Told.", {}, day)
    )


def test_of_too_few_people_the_usual_threshold_is_told(gallery: Gallery) -> None:
    rule, source, [note] = in_force(gallery, CONTRACT)
    assert (rule, source) == (OWN, "embedder")
    assert note.startswith("Unknown is set by the usual threshold of net, 1;")
    rule, source, [note] = in_force(gallery, UNCALIBRATED)
    assert (rule, source) == (OWN, "embedder")
    assert "uncalibrated" in note
    assert "knownface calibrate" in note


def test_from_three_people_on_the_threshold_is_estimated_and_follows_them(gallery: Gallery) -> None:
    add_people(gallery, 2)
    rule, source, [note] = in_force(gallery, CONTRACT)
    assert source == "estimated"
    assert note == (
        "Unknown is set for about 1 in 100 strangers, estimated from your 3 people "
        "(not promised: `knownface calibrate`)."
    )
    assert (rule.k1, rule.k2) == (OWN.k1, OWN.k2)
    laxer, _, [told] = in_force(gallery, CONTRACT, fpir=0.2)
    assert laxer.threshold > rule.threshold
    assert "about 1 in 5 strangers" in told
    gallery.remove("Person 1")
    assert in_force(gallery, CONTRACT)[1] == "embedder"
    assert in_force(gallery, replace(CONTRACT, fingerprint="b" * 64))[1] == "embedder"


def test_people_who_cannot_be_told_apart_stay_unnamed_and_that_is_told(gallery: Gallery) -> None:
    add_people(gallery, 12, shots=2, spread=3.0)
    rule, _, notes = in_force(gallery, CONTRACT)
    assert rule.threshold < 0.3
    assert "does not keep your people apart" in notes[1]


@pytest.mark.parametrize("contract", [CONTRACT, UNCALIBRATED])
def test_the_calibration_is_used_and_told(gallery: Gallery, contract: EmbedderContract) -> None:
    add_people(gallery, 4)
    calibrate(gallery)
    rule, source, notes = in_force(gallery, contract)
    assert (rule, source) == (CALIBRATED, "calibrated")
    assert notes[0].startswith("Calibrated on 2026-01-02")
    gallery.set_calibration(None)
    assert in_force(gallery, contract)[1] == "estimated"


def test_what_the_user_sets_wins(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    add_people(gallery, 4)
    rule, source, [note] = in_force(gallery, CONTRACT, threshold=0.9)
    assert (rule.threshold, source) == (0.9, "set")
    assert "which you gave" in note
    calibrate(gallery)
    rule, source, notes = in_force(gallery, CONTRACT, threshold=0.9)
    assert (rule, source) == (DecisionRule(5, 9, 0.9, 0.1), "set")
    assert "does not hold" in notes[0]
    monkeypatch.setenv("KNOWNFACE_MARGIN", "0")
    assert in_force(gallery, CONTRACT)[0] == DecisionRule(5, 9, 0.8, 0.0)


def test_a_calibration_of_another_embedder_is_told_and_not_used(gallery: Gallery) -> None:
    calibrate(gallery)
    rule, _, notes = in_force(gallery, replace(UNCALIBRATED, fingerprint="b" * 64))
    assert rule == OWN
    assert "another embedder" in notes[0]
    assert "uncalibrated" in notes[1]


@pytest.mark.parametrize(
    ("rate", "told"),
    [(0.01, "about 1 in 100"), (0.003, "about 1 in 333"), (0.03, "about 1 in 33"), (0.8, "about 80 % of")],
)
def test_rates_are_told_in_words(rate: float, told: str) -> None:
    assert rate_text(rate) == told


def test_a_calibration_of_another_scoring_is_told_and_not_used(gallery: Gallery) -> None:
    calibrate(gallery)
    with gallery.database.writing() as connection:  # as earlier versions stored it
        connection.execute(update(calibrations).values(details="{}"))
        note_people_change(connection)
    rule, _, notes = in_force(gallery, CONTRACT)
    assert rule == OWN
    assert "scoring nearest and is not used with nearest+mean" in notes[0]
    plain, source, notes = in_force(gallery, CONTRACT, scoring="nearest")
    assert (plain, source) == (replace(CALIBRATED, scoring="nearest"), "calibrated")
    assert notes[0].startswith("Calibrated on 2026-01-02")


def test_an_embedder_may_have_a_threshold_of_its_own_for_the_plain_scoring(gallery: Gallery) -> None:
    both = replace(CONTRACT, nearest_threshold=1.1)
    assert in_force(gallery, both)[0].threshold == 1.0
    assert in_force(gallery, both, scoring="nearest")[0] == DecisionRule(1, 3, 1.1, 0, "nearest")
