from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knownface.evaluation import FaceSet
from knownface.evaluation.embeddings import FoundFaces, Miss, Place
from knownface.evaluation.grid import Grid, threshold_range
from knownface.evaluation.page_parts import (
    counts_of,
    edge_notes,
    headline,
    misses_table,
    person_sentences,
    plateau_text,
    unknown_sentence,
    unrestricted_text,
)
from knownface.evaluation.protocol import Evaluation, Sides, evaluate
from knownface.types import Box

GRID = Grid((1,), (2,), threshold_range(0.2, 1.2, 0.1))


def found(vectors: list[list[float]], people: list[str], prefix: str) -> FoundFaces:
    array = np.array(vectors, dtype=np.float32)
    faces = FaceSet.of(array / np.linalg.norm(array, axis=1, keepdims=True), people)
    named = replace(faces, sources=np.array([f"{prefix}{i}" for i in range(len(people))]))
    return FoundFaces(named, tuple(Place(Path(f"{prefix}{i}"), None, Box(0, 0, 1, 1)) for i in range(len(people))), ())


@pytest.fixture
def mixed() -> Evaluation:
    """Ann is right twice, Bob is taken for Ann, Cy is far from all, Dee has no probe; a stranger is near Ann."""
    train = found([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]], ["Ann", "Bob", "Cy", "Dee"], "t")
    val = found([[1, 0.1, 0], [1, 0, 0.1], [1, 0.3, 0], [-0.2, -1, -0.2]], ["Ann", "Ann", "Bob", "Cy"], "v")
    strangers = found([[1, 0.2, 0.1], [-0.1, -1, -0.5]], ["stranger: X", "stranger: Y"], "s")
    return evaluate(Sides(train, val, strangers), GRID, "unknown_rate", fpir=1.0)


def test_every_person_gets_a_sentence(mixed: Evaluation) -> None:
    ann, bob, cy, dee = person_sentences(mixed)
    assert ann == "All 2 pictures were named rightly. 1 picture of others got this name."
    assert bob == "0 of 1 right; 1 taken for Ann."
    assert cy == "0 of 1 right; 1 called Unknown."
    assert dee == "No picture was left to be named."


def test_unknown_and_the_headline(mixed: Evaluation) -> None:
    assert counts_of(mixed) == (2, 1, 1)
    assert unknown_sentence(mixed) == (
        "1 picture of enrolled people was called Unknown. Of 2 pictures of strangers 1 were rightly called Unknown and "
        "1 got a name: Ann (1)."
    )
    assert headline(mixed).startswith("2 of 4 pictures of 4 people were named rightly (50.0%); 1 got somebody else's")
    assert "Of 2 pictures of strangers 1 got a name (50.0%); at most 100.0% may." in headline(mixed)


def test_the_best_row_keeps_to_the_strangers_allowed_and_the_rest_is_a_footnote(mixed: Evaluation) -> None:
    free = evaluate(mixed.sides, GRID, "unknown_rate", fpir=1.0)
    held = evaluate(mixed.sides, GRID, "unknown_rate", fpir=0.01)
    assert free.table.row(free.best)["strangers_named_rate"] == 0.5
    assert held.table.row(held.best)["strangers_named_rate"] == 0.0
    assert "0 got a name (0.0%); at most 1.0% may." in headline(held)
    assert "50.0% of the strangers get a name as well" in unrestricted_text(held)
    assert "best of all rows too" in unrestricted_text(free)
    lax = evaluate(mixed.sides, Grid((1,), (2,), threshold_range(0.5, 1.2, 0.1)), fpir=0.01)
    assert "names the fewest, 50.0%" in unrestricted_text(lax)


def test_the_ends_of_the_grid_are_told(mixed: Evaluation) -> None:
    assert edge_notes(mixed) == []
    easy = evaluate(Sides(mixed.sides.train, mixed.sides.train, None), GRID)
    assert "smallest that was tried (0.20)" in edge_notes(easy)[0]
    assert "0.20" in plateau_text(easy.table)
    assert "no plateau yet" in plateau_text(
        evaluate(mixed.sides, Grid((1,), (2,), threshold_range(0.1, 0.3, 0.1))).table
    )


def test_misses_without_names_of_strangers() -> None:
    nothing = found([[1.0, 0.0]], ["a"], "x")
    assert misses_table([nothing, None]) is None
    table = misses_table([replace(nothing, misses=(Miss("stranger: X", Path("f.jpg"), 2, "no face was found"),))])
    assert table is not None
    assert list(table.rows[0]) == ["f.jpg", "X", 2, "no face was found"]
