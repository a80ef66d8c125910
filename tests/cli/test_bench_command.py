from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import toy_plugin
from knownface.media import write_image

Run = Callable[..., object]

QUICK = ("--embedder", "dlib-resnet", "--size", "100", "--dim", "16", "--seconds", "0.01")
"""Detectors and embedders are measured in ``tests/bench``; here it is about what is shown and written."""


@pytest.mark.slow
def test_a_run_is_shown_written_and_compared(knownface: Run, alone: Path, toy_engine: None) -> None:
    write_image(alone / "photos" / "a.png", toy_plugin.picture(0, 0))
    ran = knownface("bench", "--data", "photos", *QUICK, "--json", "b.json")
    assert ran.status == 0
    for word in ("640 x 360", "dlib-resnet, batch 32", "exact, 100 x 16, one query", "photos", "processors used"):
        assert word in ran.out
    assert "times as fast" not in ran.out
    written = json.loads((alone / "b.json").read_text())
    assert {figure["group"] for figure in written["figures"]} == {"detection", "embedding", "search", "end to end"}
    again = knownface("bench", "--data", "photos", *QUICK, "--compare", "b.json")
    assert again.status == 0
    assert "times as fast" in again.out
    ratios = re.findall(r"(?:ms|a second) +\d+\.\d\d *$", again.out, re.MULTILINE)
    assert len(ratios) == len(written["figures"])


@pytest.mark.slow
def test_wrong_input(knownface: Run, alone: Path, toy_engine: None) -> None:
    assert knownface("bench", "--data", "nowhere").status == 2
    assert knownface("bench", "--compare", "none.json", *QUICK).status == 3
    (alone / "other.json").write_text("{}")
    ran = knownface("bench", "--compare", "other.json", *QUICK)
    assert (ran.status, "no result of this benchmark" in ran.err) == (3, True)
    assert knownface("bench", "--embedder", "nobody", "--seconds", "0.01").status == 5


@pytest.mark.slow
def test_quantize_refuses_what_it_cannot_do(knownface: Run, alone: Path) -> None:
    pytest.importorskip("onnx", reason="the extra `quantize` is not installed")
    assert knownface("models", "quantize", "nobody").status == 5
    assert knownface("models", "quantize", "sface").status == 5
    ran = knownface("models", "quantize", "dlib-resnet", "--to", "int8", "--detector", "dlib-hog")
    assert (ran.status, "--data" in ran.err) == (5, True)
