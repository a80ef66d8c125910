from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import dlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_onnx import flatten_network

from knownface.embedding.base import FaceEmbedder
from knownface.embedding.dlib_resnet import DlibResNet, hog_rectangle
from knownface.embedding.load import load_embedder
from knownface.errors import ModelError
from knownface.models import ModelStore
from knownface.models.session import OnnxNetwork
from knownface.types import Box, Face

UNKNOWN = np.full((5, 2), np.nan, dtype=np.float32)


@pytest.fixture(scope="module")
def embedder() -> FaceEmbedder:
    return load_embedder("dlib-resnet", ModelStore(None, Path("/nonexistent")))


def _noise(n: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 255, (n, 150, 150, 3), dtype=np.uint8))


def test_unit_vectors_in_order(embedder: FaceEmbedder) -> None:
    crops = _noise(3)
    vectors = embedder.embed(crops)
    assert vectors.shape == (3, 128)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(embedder.embed(crops[2:]), vectors[2:])
    assert embedder.embed([]).shape == (0, 128)


def test_vectors_are_those_of_dlibs_own_network() -> None:
    """Galleries that were filled while dlib ran its network itself go on to be used."""
    network = dlib.face_recognition_model_v1(
        str(ModelStore(None, Path("/nonexistent")).files("dlib-resnet")["network"])
    )
    crops = _noise(3)
    theirs = np.array([network.compute_face_descriptor(crop) for crop in crops])
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    floats = load_embedder("dlib-resnet", ModelStore(None, Path("/nonexistent")), int8=False)
    assert np.abs(floats.embed(crops) - theirs).max() <= 1e-5


def test_a_mirrored_face_is_the_same_face(embedder: FaceEmbedder) -> None:
    mirroring = load_embedder("dlib-resnet-mirror", ModelStore(None, Path("/nonexistent")))
    assert mirroring.contract.fingerprint != embedder.contract.fingerprint
    crops = _noise(3)
    mirrored = [crop[:, ::-1] for crop in crops]
    made = mirroring.embed(crops)
    np.testing.assert_allclose(mirroring.embed(mirrored), made, atol=1e-6)
    halves = embedder.embed(crops) + embedder.embed(mirrored)
    np.testing.assert_allclose(made, halves / np.linalg.norm(halves, axis=1, keepdims=True), atol=1e-6)
    assert np.abs(embedder.embed(mirrored) - embedder.embed(crops)).max() > 0.01


def test_several_threads(embedder: FaceEmbedder) -> None:
    crops = _noise(2)
    expected = embedder.embed(crops)
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(embedder.embed(crops))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_crop_is_a_chip_wherever_the_face_is(embedder: FaceEmbedder) -> None:
    image = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    for box in (Box(40, 40, 50, 60), Box(-30, -30, 60, 60), Box(140, 100, 80, 80), Box(10, 10, 0.2, 0.2)):
        assert embedder.crop(image, Face(box, UNKNOWN, 1.0)).shape == (150, 150, 3)
    # A view that is not contiguous, as a slice of a picture is.
    assert embedder.crop(image[:, ::2], Face(Box(20, 40, 50, 60), UNKNOWN, 1.0)).shape == (150, 150, 3)


@given(x=st.integers(-50, 300), y=st.integers(-50, 300), side=st.integers(1, 400))
def test_a_square_box_is_dlibs_own(x: int, y: int, side: int) -> None:
    rectangle = hog_rectangle(Face(Box(x, y, side, side), UNKNOWN, 1.0))
    assert (rectangle.width(), rectangle.height()) == (side, side)
    # Half a pixel may be lost where the middle is no whole number.
    assert abs(rectangle.left() - x) <= 1
    assert abs(rectangle.top() - y) <= 1


def test_broken_files_are_named(tmp_path: Path) -> None:
    entry = ModelStore(None, tmp_path).entry("dlib-resnet")
    broken = tmp_path / "broken.dat"
    broken.write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"dlib cannot read .*broken\.dat"):
        DlibResNet(entry, OnnxNetwork(flatten_network(tmp_path / "f.onnx", ("n", 150, 150, 3))), broken)


def test_yunets_box_gives_what_dlibs_own_rectangle_gives(embedder: FaceEmbedder, photos: Any) -> None:
    hog = dlib.get_frontal_face_detector()
    by_box, by_points, by_hog, names = [], [], [], []
    for name, image, face in photos.of(people=4, each=2):
        found = [r for r in hog(image, 0) if r.contains(*(round(c) for c in face.box.center))]
        if not found:
            continue
        rectangle = found[0]
        own = Face(Box(rectangle.left(), rectangle.top(), rectangle.width(), rectangle.height()), UNKNOWN, 1.0)
        names.append(name)
        by_hog.append(embedder.crop(image, own))
        by_points.append(embedder.crop(image, face))
        by_box.append(embedder.crop(image, Face(face.box, UNKNOWN, 1.0)))
    assert len(names) >= 6
    reference = embedder.embed(by_hog)
    for mapped in (embedder.embed(by_points), embedder.embed(by_box)):
        assert np.median(np.linalg.norm(mapped - reference, axis=1)) < 0.06
        people = np.array(names)
        same = (people[:, None] == people[None]) & ~np.eye(len(people), dtype=bool)
        distances = np.linalg.norm(mapped[:, None] - mapped[None], axis=2)
        assert distances[same].max() < 0.42
        assert distances[people[:, None] != people[None]].min() > 0.36
