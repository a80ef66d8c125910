from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knownface.errors import InputError
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import SplitOptions
from knownface.evaluation.embeddings import FoundFaces
from knownface.evaluation.grid import Grid, threshold_range
from knownface.evaluation.report import Report, write_report
from knownface.evaluation.runs import EvaluateOptions
from knownface.research.altered import augment, background, degrade
from knownface.research.bars import Outcomes, OutcomesDisplay
from knownface.research.clips import clips_of, majority, video
from knownface.research.compare import ENTRIES, compare, entries_for
from knownface.research.growth import counts_up_to, growth
from knownface.research.one_video import one_video, split_in_order

GRID = Grid((1, 2), (2, 3), threshold_range(0.1, 1.4, 0.05))
OPTIONS = EvaluateOptions(grid=GRID)


def rows_of(report: Report, title: str) -> list[dict[str, object]]:
    table = next(section for section in report.sections if section.title == title).tables[0]
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_growth(toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path) -> None:
    report = growth(toy_bench, toy_people(7, 5), OPTIONS, draws=3, facts={"Command": "x"})
    rows = rows_of(report, "The result")
    assert [(row["people"], row["draws"]) for row in rows] == [(1, 3), (5, 3), (7, 1)]
    assert all(row["accuracy"] == row["precision"] == row["recall"] == 1.0 for row in rows)
    times = rows_of(report, "Loading time")
    assert [(row["people"], row["pictures"]) for row in times] == [(1, 4), (5, 20), (7, 28)]
    assert write_report(report, tmp_path / "out").is_file()


def test_numbers_of_people() -> None:
    assert counts_up_to(1) == [1]
    assert counts_up_to(50) == [1, 5, 10, 25, 50]
    assert counts_up_to(120) == [1, 5, 10, 25, 50, 100, 120]


@pytest.mark.slow
@pytest.mark.parametrize("experiment", [augment, degrade, background])
def test_altered_pictures(
    toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path, experiment: Callable[..., Report]
) -> None:
    ticks: list[tuple[str, int, int]] = []
    report = experiment(toy_bench, toy_people(3, 5), OPTIONS, tick=lambda *tick: ticks.append(tick))
    assert ticks[-1][1] == ticks[-1][2]
    assert write_report(report, tmp_path / "out").is_file()
    first = next(section for section in report.sections if section.tables)
    shares = [row for row in rows_of(report, first.title) if "right" in row]
    for row in shares:
        parts = [row[name] for name in ("right", "Unknown", "wrong name", "no face found")]
        assert sum(parts) == pytest.approx(1.0)  # type: ignore[arg-type]
    if shares:
        assert shares[0]["right"] == 1.0
        assert shares[0]["moved by (median)"] == 0.0


def test_altered_pictures_need_files_of_their_own(toy_bench: Bench, toy_people: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="files of their own"):
        degrade(toy_bench, toy_people(2, 2), EvaluateOptions(SplitOptions(by_frames=True)))


@pytest.mark.slow
def test_one_video_says_why_it_says_little(toy_bench: Bench, toy_video: Callable[..., None], tmp_path: Path) -> None:
    for person in range(3):
        toy_video(tmp_path / "set" / f"p{person}" / "1.mp4", person, 10)
        toy_video(tmp_path / "set" / f"p{person}" / "2.mp4", person, 4)
    report = one_video(toy_bench, tmp_path / "set", OPTIONS)
    rows = rows_of(report, "Three ways to split")
    assert [row["frames named"] for row in rows] == [6, 6, 12]
    assert rows[0]["accuracy"] == 1.0
    assert rows[0]["nearest own frame"] < rows[0]["nearest other person"]  # type: ignore[operator]
    assert "flatters" in report.sections[0].text
    assert [figure.name for section in report.sections for figure in section.figures] == ["nearest"]
    assert write_report(report, tmp_path / "out").is_file()


def test_one_video_of_one_person_and_of_none(toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path) -> None:
    report = one_video(toy_bench, toy_people(1, 4), OPTIONS)
    assert "there is nobody else" in report.headline
    with pytest.raises(InputError, match="two frames"):
        one_video(toy_bench, toy_people(2, 1, name="single"), OPTIONS)


