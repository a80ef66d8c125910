"""Naming the faces of many pictures: found on several threads, embedded in batches, answered in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias

import numpy as np

from knownface.answers import Answer, Identification, Item
from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.errors import KnownFaceError, ModelError
from knownface.liveness import NOT_CHECKED, LivenessCheck, LivenessRule
from knownface.pipeline import ExaminedFace, embed, examine, map_in_order
from knownface.types import NOT_LIVE, Decision, Embeddings, Image

Decide: TypeAlias = Callable[[Embeddings], list[Decision]]
"""Decides the faces of one picture together by their embeddings, float32 of shape (n, dim)."""

DEFAULT_EVERY = 0.5
"""Seconds between the frames of a video that are examined."""


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How pictures are worked through.

    Attributes:
        batch_size: Faces embedded at a time.
        threads: Worker threads that read pictures and find faces.
        keep_images: Whether answers hold their picture.
        check: Scores how live faces look; None does not.
        liveness: What follows from these scores.
        keep_embeddings: Whether faces hold their embedding.
    """

    batch_size: int
    threads: int
    keep_images: bool = False
    keep_embeddings: bool = False
    check: LivenessCheck | None = None
    liveness: LivenessRule = NOT_CHECKED


@dataclass(frozen=True, slots=True, eq=False)
class _ExaminedPicture(Generic[Item]):
    item: Item
    image: Image | None = None
    faces: Sequence[ExaminedFace] = ()
    error: KnownFaceError | None = None
    size: tuple[int, int] | None = None


def answer_in_batches(
    items: Iterable[Item],
    load: Callable[[Item], Image],
    detector: FaceDetector,
    embedder: FaceEmbedder,
    decide: Decide,
    options: BatchOptions,
) -> Iterator[Answer[Item]]:
    """Name the faces of many pictures.

    Args:
        items: Paths, frames or whatever ``load`` takes; read only as far ahead as needed.
        load: Gives the RGB image of an item; called on several threads.
        detector: Finds faces.
        embedder: Embeds them.
        decide: Decides the faces of one picture by their embeddings, shape (n, dim).
        options: Batch size, threads, and whether pictures are kept.

    Yields:
        One answer an item, in order; a picture that cannot be used has its error in it.

    Raises:
        ModelError: The detector or the embedder failed, whatever the picture.
    """

    def examined(item: Item) -> _ExaminedPicture[Item]:
        try:
            image = load(item)
            faces = examine(image, detector, embedder, options.check)
        except ModelError:
            raise  # says something of the detector, not of this picture
        except KnownFaceError as error:
            return _ExaminedPicture(item, error=error)
        size = image.shape[1], image.shape[0]
        return _ExaminedPicture(item, image if options.keep_images else None, faces, size=size)

    batch: list[_ExaminedPicture[Item]] = []
    count = 0
    # Crops are small: so many may wait that the workers go on while a batch is embedded. Pictures are not.
    ahead = 2 * options.threads + (0 if options.keep_images else options.batch_size)
    longest = 8 if options.keep_images else options.batch_size
    for picture in map_in_order(examined, items, threads=options.threads, ahead=ahead):
        batch.append(picture)
        count += len(picture.faces)
        if count >= options.batch_size or len(batch) >= longest:
            yield from _answers(batch, embedder, decide, options)
            batch, count = [], 0
    yield from _answers(batch, embedder, decide, options)


def identified(
    faces: Sequence[ExaminedFace],
    vectors: Embeddings,
    decide: Decide,
    liveness: LivenessRule,
    *,
    keep_embeddings: bool = False,
) -> list[Identification]:
    """The faces of one picture with what is decided for each.

    One that may get no name since it does not look alive is left out of the decision: a photo that is held up takes
    nobody's name away from the person who stands beside it.

    Args:
        faces: Examined.
        vectors: Their embeddings, float32, shape (n, dim).
        decide: Decides those of one picture together.
        liveness: Who is left out.
        keep_embeddings: Whether faces hold their embedding.
    """
    barred = np.array([liveness.bars(face.live) for face in faces], dtype=np.bool_)
    decided = iter(decide(vectors[~barred]))
    return [
        Identification(
            face.face,
            NOT_LIVE if bar else next(decided),
            face.quality,
            liveness.of(face.live),
            vector if keep_embeddings else None,
        )
        for face, bar, vector in zip(faces, barred, vectors, strict=True)
    ]


def _answers(
    batch: Sequence[_ExaminedPicture[Item]], embedder: FaceEmbedder, decide: Decide, options: BatchOptions
) -> Iterator[Answer[Item]]:
    vectors = embed([face for picture in batch for face in picture.faces], embedder)
    start = 0
    for picture in batch:
        stop = start + len(picture.faces)
        own = vectors[start:stop]
        start = stop
        faces = identified(picture.faces, own, decide, options.liveness, keep_embeddings=options.keep_embeddings)
        yield Answer(picture.item, picture.image, tuple(faces), picture.error, picture.size)
