"""Naming the faces of pictures, folders and videos (identification: one face against everybody)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy.typing as npt

from knownface.answers import Answer, Identification, Item
from knownface.batches import DEFAULT_EVERY, BatchOptions, answer_in_batches, identified
from knownface.deciding import decide_embeddings, unit_vector
from knownface.decision.averaging import part_left
from knownface.embedding import FaceEmbedder
from knownface.media import expand_paths, kind_of, read_video
from knownface.pipeline import embed, examine
from knownface.recognition.network import NetworkOfGallery
from knownface.recognition.sources import ImageSource
from knownface.types import Decision, EmbedderContract, Embeddings, Frame, Image, Purpose


class Naming(NetworkOfGallery):
    """Pictures in, names out."""

    @overload
    def identify(
        self, image: ImageSource, *, allow_repeats: bool = ..., top: int = ..., with_embeddings: bool = ...
    ) -> list[Identification]: ...
    @overload
    def identify(
        self,
        image: list[Any] | tuple[Any, ...],
        *,
        allow_repeats: bool = ...,
        top: int = ...,
        with_embeddings: bool = ...,
    ) -> list[list[Identification]]: ...
    def identify(
        self, image: Any, *, allow_repeats: bool = False, top: int = 0, with_embeddings: bool = False
    ) -> list[Identification] | list[list[Identification]]:
        """Name the faces of one picture, largest first; or of each picture of a list or tuple.

        Args:
            image: The picture: a path, bytes, a Pillow image, or an array, which is RGB (OpenCV's BGR as
                ``array[:, :, ::-1]``); or a list of these, which is worked through on every processor.
            allow_repeats: Whether one person may be given to several faces, as on a poster.
            top: As for :meth:`decide`.
            with_embeddings: Whether each face holds its :attr:`~knownface.answers.Identification.embedding`.

        Raises:
            InputError: A picture cannot be read.
        """
        options: dict[str, Any] = {"allow_repeats": allow_repeats, "top": top, "with_embeddings": with_embeddings}
        if isinstance(image, (list, tuple)):
            return [list(answer.faces_or_error()) for answer in self.identify_many(image, self._read, **options)]
        pixels = self._read(image)

        def named(embedder: FaceEmbedder) -> list[Identification]:
            faces = examine(pixels, self.detector, embedder, self.liveness)
            decide = partial(self.decide, allow_repeats=allow_repeats, top=top, made_by=embedder.contract)
            vectors = embed(faces, embedder)
            found = identified(faces, vectors, decide, self.liveness_rule, keep_embeddings=with_embeddings)
            return self._with_accuracy(found)

        return self._by_one_network(named)

    def identify_many(
        self,
        items: Iterable[Item],
        load: Callable[[Item], Image],
        *,
        allow_repeats: bool = False,
        top: int = 0,
        keep_images: bool = False,
        with_embeddings: bool = False,
    ) -> Iterator[Answer[Item]]:
        """Name the faces of many pictures, several at a time, in order.

        Args:
            items: Paths, frames or whatever ``load`` takes; read only as far ahead as needed.
            load: Gives the RGB image of an item; called on several threads.
            allow_repeats: As for :meth:`identify`.
            top: As for :meth:`decide`.
            keep_images: Whether answers hold their picture.
            with_embeddings: As for :meth:`identify`.

        Yields:
            One answer an item; a picture that cannot be used has its error in it.
        """
        embedder = self.follow()
        answers = answer_in_batches(
            items,
            load,
            self.detector,
            embedder,
            partial(self.decide, allow_repeats=allow_repeats, top=top, made_by=embedder.contract),
            BatchOptions(
                self.settings.batch_size,
                self.threads,
                keep_images,
                with_embeddings,
                self.liveness,
                self.liveness_rule,
            ),
        )
        return (replace(answer, faces=tuple(self._with_accuracy(answer.faces))) for answer in answers)

    def _with_accuracy(self, found: Sequence[Identification]) -> list[Identification]:
        if not self.settings.show_accuracy:
            return list(found)
        known = self.accuracy
        return [one if one.name is None else replace(one, accuracy=known.at(one.distance)) for one in found]

    def identify_folder(self, folder: str | Path, **options: Any) -> Iterator[Answer[Path]]:
        """Name the faces of every photo of a folder and of those below it, in natural order.

        Args:
            folder: Which; its videos are left out.
            **options: As for :meth:`identify_many`.

        Raises:
            UnreadableError: The folder is missing or may not be read.
        """
        photos = (path for path in expand_paths([folder]) if kind_of(path) == "image")
        return self.identify_many(photos, self._read, **options)

    def identify_video(
        self, video: str | Path, *, every: float | None = DEFAULT_EVERY, **options: Any
    ) -> Iterator[Answer[Frame]]:
        """Name the faces of a video frame by frame; a :class:`knownface.Watcher` follows them from frame to frame.

        Args:
            video: The file.
            every: Seconds between the frames that are examined; None examines all.
            **options: As for :meth:`identify_many`.

        Yields:
            One answer a frame; ``answer.item.time`` is its time in seconds.

        Raises:
            InputError: The video cannot be read.
        """
        return self.identify_many(read_video(video, every), lambda frame: frame.image, **options)

    def classify_face(self, embedding: Embeddings) -> Decision:
        """Decide one embedding, float32 of shape (dim,); it need not be of unit length."""
        return self.decide(unit_vector(embedding, self.embedder.contract.dim)[None])[0]

    def decide(
        self,
        embeddings: Embeddings,
        lengths: npt.ArrayLike | None = None,
        *,
        allow_repeats: bool = False,
        top: int = 0,
        made_by: EmbedderContract | None = None,
        purpose: Purpose = "photos",
    ) -> list[Decision]:
        """Decide the faces of one picture by their embeddings.

        A mean of several pictures lies nearer to everybody than one picture does: with ``lengths`` its distances are
        counted as those of a single picture (:mod:`knownface.decision.averaging`), so that the same threshold, margin
        and promise hold.

        Args:
            embeddings: Unit vectors, float32, shape (n, dim).
            lengths: Shape (n,): of each, how long the mean of its pictures' unit vectors was before it was scaled to 1;
                1 for a single picture. None where all are.
            allow_repeats: As for :meth:`identify`.
            top: How many candidates each decision lists at least, where the gallery has so many people; 0: those
                who are among the k2 nearest templates anyway.
            made_by: Contract of the embedder that made them; None is that of the recogniser's own.
            purpose: What the names are for, where the gallery demands consent.

        Raises:
            ContractMismatchError: The gallery is of another network.
        """
        options: dict[str, Any] = {"allow_repeats": allow_repeats, "top": top, "purpose": purpose}
        with self._same_network(made_by or self.embedder.contract):
            now = self.parameters
            left = None if lengths is None else part_left(lengths, now.averaging)
            return decide_embeddings(self.gallery, now.rule, embeddings, left=left, **options)
