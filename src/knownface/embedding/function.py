"""A face embedder made of a function."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Literal

import numpy as np

from knownface.embedding.base import RECIPE, unit_vectors
from knownface.embedding.crops import ARCFACE_SIZE, DEFAULT_FACTOR, crop_face, resize_crop
from knownface.parts import code_digest, digest_of
from knownface.types import DecisionRule, EmbedderContract, Embeddings, Face, Image

UNCALIBRATED = DecisionRule(k1=1, k2=3, threshold=1.1)
"""Where nothing is known of a space of face-trained vectors; ``knownface calibrate`` measures it."""


class FunctionEmbedder:
    """An embedder that calls a function of yours.

    Args:
        fn: Takes crops, RGB ``uint8`` of shape (n, height, width, 3), and returns their vectors, shape (n, dim): an
            array, a list, or a tensor that NumPy can read. They need not be of unit length. A vector must not depend on
            what else is in the batch.
        dim: Length of a vector.
        crop: ``aligned``: warped onto ArcFace's five points; ``square``: a square around the box.
        size: Side of a crop in pixels, or height and width.
        crop_factor: Side of a ``square`` crop in units of the box's longer side.
        name: What galleries call the embedder; None takes the function's own name.
        rule: Parameters that suit its space.
        calibrated: Whether ``rule`` was measured on faces.
        licence: Of the weights.
        batch_size: Crops a call, at most.
        fingerprint: Changes whenever the function gives other vectors, 200 characters at most: a gallery that one
            fingerprint filled refuses any other. None takes a digest of name, dim, crop, size and crop_factor. The
            function's code and weights are no part of that digest: give another name or fingerprint when they change,
            or vectors that cannot be compared get into one gallery. The embedder's own ``fingerprint``, by which
            evaluations are remembered, covers the source file of the function's module too where None is given.
        thread_safe: Whether the function may be called by several threads at once; else calls wait for each other.

    Example:
        >>> import numpy as np
        >>> def colours(crops):
        ...     return crops.reshape(len(crops), -1, 3).mean(axis=1)
        >>> FunctionEmbedder(colours, dim=3, crop="square").embed([np.full((112, 112, 3), 9, np.uint8)]).round(3)
        array([[0.577, 0.577, 0.577]], dtype=float32)
    """

    def __init__(
        self,
        fn: Callable[[Image], object],
        *,
        dim: int,
        crop: Literal["aligned", "square"],
        size: int | tuple[int, int] = ARCFACE_SIZE,
        crop_factor: float = DEFAULT_FACTOR,
        name: str | None = None,
        rule: DecisionRule = UNCALIBRATED,
        calibrated: bool = False,
        licence: str = "",
        batch_size: int = 32,
        fingerprint: str | None = None,
        thread_safe: bool = False,
    ) -> None:
        if crop not in {"aligned", "square"}:
            raise ValueError(f"crop must be 'aligned' or 'square', got {crop!r}")
        self._size = (size, size) if isinstance(size, int) else size
        self._crop_factor = crop_factor
        self._batch_size = batch_size
        self._fn = fn
        self._turn: AbstractContextManager[object] = contextlib.nullcontext() if thread_safe else threading.Lock()
        name = name or getattr(fn, "__name__", type(fn).__name__).strip("<>")
        described = {
            "recipe": RECIPE, "kind": "function", "name": name, "dim": dim, "crop": crop, "size": self._size,
            "crop_factor": crop_factor,
        }  # fmt: skip
        self.contract = EmbedderContract(
            name=name,
            dim=dim,
            crop=crop,
            fingerprint=fingerprint or digest_of(described),
            licence=licence,
            rule=rule,
            calibrated=calibrated,
        )
        self.fingerprint = fingerprint or digest_of({"contract": self.contract.fingerprint, "code": code_digest(fn)})

    def crop(self, image: Image, face: Face) -> Image:
        """The aligned or square crop; see :func:`knownface.embedding.crops.crop_face`."""
        return crop_face(image, face, self.contract.crop, *self._size, self._crop_factor)

    def embed(self, crops: Sequence[Image]) -> Embeddings:
        """Unit vectors of the crops; see :class:`knownface.FaceEmbedder`.

        Raises:
            ModelError: The function returns something else than vectors of ``dim`` finite numbers.
        """
        batches = [np.empty((0, self.contract.dim), dtype=np.float32)]
        for start in range(0, len(crops), self._batch_size):
            batch = np.stack([resize_crop(crop, *self._size) for crop in crops[start : start + self._batch_size]])
            with self._turn:
                vectors = np.asarray(self._fn(batch), dtype=np.float32)
            batches.append(unit_vectors(vectors, self.contract.dim, self.contract.name))
        return np.concatenate(batches)
