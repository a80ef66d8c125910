"""A face detector made of a function."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import numpy as np

from knownface.detection.base import largest_first
from knownface.parts import code_digest, digest_of
from knownface.types import Box, Face, Image


class FunctionDetector:
    """A detector that calls a function of yours.

    Args:
        fn: Takes an RGB ``uint8`` image of shape (height, width, 3) and returns the faces found, in any order: each a
            :class:`knownface.Face`, or a row of 5 numbers (x, y, width, height, score) or of 15 (five points before the
            score, left to right as the viewer sees them, as OpenCV's YuNet has them).
        name: What the detector is called in messages and reports; None takes the function's own name.
        gives_landmarks: Whether its faces have the five points, which an aligned embedder needs.
        fingerprint: Changes whenever the function finds other faces: results are remembered by it. None takes a digest
            of the name, of ``gives_landmarks`` and of the source file of the function's module. Weights are no part of
            that digest: give another fingerprint when they change, or what the earlier ones found is taken for theirs.
        thread_safe: Whether the function may be called by several threads at once; else calls wait for each other.

    Example:
        >>> import dlib
        >>> hog = dlib.get_frontal_face_detector()
        >>> found = lambda image: map(Face.from_dlib, hog(image))
        >>> detector = FunctionDetector(found, name="hog", gives_landmarks=False)
    """

    def __init__(
        self,
        fn: Callable[[Image], Iterable[object]],
        *,
        name: str | None = None,
        gives_landmarks: bool = True,
        fingerprint: str | None = None,
        thread_safe: bool = False,
    ) -> None:
        self.name = name or getattr(fn, "__name__", type(fn).__name__).strip("<>")
        self.gives_landmarks = gives_landmarks
        self.fingerprint = fingerprint or digest_of(
            {"kind": "function", "name": self.name, "gives_landmarks": gives_landmarks, "code": code_digest(fn)}
        )
        self._fn = fn
        self._turn: AbstractContextManager[object] = contextlib.nullcontext() if thread_safe else threading.Lock()

    def detect(self, image: Image) -> list[Face]:
        """The faces of an RGB image, largest first."""
        with self._turn:
            found = list(self._fn(image))
        return largest_first([_face(item) for item in found])


def _face(item: object) -> Face:
    if isinstance(item, Face):
        return item
    row = np.asarray(item, dtype=np.float32)
    if row.shape == (5,):
        x, y, width, height, score = row.tolist()
        return Face.without_landmarks(Box(x, y, width, height), score)
    if row.shape == (15,):
        return Face.from_opencv_yunet(row)
    raise ValueError(f"a face must be a Face or a row of 5 or 15 numbers, got the shape {row.shape}")
