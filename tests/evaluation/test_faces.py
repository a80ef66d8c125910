"""Sets of faces, and which searches are mated."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.decision import NOBODY
from knownface.errors import InputError
from knownface.evaluation import FaceSet, search, search_without_own_person, search_without_own_source
from knownface.types import DecisionRule

EYE = np.eye(4, dtype=np.float32)


def test_of_converts_lists_and_makes_each_face_a_source() -> None:
    faces = FaceSet.of(EYE.tolist(), ["a", "b", "b", "c"])
    assert faces.embeddings.dtype == np.float32
    assert faces.sources.tolist() == [0, 1, 2, 3]
    assert len(faces.take(faces.people == "b")) == 2


@pytest.mark.parametrize(
    ("vectors", "people", "sources", "sentence"),
    [
        (EYE[0], ["a"], None, "shape"),
        (2 * EYE, list("abcd"), None, "unit vectors"),
        (np.full((1, 4), np.nan), ["a"], None, "unit vectors"),
        (EYE, ["a"], None, "one person label"),
        (EYE, list("abcd"), [1], "one source label"),
        (EYE, [0.5] * 4, None, "whole number or a string"),
    ],
)
def test_of_refuses(vectors: np.ndarray, people: list[str], sources: list[int] | None, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        FaceSet.of(vectors, people, sources)


def test_codes_follow_the_order_of_labels_and_strangers_come_after() -> None:
    gallery = FaceSet.of(EYE[:3], [30, 10, 20])
    searches = search(gallery, FaceSet.of(EYE, [30, 5, 20, 99]), k=2)
    assert searches.labels == ("10", "20", "30", "5", "99")
    assert searches.enrolled == 3
    assert searches.people.tolist() == [2, 3, 1, 4]
    assert searches.truth.tolist() == [2, NOBODY, 1, NOBODY]
    assert searches.neighbours.people[0, 0] == 2
    assert searches.neighbours.templates[0, 0] == 0


def test_numbers_and_names_are_not_mixed() -> None:
    with pytest.raises(InputError, match="numbers in one set"):
        search(FaceSet.of(EYE, list("abcd")), FaceSet.of(EYE, [1, 2, 3, 4]))


def test_two_networks_are_not_compared() -> None:
    with pytest.raises(InputError, match="4 numbers each"):
        search(FaceSet.of(EYE, list("abcd")), FaceSet.of(np.eye(5), list("abcde")))


def test_an_empty_gallery_is_refused_and_no_probe_is_fine() -> None:
    nobody = FaceSet.of(np.empty((0, 4)), [])
    with pytest.raises(InputError, match="no template"):
        search(nobody, FaceSet.of(EYE, list("abcd")))
    assert len(search(FaceSet.of(EYE, list("abcd")), nobody)) == 0


def test_own_source_is_hidden_and_a_single_source_is_not_mated() -> None:
    # a has two files, the first with two faces; b has one file.
    faces = FaceSet.of(EYE, ["a", "a", "a", "b"], [1, 1, 2, 3])
    searches = search_without_own_source(faces, k=3, scoring="nearest")
    assert searches.mated.tolist() == [True, True, True, False]
    seen = [sorted(row[row >= 0].tolist()) for row in searches.neighbours.templates[:, :3]]
    assert seen == [[2, 3], [2, 3], [0, 1, 3], [0, 1, 2]]


def test_own_person_is_hidden_and_so_is_a_shared_file() -> None:
    faces = FaceSet.of(EYE, ["a", "a", "b", "c"], [1, 2, 2, 3])
    searches = search_without_own_person(faces, k=4, scoring="nearest")
    assert not searches.mated.any()
    seen = [sorted(row[row >= 0].tolist()) for row in searches.neighbours.templates[:, :4]]
    assert seen == [[2, 3], [3], [0, 3], [0, 1, 2]]


def test_the_margin_sees_a_rival_beyond_the_neighbours() -> None:
    # All neighbours are a's; b is not much farther.
    angles = np.array([0.0, 0.01, 0.02, 0.03])
    gallery = FaceSet.of(np.stack([np.cos(angles), np.sin(angles)], axis=1), ["a", "a", "a", "b"])
    searches = search(gallery, FaceSet.of([[1.0, 0.0]], ["a"]), k=3)
    assert searches.answers(DecisionRule(1, 2, 1.0, margin=0.02)).tolist() == [0]
    assert searches.answers(DecisionRule(1, 2, 1.0, margin=0.04)).tolist() == [NOBODY]
