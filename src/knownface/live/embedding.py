"""Embedding on threads of its own, so that no frame waits for it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from knownface.embedding import FaceEmbedder
from knownface.errors import FaceError
from knownface.liveness import LivenessCheck
from knownface.pipeline import crop_of, embed_crops, live_score
from knownface.quality import covered_part
from knownface.tracking import EmbeddingRequest, Sample
from knownface.types import Image

logger = logging.getLogger(__name__)


def embed_requests(
    embedder: FaceEmbedder, image: Image, requests: Sequence[EmbeddingRequest], liveness: LivenessCheck | None = None
) -> list[Sample]:
    """Crops and embeds faces of one frame; one that cannot be cropped is skipped.

    Args:
        embedder: Which.
        image: The frame.
        requests: Faces of it.
        liveness: Scores how live they look; None does not.
    """
    cropped = []
    for request in requests:
        try:
            live = live_score(image, request.face, liveness) if liveness is not None and request.score else None
            cropped.append((request, crop_of(image, request.face, embedder), live, covered_part(image, request.face)))
        except FaceError as error:
            logger.debug("A face of track %d is skipped: %s", request.track_id, error)
    vectors = embed_crops([crop for _, crop, *_ in cropped], embedder)
    return [
        Sample(request.track_id, request.time, vector, request.quality, live, embedder.contract.fingerprint, covered)
        for (request, _, live, covered), vector in zip(cropped, vectors, strict=True)
    ]


class EmbeddingWorker:
    """Threads that embed what they are asked for, and answer in that order.

    A tracker asks once for each track until the answer has come, so no more waits here than there are faces.

    Args:
        embedder: Which.
        liveness: Scores how live the faces look; None does not.
        threads: Shared with others, and whoever made them ends them; None makes threads of its own.
        at_once: How many threads of its own.
    """

    def __init__(
        self,
        embedder: FaceEmbedder,
        liveness: LivenessCheck | None = None,
        threads: ThreadPoolExecutor | None = None,
        at_once: int = 1,
    ) -> None:
        self._embedder, self._liveness = embedder, liveness
        self._shared = threads is not None
        self._threads = threads or ThreadPoolExecutor(at_once, thread_name_prefix="knownface-embedding")
        self._waiting: deque[tuple[Future[list[Sample]], Sequence[EmbeddingRequest]]] = deque()

    def ask(self, image: Image, requests: Sequence[EmbeddingRequest]) -> None:
        """Requests the embeddings of faces of a frame."""
        if requests:
            asked = self._threads.submit(embed_requests, self._embedder, image, requests, self._liveness)
            self._waiting.append((asked, requests))

    def answers(self) -> list[Sample]:
        """The embeddings that are ready.

        Raises:
            ModelError: The network failed.
        """
        samples: list[Sample] = []
        while self._waiting and self._waiting[0][0].done():
            samples += self._waiting.popleft()[0].result()
        return samples

    def answers_to(self, before: float) -> list[Sample]:
        """The embeddings of faces of the frames before a time, which are waited for, and no others.

        Args:
            before: Stream seconds.

        Raises:
            ModelError: The network failed.
        """
        samples: list[Sample] = []
        while self._waiting and self._waiting[0][1][0].time < before:
            samples += self._waiting.popleft()[0].result()
        return samples

    @property
    def waiting(self) -> int:
        """Faces asked for and not answered yet."""
        return sum(len(requests) for _, requests in self._waiting)

    def close(self) -> None:
        """Drops what was not begun, waits for what was, and ends threads of its own."""
        wait([asked for asked, _ in self._waiting if not asked.cancel()])
        if not self._shared:
            self._threads.shutdown()
        self._waiting.clear()
