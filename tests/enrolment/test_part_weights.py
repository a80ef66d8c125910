"""Weights of joined networks, learnt from a gallery and put in place without its files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_plugin
from knownface import FaceRecognizer
from knownface.gallery import Gallery
from knownface.types import Embeddings

NAME = "toy+toy-coarse"


@pytest.fixture
def joined_people(alone: Path, toy_engine: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KNOWNFACE_EMBEDDER", "auto")
    people = toy_plugin.people(alone / "people", 4, 3)
    with FaceRecognizer.open(embedder=f"{NAME}:5") as recognizer:
        recognizer.load_known_faces(people)
    return people


def _vectors(gallery: str | Path) -> tuple[str, Embeddings]:
    with Gallery.open(gallery) as opened:
        assert opened.contract is not None
        return opened.contract.name, opened.vectors().embeddings


def test_weights_are_learnt_without_the_files_and_can_be_taken_back(
    joined_people: Path, knownface: Callable[..., Any], tmp_path: Path
) -> None:
    gallery = os.environ["KNOWNFACE_GALLERY"]
    before = _vectors(gallery)
    kept = joined_people.rename(tmp_path / "kept")
    ran = knownface("gallery", "migrate", "--learn-weights")
    assert ran.status == 0
    assert "with weights learnt from 4 people" in ran.err
    name, vectors = _vectors(gallery)
    assert name.startswith(f"{NAME}:")
    assert name != f"{NAME}:5"
    shutil.copytree(kept, joined_people)
    with FaceRecognizer.open(tmp_path / "anew.db", embedder=name) as anew:
        anew.load_known_faces(joined_people)
    np.testing.assert_allclose(vectors, _vectors(tmp_path / "anew.db")[1], atol=1e-6)
    assert knownface("identify", joined_people / "p1" / "0.png").status == 0
    shutil.rmtree(joined_people)
    assert knownface("gallery", "migrate", "--embedder", f"{NAME}:5").status == 0
    assert _vectors(gallery)[0] == before[0]
    np.testing.assert_array_equal(_vectors(gallery)[1], before[1])


def test_one_network_has_no_weights(enrolled_toys: Path, knownface: Callable[..., Any]) -> None:
    ran = knownface("gallery", "migrate", "--learn-weights")
    assert ran.status == 5
    assert "was filled by toy, which is one network: it has no weights" in ran.err
