"""From pictures to faces to embeddings, in order, with bounded memory, on every processor.

A picture is decoded, searched for faces and cut into crops by a worker thread (OpenCV, Pillow, dlib and ONNX Runtime
release the interpreter while they work); what is handed on are the crops, so that only as many pictures are in memory
as there are workers. Embeddings are then made for many crops at a time.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import cv2
import numpy as np

from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.quality import FaceQuality, measure_quality
from knownface.types import Embeddings, Face, Image

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class ExaminedFace:
    """A face with what recognition needs of it: its measurements and the embedder's crop."""

    face: Face
    quality: FaceQuality
    crop: Image


def examine(image: Image, detector: FaceDetector, embedder: FaceEmbedder) -> list[ExaminedFace]:
    """Find, measure and crop the faces of an RGB image, largest first."""
    return [
        ExaminedFace(face, measure_quality(image, face), embedder.crop(image, face)) for face in detector.detect(image)
    ]


def embed(faces: Sequence[ExaminedFace], embedder: FaceEmbedder) -> Embeddings:
    """Embeddings of examined faces, one a row."""
    if not faces:
        return np.empty((0, embedder.contract.dim), dtype=np.float32)
    return embedder.embed([face.crop for face in faces])


def map_in_order(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int, ahead: int
) -> Iterator[Result]:
    """Like ``map``, on several threads: results come in the order of the items.

    Args:
        work: Called once an item. What it raises is raised here when that item's turn comes.
        items: Read only as far ahead as needed.
        threads: Worker threads.
        ahead: Items begun but not yet taken, which bounds the memory held.
    """
    source = iter(items)
    with ThreadPoolExecutor(threads, thread_name_prefix="knownface") as pool:
        pending: deque[Future[Result]] = deque(pool.submit(work, item) for item in islice(source, ahead))
        try:
            while pending:
                result = pending.popleft().result()
                for item in islice(source, 1):
                    pending.append(pool.submit(work, item))
                yield result
        finally:
            for future in pending:
                future.cancel()


@contextlib.contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Keep OpenCV from starting threads of its own, in the whole program, for as long as this lasts.

    Where several pictures are looked at side by side its threads would only wait for each other, and spin.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
