"""An evaluation that costs next to nothing: made people, a detector and an embedder that need no weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from knownface.evaluation.bench import Bench
from knownface.evaluation.embeddings import FaceReader
from knownface.evaluation.face_cache import FaceCache
from knownface.media import VideoWriter, write_image
from knownface.models import ModelStore
from knownface.settings import load_settings
from knownface.types import Box, DecisionRule, EmbedderContract, Embeddings, Face, Image


class ToyDetector:
    """Finds one face in the middle of every picture that is not nearly of one colour."""

    name = "toy"

    def __init__(self) -> None:
        self.seen = 0

    def detect(self, image: Image) -> list[Face]:
        self.seen += 1
        if image.std() < 5:
            return []
        height, width = image.shape[:2]
        box = Box(width / 4, height / 4, width / 2, height / 2)
        points = np.array([(0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.42, 0.62), (0.58, 0.62)]) * (width, height)
        return [Face(box, points.astype(np.float32), 0.9)]


class ToyEmbedder:
    """The picture itself in 8 x 8 grey values, as a unit vector."""

    contract = EmbedderContract("toy", 64, "square", "f" * 64, "none", DecisionRule(1, 3, 0.9), True)

    def crop(self, image: Image, face: Face) -> Image:
        return image

    def embed(self, crops: Sequence[Image]) -> Embeddings:
        rows = [cv2.resize(cv2.cvtColor(c, cv2.COLOR_RGB2GRAY), (8, 8), interpolation=cv2.INTER_AREA) for c in crops]
        vectors = np.array(rows, dtype=np.float32).reshape(-1, 64)
        vectors = vectors - vectors.mean(axis=1, keepdims=True) + 1e-3
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def toy_picture(person: int, shot: int, spread: float = 12.0) -> Image:
    """A person is a pattern; every shot of it differs somewhat."""
    pattern = np.random.default_rng([5, person]).integers(40, 215, (8, 8, 3)).astype(np.float32)
    noise = np.random.default_rng([6, person, shot]).normal(size=(8, 8, 3)) * spread
    small = np.clip(pattern + noise, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (48, 48), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


@pytest.fixture
def toy_people(tmp_path: Path) -> Callable[..., Path]:
    """``toy_people(people, each, first=0)``: a folder a person with pictures in it."""

    def make(people: int, each: int, first: int = 0, name: str = "people") -> Path:
        for person in range(first, first + people):
            for shot in range(each):
                write_image(tmp_path / name / f"p{person}" / f"{shot}.png", toy_picture(person, shot))
        return tmp_path / name

    return make


@pytest.fixture
def toy_video() -> Callable[[Path, int, int], None]:
    """``toy_video(path, person, frames)``: ten frames a second, each a little different."""

    def make(path: Path, person: int, frames: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with VideoWriter(path, 10.0) as writer:
            for shot in range(frames):
                writer.write(toy_picture(person, shot, 4.0), shot / 10)

    return make


@pytest.fixture
def toy_bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench with a detector and an embedder that cost nothing."""
    settings = load_settings(cache=tmp_path / "cache")
    with FaceCache(settings.cache) as cache:
        reader = FaceReader(ToyDetector(), ToyEmbedder(), every=0.1, threads=2, cache=cache)
        yield Bench(reader, ModelStore(None, settings.cache), settings, ("toys",))
