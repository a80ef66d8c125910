from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knownface.errors import InputError, NoFaceError
from knownface.evaluation import DEFAULT_GRID, FaceSet
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import SplitOptions, read_dataset, read_strangers
from knownface.evaluation.embeddings import FoundFaces, Miss, Place, joined
from knownface.evaluation.protocol import (
    STRANGER,
    Sides,
    checked,
    embed_dataset,
    evaluate,
    split_frames,
    with_dropped,
)
from knownface.media import write_image
from knownface.types import Box

MakeFaces = Callable[..., FaceSet]


def found_of(faces: FaceSet, misses: Sequence[Miss] = (), *, video: bool = False, prefix: str = "") -> FoundFaces:
    sources = np.array([f"{prefix}{i}" for i in range(len(faces))], dtype=str)
    places = tuple(
        Place(Path(f"{prefix}{i}.jpg"), i / 10 if video else None, Box(0, 0, 9, 9)) for i in range(len(faces))
    )
    return FoundFaces(replace(faces, sources=sources), places, tuple(misses))


def sides_of(make_faces: MakeFaces, people: int = 6, strangers: int = 0, spread: float = 0.5) -> Sides:
    train = found_of(make_faces(people, 4, spread=spread, seed=1), prefix="t")
    val = found_of(make_faces(people, 3, spread=spread, seed=2), prefix="v")
    others = None
    if strangers:
        faces = make_faces(strangers, 1, first=100, seed=3)
        others = found_of(replace(faces, people=np.char.add(STRANGER, faces.people)), prefix="s")
    return Sides(train, val, others)


def test_strangers_leave_the_closed_set_alone(make_faces: MakeFaces) -> None:
    closed, opened = evaluate(sides_of(make_faces)), evaluate(sides_of(make_faces, strangers=30))
    for name in ("accuracy", "tp", "fp", "macro_f1"):
        np.testing.assert_array_equal(closed.table.rows[name], opened.table.rows[name])
    assert np.isnan(closed.table.rows["strangers_named_rate"]).all()
    assert not closed.points
    rate = opened.table.rows["strangers_named_rate"][opened.best]
    assert opened.strangers is not None
    assert rate == pytest.approx((opened.strangers.answers(opened.rule) >= 0).mean())
    assert [point.strangers for point in opened.points] == [30] * 4


def test_the_best_row_is_what_the_answers_give(make_faces: MakeFaces) -> None:
    found = evaluate(sides_of(make_faces, spread=1.2), criterion="macro_f1")
    row = found.table.row(found.best)
    assert row["accuracy"] == pytest.approx(found.report.accuracy)
    assert row["macro_f1"] == pytest.approx(found.report.macro.f1)
    assert row["macro_f1"] == found.table.column("macro_f1").max()
    assert row["tp"] + row["fn"] == len(found.searches)


def test_dropping_people_repeats_everything_without_them(make_faces: MakeFaces) -> None:
    found = evaluate(sides_of(make_faces, people=8, spread=1.6, strangers=5), fpir=1.0)
    bad = [score.person for score in found.report.people if score.f1 < 0.7]
    assert 0 < len(bad) < 8
    fewer, dropped = with_dropped(found, 0.7, DEFAULT_GRID)
    assert dropped == bad
    assert set(fewer.enrolled) == set(found.enrolled) - set(bad)
    same, nobody = with_dropped(found, 0.0, DEFAULT_GRID)
    assert same is found
    assert nobody == []
    named, both = with_dropped(found, 0.7, DEFAULT_GRID, ["p0"])
    assert both == sorted({"p0", *bad})
    assert "p0" not in named.enrolled
    with pytest.raises(InputError, match="would be left"):
        with_dropped(found, 1.1, DEFAULT_GRID)


def test_one_person_divides_nothing_by_zero(make_faces: MakeFaces) -> None:
    found = evaluate(sides_of(make_faces, people=1))
    assert found.report.accuracy == 1.0


def test_people_whose_train_pictures_show_no_face_are_left_out_and_told(make_faces: MakeFaces) -> None:
    sides = sides_of(make_faces, people=3)
    lost = sides.train.take(sides.train.faces.people != "p1")
    result = checked(Sides(lost, sides.val, None))
    assert set(result.val.faces.people.tolist()) == {"p0", "p2"}
    assert "p1" in result.notes[0]
    nothing = sides.train.take(np.zeros(len(sides.train), dtype=bool))
    with pytest.raises(NoFaceError, match="to enrol"):
        checked(Sides(nothing, sides.val, None))
    with pytest.raises(NoFaceError, match="to name"):
        checked(Sides(sides.train, nothing, None))


def test_copies_of_a_file_on_both_sides_are_told(make_faces: MakeFaces) -> None:
    sides = sides_of(make_faces)
    copied = replace(sides.val, faces=replace(sides.val.faces, sources=sides.train.faces.sources[: len(sides.val)]))
    assert "byte by byte" in " ".join(checked(Sides(sides.train, copied, None)).notes)


def test_frames_are_split_a_person_and_lose_nothing(make_faces: MakeFaces) -> None:
    misses = [Miss("p0", Path("a.mp4"), 3, "no face was found")]
    both = found_of(make_faces(4, 10), misses, video=True)
    train, val = split_frames(both, 1, 0.8)
    assert (len(train), len(val)) == (32, 8)
    assert sorted(np.unique(val.faces.people, return_counts=True)[1].tolist()) == [2, 2, 2, 2]
    assert train.missed + val.missed == 3
    assert len(joined(train, val)) == 40


def test_from_folders(toy_bench: Bench, toy_people: Callable[..., Path]) -> None:
    root, others = toy_people(3, 5), toy_people(4, 1, first=10, name="others")
    (root / "p0" / "val").mkdir()
    for path in sorted((root / "p0").glob("*.png")):
        path.rename(root / "p0" / "val" / path.name)
    write_image(root / "p1" / "blank.png", np.full((40, 40, 3), 128, dtype=np.uint8))
    ticks: list[tuple[str, int, int]] = []
    dataset = read_dataset(root, SplitOptions(seed=3))
    strangers, _ = read_strangers(others)
    sides = embed_dataset(dataset, strangers, toy_bench.reader, lambda *tick: ticks.append(tick))
    assert sides.strangers is not None
    assert set(sides.strangers.faces.people.tolist()) == {
        f"{STRANGER}{name}" for name in ("p0", "p10", "p11", "p12", "p13")
    }
    assert set(sides.train.faces.people.tolist()) == {"p1", "p2"}
    assert sides.train.missed + sides.val.missed == 1
    assert "counted apart" in " ".join(sides.notes)
    assert ticks[0][1] == 0
    for what in {tick[0] for tick in ticks}:
        last = [tick for tick in ticks if tick[0] == what][-1]
        assert last[1] == last[2]
    found = evaluate(sides)
    assert found.report.accuracy == 1.0
