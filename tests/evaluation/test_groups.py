from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knownface.errors import InputError
from knownface.evaluation import FaceSet
from knownface.evaluation.embeddings import FoundFaces, Miss, Place
from knownface.evaluation.groups import by_group, read_groups
from knownface.evaluation.groups_page import group_sentences, groups_section
from knownface.evaluation.protocol import STRANGER, Evaluation, Sides, evaluate
from knownface.evaluation.report import Report, write_report
from knownface.types import Box

PEOPLE = [f"p{i}" for i in range(16)]


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def found(vectors: np.ndarray, people: list[str], prefix: str, misses: tuple[Miss, ...] = ()) -> FoundFaces:
    faces = FaceSet.of(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), people)
    named = replace(faces, sources=np.array([f"{prefix}{i}" for i in range(len(people))]))
    return FoundFaces(
        named, tuple(Place(Path(f"{prefix}{i}"), None, Box(0, 0, 1, 1)) for i in range(len(people))), misses
    )


@pytest.fixture
def twins() -> Evaluation:
    """Sixteen people with two pictures, the last eight alike two by two; four strangers, one of them like p0."""
    rng = np.random.default_rng(4)
    middles = np.eye(20)[:16]
    middles[9::2] = middles[8::2] + 0.25 * np.eye(20)[[16, 17, 18, 19]]
    sides = [found(middles + 0.02 * rng.normal(size=(16, 20)), PEOPLE, side) for side in "tv"]
    others = np.vstack([np.eye(20)[:1] + 0.05, -np.eye(20)[:3]])
    stranger = found(others, [f"{STRANGER}{name}" for name in ("Someone", "A", "B", "C")], "s")
    lost = Miss("p9", Path("x.jpg"), 2, "no face was found")
    return evaluate(Sides(sides[0], replace(sides[1], misses=(lost,)), stranger), fpir=0.5)


def test_every_group_has_its_rates_and_mistakes_are_counted_across(twins: Evaluation, tmp_path: Path) -> None:
    lines = [f"P{i},{'round' if i < 8 else 'square'},{20 + i}" for i in range(15)]
    told = read_groups(table(tmp_path / "groups.csv", "\n".join(["person,shape,age", *lines, "Someone,round,NA"])))
    results = by_group(twins, told)
    shape, age = results.attributes
    round_, square = shape.groups
    assert (round_.group, square.group, shape.untold) == ("round", "square", 1)
    assert round_.tpir is not None
    assert square.tpir is not None
    assert round_.fpir is not None
    assert square.fpir is not None
    assert (round_.tpir.value, round_.tpir.people) == (1.0, 8)
    assert 0 < round_.tpir.interval.low < 1
    assert (round_.fpir.people, square.fpir.people) == (9, 7)
    assert square.fpir.value == 1.0
    assert round_.fpir.value == pytest.approx(1 / 9)  # the stranger
    assert (round_.missed, square.missed) == (0, 2)
    assert shape.pairs.tolist() == [[56, 56], [56, 42]]
    assert shape.mistaken[1, 1] >= 6
    assert shape.mistaken.sum() == shape.mistaken[1, 1]
    assert [group.group for group in age.groups] == ["20 to 24", "25 to 29", "30 to 34"]
    first = group_sentences(results)[0]
    assert "“square” (100.0%, 7 people) get somebody else's name most often" in first
    assert f"“square” for “square”: {shape.mistaken[1, 1]} of 42 pairs" in first
    page = write_report(Report("x", "y", {}, [groups_section(results)]), tmp_path / "out").read_text(encoding="utf-8")
    assert "none was guessed from a face" in page
    assert "For those who decide about use" in page


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("person\nAnn\n", "no attribute"),
        ("person,group\nAnn,a\nann,b\n", "a person twice"),
        ("person,group\n,a\n", "no person"),
    ],
)
def test_a_file_of_groups_with_faults_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_groups(table(tmp_path / "groups.csv", text))


def test_columns_may_stand_in_any_order_and_cells_be_empty(tmp_path: Path) -> None:
    told = read_groups(table(tmp_path / "groups.csv", "site;name;age\nnorth;Ann;3\n;Bob;NA\n"))
    assert told == {"site": {"ann": "north"}, "age": {"ann": "3"}}
