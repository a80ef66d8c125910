from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.evaluation.displays import ErrorRejectDisplay
from knownface.evaluation.quality_errors import check_limits, reject_curve, reject_curves
from knownface.quality import FaceQuality, QualityLimits

GOOD = FaceQuality(size=100, sharpness=0.2, brightness=0.5, contrast=0.2, turn=0.1, cut_off=0, detector_score=0.9)


def test_refusing_the_poorest_lowers_the_errors_of_the_rest_if_the_measurement_foretells_them() -> None:
    missed = np.array([True, False, True, False, False])
    curve = reject_curve("x", np.array([0.1, 0.9, 0.2, 0.8, 0.7]), missed)
    assert curve.rejected.tolist() == [0, 0.2, 0.4, 0.6, 0.8]
    assert curve.errors.tolist() == [0.4, 0.25, 0, 0, 0]
    assert (curve.at(0.1), curve.at(0.4)) == (0.4, 0.0)
    backwards = reject_curve("x", np.array([0.9, 0.1, 0.8, 0.2, 0.3]), missed)
    assert backwards.errors.tolist() == pytest.approx([0.4, 0.5, 2 / 3, 1.0, 1.0])
    unknown = reject_curve("x", np.array([np.nan, 0.9, 0.2, 0.8, 0.7]), missed)
    assert unknown.errors.tolist() == [0.4, 0.25, 0, 0, 0]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_no_measurement_beats_the_best_possible(pairs: list[tuple[float, bool]]) -> None:
    qualities = [replace(GOOD, sharpness=value) for value, _ in pairs]
    curves = reject_curves(qualities, np.array([miss for _, miss in pairs]))
    best = curves[0].errors
    assert {curve.measurement for curve in curves} >= {"best possible", "sharpness", "score of all"}
    for curve in curves:
        assert (curve.errors >= best - 1e-12).all()
        assert curve.errors[0] == best[0]


def test_limits_are_checked_by_the_mistakes_of_what_they_refuse() -> None:
    dark, small = replace(GOOD, brightness=0.01), replace(GOOD, size=10)
    found = check_limits([GOOD, dark, dark, small], np.array([False, True, False, True]), QualityLimits())
    assert [(one.code, one.pictures, one.missed) for one in found] == [("too-dark", 2, 1), ("too-small", 1, 1)]
    assert check_limits([GOOD], np.array([True])) == []


def test_measurements_that_nobody_made_are_left_out() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is the extra `evaluation`")
    curves = reject_curves([replace(GOOD, turn=float("nan"))] * 3, np.array([True, False, False]))
    assert "frontality" not in {curve.measurement for curve in curves}
    display = ErrorRejectDisplay(curves).plot()
    assert len(display.ax_.lines) == len(curves)
