"""Pictures of strangers that a calibration is to be measured with: their embeddings, in memory, for a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from knownface.errors import TooLargeError
from knownface.types import Embeddings

if TYPE_CHECKING:
    from knownface.evaluation.faces import FaceSet

KEPT_SECONDS = 3600.0
"""After the last picture came; then nobody seems to want the calibration any more."""
MOST = 20_000
"""Strangers held at a time, 40 MB at 512 numbers each."""


@dataclass(frozen=True, slots=True)
class StrangerCount:
    """What is held.

    Attributes:
        people: Strangers with a face.
        without_face: Pictures in which none was found.
    """

    people: int
    without_face: int


class Strangers:
    """The strangers; any thread may call. No picture is kept, and nothing is written to the disk.

    All are of one network: with the first of another one, those before are forgotten.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faces: dict[str, Embeddings | None] = {}
        self._last = 0.0
        self._fingerprint = ""

    def add(self, fingerprint: str, sha256: str, embedding: Embeddings | None) -> bool:
        """Take a stranger along; whether the file is a new one.

        Args:
            fingerprint: Of the embedder.
            sha256: Of the file, which is one stranger.
            embedding: Shape (dim,), unit length; None where no face was found.

        Raises:
            TooLargeError: There are as many as are taken.
        """
        with self._lock:
            self._forget_old(fingerprint)
            self._fingerprint = fingerprint
            if sha256 in self._faces:
                return False
            if len(self._faces) >= MOST:
                raise TooLargeError(f"{MOST} pictures of strangers are here already.", "Calibrate with these.")
            self._faces[sha256] = embedding
            self._last = time.monotonic()
            return True

    def count(self, fingerprint: str) -> StrangerCount:
        """How many there are of an embedder."""
        with self._lock:
            self._forget_old(fingerprint)
            people = sum(face is not None for face in self._faces.values())
            return StrangerCount(people, len(self._faces) - people)

    def faces(self, fingerprint: str) -> FaceSet | None:
        """All of an embedder's, each file one person; None where there is none."""
        from knownface.evaluation.faces import FaceSet

        with self._lock:
            self._forget_old(fingerprint)
            found = {sha256: face for sha256, face in self._faces.items() if face is not None}
        return FaceSet.of(np.stack(list(found.values())), list(found), list(found)) if found else None

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._faces.clear()

    def _forget_old(self, fingerprint: str) -> None:
        if fingerprint != self._fingerprint or time.monotonic() - self._last > KEPT_SECONDS:
            self._faces.clear()
