from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from knownface.errors import InputError, MissingExtraError, OutputError, SettingsError
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import SplitOptions
from knownface.evaluation.grid import Grid, threshold_range
from knownface.evaluation.runs import GRID_FILE, EvaluateOptions, run_evaluation
from knownface.media import write_image

GRID = Grid((1, 2), (2, 3), threshold_range(0.1, 1.4, 0.05))


@pytest.fixture
def mixed_up(toy_people: Callable[..., Path]) -> Path:
    """Four people with ten pictures; half of p3's show p2."""
    root = toy_people(4, 10)
    for shot in range(5):
        (root / "p3" / f"{shot}.png").write_bytes((root / "p2" / f"{shot}.png").read_bytes() + b" ")
    return root


@pytest.mark.slow
def test_the_report_tells_everything(
    toy_bench: Bench, mixed_up: Path, toy_people: Callable[..., Path], tmp_path: Path
) -> None:
    strangers = toy_people(5, 1, first=20, name="strangers")
    options = EvaluateOptions(SplitOptions(train_share=0.5), strangers, GRID, drop_under=0.95, drop=("p0",))
    found, headline = run_evaluation(toy_bench, mixed_up, tmp_path / "out", options, {"Command": "knownface <x>"})
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert re.search(r"\d+ of 20 pictures of 4 people were named", headline)
    assert found.report.accuracy < 1.0
    for part in ("Who gets mixed up", "flatters", "plateau", "Person by person", "knownface &lt;x&gt;", "p3 (val)"):
        assert part in page
    rows = list(csv.DictReader((tmp_path / "out" / GRID_FILE).read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(GRID)
    assert list(rows[0])[:10] == ["k1", "k2", "threshold", "precision", "recall", "f1", "tp", "fp", "tn", "fn"]
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert told["data"]["best"]["accuracy"] == pytest.approx(found.report.accuracy)
    assert re.search(r"threshold \d\.\d\d, estimated from these 4 people for about 1 in 100 strangers", headline)
    assert told["data"]["in_force"]["found"]["source"] == "estimated"
    assert {"p0", "p3"} <= set(told["data"]["without_problem_people"]["people"])
    plots = {path.stem for path in (tmp_path / "out" / "plots").iterdir()}
    assert plots >= {"confusion", "roc", "det", "embeddings", "confusion-without", "grid-without"}
    assert "Who gets mixed up without them" in page


@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.slow
def test_few_people_and_no_strangers(
    toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path, people: int
) -> None:
    found, headline = run_evaluation(toy_bench, toy_people(people, 2), tmp_path / "out", EvaluateOptions(), {})
    assert found.report.accuracy == 1.0
    assert "nothing is known about false alarms" in headline
    assert "the usual one of the network" in headline


@pytest.mark.slow
def test_pictures_that_were_not_used_are_listed(
    toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path
) -> None:
    root = toy_people(2, 4)
    write_image(root / "p0" / "blank.png", np.full((40, 40, 3), 128, dtype=np.uint8))
    (root / "p1" / "broken.jpg").write_bytes(b"nothing")
    run_evaluation(toy_bench, root, tmp_path / "out", EvaluateOptions(grid=GRID), {})
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "blank.png" in page
    assert "broken.jpg" in page


def test_wishes_that_cannot_be_met_are_refused_before_any_work(
    toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path
) -> None:
    root = toy_people(2, 2)
    with pytest.raises(SettingsError, match="'luck' cannot tell"):
        run_evaluation(toy_bench, root, tmp_path / "out", EvaluateOptions(criterion="luck"), {})
    with pytest.raises(InputError, match="'p9'"):
        run_evaluation(toy_bench, root, tmp_path / "out", EvaluateOptions(drop=("p9",)), {})
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        run_evaluation(toy_bench, root, tmp_path / "file", EvaluateOptions(), {})
    assert toy_bench.reader.detector.seen == 0


def test_a_missing_part_is_told_before_any_work(
    toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jinja2" else found(name))
    with pytest.raises(MissingExtraError, match="jinja2"):
        run_evaluation(toy_bench, toy_people(2, 2), tmp_path / "out", EvaluateOptions(), {})
    assert toy_bench.reader.detector.seen == 0
