from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_onnx import flatten_network

from knownface.embedding.clip import clip_pixels
from knownface.embedding.load import load_embedder
from knownface.models import ModelStore
from knownface.types import Box, Face

CONTRACT = """
kind = "clip"
title = "Tiny CLIP"
licence = "none"
[input]
crop = "square"
crop_factor = 1.6
size = 16
dim = 768
scale = 0.00392156862745098
mean = [0.48145466, 0.4578275, 0.40821073]
std = [0.26862954, 0.26130258, 0.27577711]
[decision]
k1 = 1
k2 = 3
threshold = 0.82
calibrated = false
"""


@given(height=st.integers(1, 400), width=st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_any_size_becomes_the_square(height: int, width: int) -> None:
    picture = np.random.default_rng(height * 401 + width).integers(0, 255, (height, width, 3), dtype=np.uint8)
    pixels = clip_pixels(picture)
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8
    assert clip_pixels(pixels) is pixels


def test_the_middle_is_kept() -> None:
    picture = np.zeros((100, 300, 3), dtype=np.uint8)
    picture[:, 100:200] = 255
    assert clip_pixels(picture, 100).min() == 255


def test_clip_sees_a_loose_square_and_gives_unit_vectors(tmp_path: Path) -> None:
    store = ModelStore(None, tmp_path / "cache")
    (tmp_path / "tiny.toml").write_text(CONTRACT)
    store.import_file(flatten_network(tmp_path / "net.onnx", ("n", 3, 16, 16)), "tiny", tmp_path / "tiny.toml")
    embedder = load_embedder("tiny", store, "cpu", batch_size=2)
    assert embedder.contract.crop == "square"
    image = np.zeros((200, 200, 3), dtype=np.uint8)
    image[68:132, 68:132] = 200  # 1.6 times the box of 40
    face = Face(Box(80, 80, 40, 40), np.full((5, 2), np.nan, dtype=np.float32), 1.0)
    crop = embedder.crop(image, face)
    assert crop.shape == (16, 16, 3)
    assert (crop == 200).all()
    crops = [crop, np.zeros((30, 20, 3), dtype=np.uint8), np.full((16, 16, 3), 90, dtype=np.uint8)]
    vectors = embedder.embed(crops)
    for vector, value in zip(vectors, (200, 0, 90), strict=True):
        mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
        colour = (value / 255 - np.array(mean)) / std
        expected = np.repeat(colour, 256)
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-6)
    assert embedder.embed([]).shape == (0, 768)


@pytest.mark.parametrize("name", ["clip-vit-b32", "clip-vit-b32-fp32", "clip-vit-b16"])
def test_the_real_weights_where_they_are(name: str, model_folder: Path, photos: object, tmp_path: Path) -> None:
    store = ModelStore(model_folder, tmp_path)
    if store.find(name) is None:
        pytest.skip(f"the weights of {name} are not in KNOWNFACE_MODELS")
    embedder = load_embedder(name, store, "cpu")
    found = photos.of(people=6, each=2)  # type: ignore[attr-defined]
    vectors = embedder.embed([embedder.crop(image, face) for _, image, face in found])
    alone = np.concatenate([embedder.embed([embedder.crop(image, face)]) for _, image, face in found[:3]])
    np.testing.assert_allclose(vectors[:3], alone, atol=1e-4)
    distances = np.linalg.norm(vectors[::2, None] - vectors[None, 1::2], axis=2)
    assert np.diag(distances).mean() < distances[~np.eye(6, dtype=bool)].mean()
