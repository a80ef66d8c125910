from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import CalibrationError, UnreadableError
from knownface.evaluation.attacks import (
    REAL,
    Presentations,
    equal_error_rate,
    kinds_of_folder,
    report,
    threshold_for,
)
from knownface.media import write_image

SCORES = st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=10, max_size=60)


def _shown(real: list[float], **attacks: list[float]) -> Presentations:
    kinds = {REAL: real, **attacks}
    scores = [score for values in kinds.values() for score in values]
    names = [kind for kind, values in kinds.items() for _ in values]
    return Presentations(np.array(scores), np.array(names, dtype=np.str_), (), {})


@given(SCORES, SCORES, SCORES, st.sampled_from([0.01, 0.05, 0.2, 0.5]))
def test_the_threshold_keeps_every_kind_within_the_rate_and_is_the_lowest_that_does(
    real: list[float], prints: list[float], screens: list[float], apcer: float
) -> None:
    shown = _shown([*real, 1.5], prints=prints, screens=screens)  # one face that always passes
    threshold = threshold_for(shown, apcer)
    assert max(rate.rate for rate in report(shown, threshold).apcer.values()) <= apcer
    if threshold > 0:
        lower = report(shown, np.nextafter(np.nextafter(threshold, -1), -1))
        assert max(rate.rate for rate in lower.apcer.values()) > apcer


def test_rates_and_the_worst_kind() -> None:
    shown = _shown([0.9] * 9 + [0.2], prints=[0.1] * 8 + [0.95] * 2, screens=[0.1] * 10)
    found = report(shown, 0.5)
    assert (found.bpcer.rate, found.worst, found.apcer["prints"].rate, found.apcer["screens"].rate) == (
        0.1,
        "prints",
        0.2,
        0.0,
    )
    assert 0.2 in found.apcer["prints"].interval
    assert found.apcer["screens"].interval.high == pytest.approx(1 - 0.05**0.1)


def test_the_equal_error_rate() -> None:
    assert equal_error_rate(np.array([0.6, 0.7, 0.8]), np.array([0.1, 0.2, 0.3]))[0] == 0
    assert equal_error_rate(np.array([0.1, 0.9]), np.array([0.0, 0.5]))[0] == pytest.approx(0.5)


def test_what_no_threshold_can_be_chosen_by() -> None:
    with pytest.raises(CalibrationError, match="5 faces of the kind 'prints' are too few"):
        threshold_for(_shown([0.9] * 20, prints=[0.1] * 5), 0.05)
    with pytest.raises(CalibrationError, match="every living face would be refused"):
        threshold_for(_shown([0.5] * 20, prints=[0.6] * 20), 0.05)
    with pytest.raises(CalibrationError, match="pictures of attacks"):
        report(_shown([0.9] * 20), 0.5)


def test_kinds_come_from_words_in_names_then_from_folders(tmp_path: Path) -> None:
    grey = np.full((4, 4, 3), 127, dtype=np.uint8)
    for name in ("a.png", "hand/b_PRINT.png", "hand/c.png", "fixed/deep/d.png"):
        write_image(tmp_path / name, grey)
    kinds = {path.stem[0]: kind for kind, path in kinds_of_folder(tmp_path, ("print", "mobile"))}
    assert kinds == {"a": "attack", "b": "print", "c": "hand", "d": "fixed"}
    (tmp_path / "none").mkdir()
    with pytest.raises(UnreadableError):
        kinds_of_folder(tmp_path / "none")
