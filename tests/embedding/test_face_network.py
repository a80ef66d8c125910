from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_onnx import flatten_network

from knownface.embedding.crops import crop_face
from knownface.embedding.face_network import FaceNetwork
from knownface.embedding.load import load_embedder
from knownface.errors import FaceError
from knownface.models import ModelStore
from knownface.models.contract import InputContract
from knownface.models.entry import DecisionDefaults, ModelEntry, WeightFile
from knownface.models.feeding import to_tensor
from knownface.models.session import OnnxNetwork
from knownface.types import Box, Face

UNKNOWN = np.full((5, 2), np.nan, dtype=np.float32)


def _entry(**changes: Any) -> ModelEntry:
    contract = {"crop": "square", "size": 8, "dim": 192, "crop_factor": 1.0, **changes}
    return ModelEntry(
        name="tiny",
        task="embedder",
        kind="face-network",
        title="Tiny",
        licence="none",
        files=(WeightFile(names=("tiny.onnx",), sha256="0" * 64),),
        input=InputContract(**contract),
        decision=DecisionDefaults(1, 3, 1.0, False),
    )


def _embedder(tmp_path: Path, *, batch: int | str = "n", **changes: Any) -> FaceNetwork:
    nchw = changes.get("layout", "NCHW") == "NCHW"
    path = flatten_network(tmp_path / "tiny.onnx", (batch, 3, 8, 8) if nchw else (batch, 8, 8, 3))
    return FaceNetwork(_entry(**changes), OnnxNetwork(path, device="cpu", batch_size=4))


def _crops(n: int, size: int = 8) -> list[np.ndarray]:
    return list(np.random.default_rng(n).integers(1, 255, (n, size, size, 3), dtype=np.uint8))


def test_to_tensor_is_the_formula() -> None:
    pixels = np.stack(_crops(2))
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    rgb = to_tensor(pixels, InputContract(crop="aligned", size=8, dim=1, scale=1 / 255, mean=mean, std=std))
    np.testing.assert_allclose(rgb, ((pixels / 255 - mean) / std).transpose(0, 3, 1, 2), atol=1e-6)
    bgr = to_tensor(pixels, InputContract(crop="aligned", size=8, dim=1, colour="BGR", layout="NHWC", mean=(1, 2, 3)))
    np.testing.assert_array_equal(bgr, pixels[..., ::-1].astype(np.float32) - np.array([1, 2, 3], np.float32))
    assert rgb.dtype == bgr.dtype == np.float32


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("n", [1, 4, 9])
def test_embeddings_are_unit_and_in_order(tmp_path: Path, layout: str, batch: int | str, n: int) -> None:
    embedder = _embedder(tmp_path, batch=batch, layout=layout)
    crops = _crops(n)
    vectors = embedder.embed(crops)
    assert vectors.shape == (n, 192)
    assert vectors.dtype == np.float32
    for crop, vector in zip(crops, vectors, strict=True):
        flat = (crop.transpose(2, 0, 1) if layout == "NCHW" else crop).reshape(-1).astype(np.float64)
        np.testing.assert_allclose(vector, flat / np.linalg.norm(flat), atol=1e-6)


def test_no_crops(tmp_path: Path) -> None:
    vectors = _embedder(tmp_path).embed([])
    assert vectors.shape == (0, 192)
    assert vectors.dtype == np.float32


def test_square_crop_is_resized(tmp_path: Path) -> None:
    embedder = _embedder(tmp_path)
    image = np.full((100, 100, 3), 9, dtype=np.uint8)
    for side in (4, 8, 60):
        crop = embedder.crop(image, Face(Box(20, 20, side, side), UNKNOWN, 1.0))
        assert crop.shape == (8, 8, 3)
        assert (crop == 9).all()


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_grey_network_sees_the_luminance(tmp_path: Path, layout: str) -> None:
    contract = _entry(size=[8, 12], dim=96, colour="GRAY", layout=layout, mean=[127.5], std=[127.5])
    assert contract.input is not None
    path = flatten_network(tmp_path / "grey.onnx", contract.input.shape(1))
    embedder = FaceNetwork(contract, OnnxNetwork(path, device="cpu"))
    crops = list(np.random.default_rng(0).integers(0, 255, (3, 8, 12, 3), dtype=np.uint8))
    grey = np.rint(np.stack(crops) @ [0.299, 0.587, 0.114]).reshape(3, -1)
    wanted = (grey - 127.5) / 127.5
    np.testing.assert_allclose(
        embedder.embed(crops), wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=2e-2 / np.sqrt(96)
    )


@pytest.mark.parametrize(("height", "width"), [(12, 8), (8, 12), (8, 8)])
def test_a_square_crop_for_an_input_that_is_not_square_is_its_middle(height: int, width: int) -> None:
    y, x = np.mgrid[:100, :100].astype(np.uint8)
    image = np.stack([x, y, np.zeros_like(x)], axis=2)
    crop = crop_face(image, Face(Box(20, 30, 24, 24), UNKNOWN, 1.0), "square", height, width, factor=1.0)
    assert crop.shape == (height, width, 3)
    scale = 24 / max(height, width)
    columns, rows = crop[0, :, 0].astype(float), crop[:, 0, 1].astype(float)
    np.testing.assert_allclose(np.diff(columns), scale, atol=1)  # not stretched
    np.testing.assert_allclose(np.diff(rows), scale, atol=1)
    assert columns.mean() == pytest.approx(32 - 0.5, abs=0.6)  # the middle of the box
    assert rows.mean() == pytest.approx(42 - 0.5, abs=0.6)


def test_a_face_without_landmarks_cannot_be_aligned(tmp_path: Path) -> None:
    image = np.zeros((100, 100, 3), dtype=np.uint8)
    with pytest.raises(FaceError, match="no landmarks"):
        _embedder(tmp_path, crop="aligned").crop(image, Face(Box(20, 20, 30, 30), UNKNOWN, 1.0))


def test_mobilefacenet_tells_people_apart(photos: Any, model_folder: Path, tmp_path: Path) -> None:
    embedder = load_embedder("mobilefacenet", ModelStore(model_folder, tmp_path))
    found = photos.of(people=10, each=3)
    names = np.array([name for name, _, _ in found])
    crops = [embedder.crop(image, face) for _, image, face in found]
    assert {crop.shape for crop in crops} == {(112, 112, 3)}
    vectors = embedder.embed(crops)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    same = names[:, None] == names[None]
    genuine, impostor = distances[same & ~np.eye(len(names), dtype=bool)], distances[~same]
    assert np.median(genuine) < 0.95
    assert impostor.min() > 1.0
    # The file's batch is fixed at 1, so alone and together are the same computation.
    np.testing.assert_array_equal(embedder.embed(crops[4:5]), vectors[4:5])