@pytest.mark.slow
def test_video_decides_frames_and_clips(
    toy_bench: Bench, toy_video: Callable[..., None], toy_people: Callable[..., Path], tmp_path: Path
) -> None:
    for person in range(3):
        toy_video(tmp_path / "set" / f"p{person}" / "1.mp4", person, 4)
        toy_video(tmp_path / "set" / f"p{person}" / "2.mp4", person, 6)
    strangers = toy_people(4, 2, first=10, name="strangers")
    report = video(toy_bench, tmp_path / "set", EvaluateOptions(grid=GRID, strangers=strangers))
    rows = rows_of(report, "Frames and clips")
    assert [row["decisions"] for row in rows] == [18, 3, 3]
    assert all(row["right"] == 1.0 for row in rows)
    assert "4 strangers" in report.sections[-1].text
    assert write_report(report, tmp_path / "out").is_file()


def test_the_majority_prefers_names_and_then_nearness() -> None:
    clips = np.array([0, 0, 0, 1, 1, 2, 2])
    answers = np.array([-1, -1, 4, 1, 2, -1, -1])
    nearest = np.array([1, 1, 0.9, 0.7, 0.6, 1, 1], dtype=np.float32)
    assert majority(answers, nearest, clips).tolist() == [4, 2, -1]


def test_compare_runs_what_is_here_and_says_what_is_missing(
    toy_bench: Bench, toy_people: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_OFFLINE", "1")
    report = compare(toy_bench, toy_people(2, 2), OPTIONS)
    rows = {row["system"]: row for row in rows_of(report, "Side by side")}
    assert set(rows) == {entry.title for entry in ENTRIES}
    status = {row["system"]: str(row["status"]) for row in rows_of(report, "What was run, and what is missing")}
    for title in ("CLIP + FAISS", "FaceNet", "DeepFace", "VGG-Face", "ArcFace", "YOLO-Face", "MobileFaceNet (ours)"):
        assert rows[title]["accuracy"] is None
        assert not status[title].startswith("measured")
        assert "%" in str(rows[title]["published elsewhere, not measured here"])
    assert "knownface models get clip-vit-b32" in status["CLIP + FAISS"]
    assert status["dlib ResNet (ours, needs no download)"].startswith("measured")
    assert write_report(report, tmp_path / "out").is_file()


def test_unknown_names_are_told_like_the_rest(toy_bench: Bench, toy_people: Callable[..., Path]) -> None:
    assert [entry.embedder for entry in entries_for(["sface", "nobody", "sface"])] == ["sface", "nobody"]
    report = compare(toy_bench, toy_people(2, 2), OPTIONS, embedders=["nobody"])
    assert "None of these systems" in report.headline


def test_ties_are_told_as_ties(toy_bench: Bench, toy_people: Callable[..., Path]) -> None:
    # Toys are no faces: networks in 8 bits need not find them as like as with floats.
    bench = replace(toy_bench, settings=toy_bench.settings.model_copy(update={"int8": False}))
    report = compare(bench, toy_people(2, 2), OPTIONS, embedders=["dlib-resnet", "dlib-resnet-mirror"])
    found = {row["system"]: row["accuracy"] for row in rows_of(report, "Side by side")}
    assert len(set(found.values())) == 1
    assert "are equally good" in report.headline


def test_clips_are_videos_or_all_photos_of_a_person(toy_bench: Bench, found_clips: FoundFaces) -> None:
    clips = clips_of(found_clips)
    by_person = {person: set(clips[found_clips.faces.people == person].tolist()) for person in ("p0", "p1")}
    assert [len(by_person["p0"]), len(by_person["p1"])] == [2, 1]


@pytest.fixture
def found_clips(
    toy_bench: Bench, toy_video: Callable[..., None], toy_people: Callable[..., Path], tmp_path: Path
) -> FoundFaces:
    from knownface.evaluation.datasets import Sample

    toy_video(tmp_path / "a.mp4", 0, 3)
    toy_video(tmp_path / "b.mp4", 0, 5)
    photos = sorted((toy_people(1, 3, first=1) / "p1").iterdir())
    samples = [Sample("p0", tmp_path / "a.mp4"), Sample("p0", tmp_path / "b.mp4"), *(Sample("p1", p) for p in photos)]
    return toy_bench.reader.read(samples)


def test_frames_in_order_are_split_in_order(found_clips: FoundFaces) -> None:
    train, val = split_in_order(found_clips, 0.5)
    assert next(place.path.name for place in train.places if place.time is not None) == "a.mp4"
    assert {place.path.name for place in val.places if place.time is not None} == {"b.mp4"}
    assert len(train) + len(val) == len(found_clips)


def test_bars_of_every_kind() -> None:
    display = OutcomesDisplay(["a", "b"], [Outcomes(3, 1, 0, 0), Outcomes(0, 0, 0, 0)]).plot()
    assert len(display.ax_.patches) == 8
