"""dlib's detector and network, opened once in each process that tests: both may be used by many recognizers."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from knownface import FaceRecognizer, Gallery, load_embedder, load_settings
from knownface.detection import FaceDetector, HogDetector
from knownface.embedding import FaceEmbedder
from knownface.models import ModelStore


@functools.cache
def _parts(*, int8: bool) -> tuple[FaceDetector, FaceEmbedder]:
    with tempfile.TemporaryDirectory() as cache:
        return HogDetector(), load_embedder("dlib-resnet", ModelStore(None, Path(cache)), int8=int8)


def dlib_recognizer(gallery: str | Path | None = None, **settings: Any) -> FaceRecognizer:
    """What ``FaceRecognizer.open`` gives with dlib's detector and network; see there for the arguments."""
    given = {"embedder": "dlib-resnet", "detector": "dlib-hog", **settings}
    chosen = load_settings(gallery=None if gallery is None else str(gallery), **given)
    notes = ("Embedder dlib-resnet, as asked for.", "Detector dlib-hog, as asked for.")
    return FaceRecognizer(Gallery.open_by(chosen), *_parts(int8=chosen.int8), chosen, notes=notes)
