"""An embedder of your own: any function from face crops to vectors.

    python examples/own_embedder.py PEOPLE/ party.jpg
    PYTHONPATH=examples knownface enroll PEOPLE/ --embedder own_embedder:make_embedder

The function here is a toy, the brightness of 16 x 16 patches, so that the script needs nothing else. Put a call of your
torch, ONNX or TensorFlow model in its place.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from knownface import DecisionRule, FaceRecognizer, FunctionEmbedder, Gallery, choose_detector, load_settings
from knownface.models import ModelStore
from knownface.types import Embeddings, Image


def brightness(crops: Image) -> Embeddings:
    """Vectors of RGB crops of shape (n, 64, 64, 3); knownface brings them to unit length."""
    patches = crops.reshape(len(crops), 16, 4, 16, 4, 3).mean(axis=(2, 4, 5)).reshape(len(crops), 256)
    return np.asarray(patches - patches.mean(axis=1, keepdims=True), dtype=np.float32)


def make_embedder() -> FunctionEmbedder:
    """What `--embedder own_embedder:make_embedder` calls."""
    return FunctionEmbedder(brightness, dim=256, crop="square", size=64, rule=DecisionRule(k1=1, k2=3, threshold=0.5))


def main(people: Path, photo: Path) -> None:
    settings = load_settings()
    detector, why = choose_detector(settings, ModelStore(settings.models, settings.cache))
    print(why)
    with FaceRecognizer(Gallery.open(":memory:"), detector, make_embedder()) as recognizer:
        recognizer.load_known_faces(people)
        for face in recognizer.identify(photo):
            print(f"{face.name or 'Unknown'} at distance {face.distance:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
