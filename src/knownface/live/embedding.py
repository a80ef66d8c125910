"""Embedding faces beside the frames, so that no frame waits for it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from knownface.embedding import FaceEmbedder
from knownface.errors import FaceError
from knownface.pipeline import embed_crops
from knownface.tracking import EmbeddingRequest, Sample
from knownface.types import Image

logger = logging.getLogger(__name__)


def embed_requests(embedder: FaceEmbedder, image: Image, wanted: Sequence[EmbeddingRequest]) -> list[Sample]:
    """Crop and embed faces of one frame; one that cannot be cropped is passed over.

    Args:
        embedder: Which.
        image: The frame.
        wanted: Faces of it.
    """
    cropped = []
    for face in wanted:
        try:
            cropped.append((face, embedder.crop(image, face.face)))
        except FaceError as error:
            logger.debug("A face of track %d is passed over: %s", face.track_id, error)
    vectors = embed_crops([crop for _, crop in cropped], embedder)
    return [Sample(w.track_id, w.time, vector, w.quality) for (w, _), vector in zip(cropped, vectors, strict=True)]


class EmbeddingWorker:
    """A thread that embeds what it is asked for, in order.

    A follower asks once for each track until the answer has come, so no more waits here than there are faces.

    Args:
        embedder: Which.
    """

    def __init__(self, embedder: FaceEmbedder) -> None:
        self._embedder = embedder
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="knownface-embedding")
        self._waiting: deque[tuple[Future[list[Sample]], int]] = deque()

    def ask(self, image: Image, wanted: Sequence[EmbeddingRequest]) -> None:
        """Ask for the embeddings of faces of a frame."""
        if wanted:
            self._waiting.append((self._pool.submit(embed_requests, self._embedder, image, wanted), len(wanted)))

    def answers(self, *, all_of_them: bool = False) -> list[Sample]:
        """What is ready.

        Args:
            all_of_them: Whether to wait for everything that was asked for.

        Raises:
            ModelError: The network failed.
        """
        samples: list[Sample] = []
        while self._waiting and (all_of_them or self._waiting[0][0].done()):
            samples += self._waiting.popleft()[0].result()
        return samples

    @property
    def waiting(self) -> int:
        """Faces asked for and not answered yet."""
        return sum(count for _, count in self._waiting)

    def close(self) -> None:
        """End the thread; what was not begun is dropped."""
        self._pool.shutdown(cancel_futures=True)
        self._waiting.clear()
