from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface import FaceRecognizer
from knownface.embedding import FunctionEmbedder, JoinedEmbedder, load_embedder
from knownface.embedding.joined import join_vectors, split_vectors
from knownface.errors import ContractMismatchError, FaceError, ModelError, UnknownModelError
from knownface.models import ModelStore
from knownface.types import Box, Embeddings, Face, Image

NAME = "sface-int8bq+dlib-resnet"


def _units(rng: np.random.Generator, count: int, dim: int) -> Embeddings:
    vectors = rng.normal(size=(count, dim))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.floats(0.01, 100)), min_size=2, max_size=4),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)
def test_squared_distances_are_the_weighted_mean_of_the_parts(
    parts: list[tuple[int, float]], count: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    dims, weights = [dim for dim, _ in parts], np.array([weight for _, weight in parts])
    a, b = ([_units(rng, count, dim) for dim in dims] for _ in range(2))
    joined_a, joined_b = join_vectors(a, weights), join_vectors(b, weights)
    assert joined_a.shape == (count, sum(dims))
    np.testing.assert_allclose(np.linalg.norm(joined_a, axis=1), 1, atol=1e-6)
    squares = [np.square(x - y).sum(axis=1) for x, y in zip(a, b, strict=True)]
    wanted = np.average(squares, axis=0, weights=weights)
    np.testing.assert_allclose(np.square(joined_a - joined_b).sum(axis=1), wanted, atol=1e-5)
    for part, back in zip(a, split_vectors(joined_a, dims), strict=True):
        np.testing.assert_allclose(back, part, atol=1e-6)


def _colours(crops: Image) -> Any:
    return crops.reshape(len(crops), -1, 3).mean(axis=1) + 1


def test_the_contract_is_made_of_the_parts(tmp_path: Path) -> None:
    made = [FunctionEmbedder(_colours, dim=3, crop="square", size=size, name=f"of-{size}") for size in (8, 16)]
    joined = JoinedEmbedder(made, [1, 3])
    assert (joined.contract.name, joined.contract.dim, joined.contract.crop) == ("of-8+of-16:3", 6, "square")
    assert not joined.contract.calibrated
    others = [JoinedEmbedder(made, [1, 2]), JoinedEmbedder(made[::-1], [3, 1]), JoinedEmbedder(made, [3, 9])]
    assert [joined.contract.fingerprint == other.contract.fingerprint for other in others] == [False, False, True]
    landmarks = np.full((5, 2), np.nan, dtype=np.float32)
    image = np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8)
    face = Face(Box(20, 20, 20, 20), landmarks, 1.0)
    crop = joined.crop(image, face)
    assert crop.shape == (16, 24, 3)
    for part, vectors in zip(made, split_vectors(joined.embed([crop]), [3, 3]), strict=True):
        np.testing.assert_allclose(vectors, part.embed([part.crop(image, face)]), atol=1e-6)
    aligning = FunctionEmbedder(_colours, dim=3, crop="aligned", size=8, name="aligning")
    with pytest.raises(FaceError, match="no landmarks"):
        JoinedEmbedder([made[0], aligning], [1, 1]).crop(image, face)


@pytest.fixture
def store(model_folder: Path, tmp_path: Path) -> ModelStore:
    if not (model_folder / "face_recognition_sface_2021dec_int8bq.onnx").is_file():
        pytest.skip("the models folder has no SFace")
    return ModelStore(model_folder, tmp_path / "cache")


def test_real_networks_joined_are_each_of_them_alone(photos: Any, store: ModelStore) -> None:
    joined = load_embedder(NAME, store, "cpu")
    assert joined.contract.name == f"{NAME}:2"
    assert joined.contract.calibrated
    assert joined.contract.licence == "Apache-2.0 (sface-int8bq), CC0-1.0 (dlib-resnet)"
    measured, derived = joined.contract.cohort, JoinedEmbedder(joined.parts, joined.weights).contract.cohort
    assert measured is not None
    assert derived is not None
    assert derived.deviation == pytest.approx(measured.deviation, rel=0.03)
    found = photos.of(people=2, each=1)
    vectors = joined.embed([joined.crop(image, face) for _, image, face in found])
    for name, part in zip(NAME.split("+"), split_vectors(vectors, [128, 128]), strict=True):
        alone = load_embedder(name, store, "cpu")
        wanted = alone.embed([alone.crop(image, face) for _, image, face in found])
        np.testing.assert_allclose(part, wanted, atol=1e-6)


@pytest.mark.slow
def test_a_gallery_is_opened_again_by_what_filled_it(
    store: ModelStore, face_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, other = sorted((face_data / "lfw62").iterdir())[:2]
    first, second = sorted(person.glob("*.jpg"))[:2]
    gallery, parts = tmp_path / "gallery.db", {"models": store.models, "cache": tmp_path / "cache", "detector": "auto"}
    with FaceRecognizer.open(gallery, embedder=f"{NAME}:3", **parts) as recognizer:
        recognizer.add_known_face("Known", first, faces="largest")
    with FaceRecognizer.open(gallery, **parts) as recognizer:
        assert recognizer.embedder.contract.name == f"{NAME}:3"
        assert recognizer.notes[0] == f"Embedder {NAME}:3, since it filled this gallery."
        assert recognizer.identify(second)[0].name == "Known"
        assert recognizer.identify(next(other.glob("*.jpg")))[0].name is None
    with pytest.raises(ContractMismatchError, match=rf"filled by {NAME}:3".replace("+", r"\+")) as caught:
        FaceRecognizer.open(gallery, embedder=NAME, **parts)
    assert f'embedder="{NAME}:3"' in caught.value.hint
    with pytest.raises(ModelError, match=r"aligns faces by five landmarks, which the detector dlib-hog"):
        FaceRecognizer.open(gallery, **{**parts, "detector": "dlib-hog"})


def test_a_part_that_is_unknown(store: ModelStore) -> None:
    with pytest.raises(UnknownModelError, match="sfac"):
        load_embedder("sfac+dlib-resnet", store)
