"""A package that registers a detector, an embedder and a command, made in a folder as pip would install it."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from knownface.media import write_image
from knownface.types import Image

MODULE = '''
import click
import cv2
import numpy as np

from knownface.types import Box, DecisionRule, EmbedderContract, Face


class Detector:
    """One face in the middle of every picture that is not nearly of one colour."""

    name = "toy"
    gives_landmarks = True
    licence = "CC0-1.0"

    def detect(self, image):
        if image.std() < 5:
            return []
        height, width = image.shape[:2]
        points = np.array([(0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.42, 0.62), (0.58, 0.62)]) * (width, height)
        return [Face(Box(width / 4, height / 4, width / 2, height / 2), points.astype(np.float32), 0.9)]


class Embedder:
    """The picture itself in 8 x 8 grey values."""

    contract = EmbedderContract("toy", 64, "square", "f" * 64, "CC0-1.0", DecisionRule(1, 3, 0.9), True)

    def crop(self, image, face):
        return image

    def embed(self, crops):
        rows = [cv2.resize(cv2.cvtColor(c, cv2.COLOR_RGB2GRAY), (8, 8), interpolation=cv2.INTER_AREA) for c in crops]
        vectors = np.array(rows, dtype=np.float32).reshape(-1, 64)
        vectors = vectors - vectors.mean(axis=1, keepdims=True) + 1e-3
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class Liveness:
    """A picture whose first pixel is pure red is a print."""

    name, fingerprint, threshold = "toy", "e" * 64, 0.5

    def crop(self, image, face):
        return image

    def score(self, crops):
        return np.array([0.05 if tuple(crop[0, 0]) == (255, 0, 0) else 0.95 for crop in crops], dtype=np.float32)


class Coarse(Embedder):
    """The same in 6 x 6 grey values: another network, whose vectors cannot be compared with those of the first."""

    contract = EmbedderContract("toy-coarse", 36, "square", "e" * 64, "CC0-1.0", DecisionRule(1, 3, 0.8), True)

    def embed(self, crops):
        rows = [cv2.resize(cv2.cvtColor(c, cv2.COLOR_RGB2GRAY), (6, 6), interpolation=cv2.INTER_AREA) for c in crops]
        vectors = np.array(rows, dtype=np.float32).reshape(-1, 36)
        vectors = vectors - vectors.mean(axis=1, keepdims=True) + 1e-3
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@click.command()
def command():
    """Greet from outside."""
    click.echo("Hello from the toy.")
'''

ENTRY_POINTS = """
[knownface.detectors]
toy = knownface_toy:Detector

[knownface.embedders]
toy = knownface_toy:Embedder
toy-coarse = knownface_toy:Coarse

[knownface.liveness]
toy = knownface_toy:Liveness

[knownface.commands]
greet = knownface_toy:command
"""


def install(folder: Path, *, module: str = MODULE, entry_points: str = ENTRY_POINTS) -> Path:
    """Lay the package into a folder for ``sys.path``, with the metadata that an installer writes.

    Whatever other test had one of this name imported, the next import reads this one.
    """
    forget()
    (folder / "knownface_toy-1.0.dist-info").mkdir(parents=True, exist_ok=True)
    (folder / "knownface_toy.py").write_text(module, encoding="utf-8")
    metadata = "Metadata-Version: 2.1\nName: knownface-toy\nVersion: 1.0\n"
    (folder / "knownface_toy-1.0.dist-info" / "METADATA").write_text(metadata, encoding="utf-8")
    (folder / "knownface_toy-1.0.dist-info" / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    return folder


def picture(person: int, shot: int, spread: float = 12.0) -> Image:
    """A person is a pattern; every shot of it differs somewhat. RGB, 96 x 96."""
    pattern = np.random.default_rng([5, person]).integers(40, 215, (8, 8, 3)).astype(np.float32)
    noise = np.random.default_rng([6, person, shot]).normal(size=(8, 8, 3)) * spread
    small = np.clip(pattern + noise, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (96, 96), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def printed(image: Image) -> Image:
    """The same picture, as a print that is held up."""
    shown = image.copy()
    shown[0, 0] = (255, 0, 0)
    return shown


def people(folder: Path, count: int, shots: int) -> Path:
    """A folder of people named p0, p1, ... with so many pictures each."""
    for person in range(count):
        for shot in range(shots):
            write_image(folder / f"p{person}" / f"{shot}.png", picture(person, shot))
    return folder


def forget() -> None:
    """Let the next import read the package anew, as another process would."""
    sys.modules.pop("knownface_toy", None)
