"""Naming the faces of many pictures: found on several threads, embedded in batches, answered in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from knownface.answers import Answer, Identification, Item
from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.errors import KnownFaceError, ModelError
from knownface.pipeline import ExaminedFace, embed, examine, map_in_order
from knownface.types import Decision, Embeddings, Image


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How pictures are worked through.

    Attributes:
        batch_size: Faces embedded at a time.
        threads: Worker threads that read pictures and find faces.
        keep_images: Whether answers hold their picture.
    """

    batch_size: int
    threads: int
    keep_images: bool


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
    decide: Callable[[Embeddings], list[Decision]],
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
            faces = examine(image, detector, embedder)
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
            yield from _answers(batch, embedder, decide)
            batch, count = [], 0
    yield from _answers(batch, embedder, decide)


def identified(faces: Sequence[ExaminedFace], decisions: Sequence[Decision]) -> list[Identification]:
    """The faces of one picture with what was decided for each."""
    return [Identification(f.face, d, f.quality) for f, d in zip(faces, decisions, strict=True)]


def _answers(
    batch: Sequence[_ExaminedPicture[Item]], embedder: FaceEmbedder, decide: Callable[[Embeddings], list[Decision]]
) -> Iterator[Answer[Item]]:
    vectors = embed([face for picture in batch for face in picture.faces], embedder)
    start = 0
    for picture in batch:
        stop = start + len(picture.faces)
        decisions = decide(vectors[start:stop])
        start = stop
        named = tuple(identified(picture.faces, decisions))
        yield Answer(picture.item, picture.image, named, picture.error, picture.size)
