"""From files to faces as arrays: one face a picture, the largest; every miss is kept with its reason.

Videos give a face for every frame looked at. What was embedded once is taken from the cache, which knows files by
their content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.errors import FaceError, InputError, MissingExtraError
from knownface.evaluation.alteration import Alteration
from knownface.evaluation.datasets import Sample
from knownface.evaluation.face_cache import FaceCache
from knownface.evaluation.faces import FaceSet
from knownface.files import sha256_of
from knownface.media import kind_of, read_image, read_video
from knownface.parts import fingerprint_of
from knownface.pipeline import crop_of, embed_crops, find_faces, map_in_order
from knownface.quality import FaceQuality, measure_quality
from knownface.types import Box, Embeddings, Face, Image

OnDone: TypeAlias = Callable[[Sample], None]

_RECIPE = 2
"""Raised when a change of this module changes what is cached."""
_PLACE = 12
"""Numbers before the embedding in a cached row: time (NaN for a photo), box, and the seven of a FaceQuality."""
_NO_FACE = "no face was found"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a face was found.

    Attributes:
        path: The file.
        time: Seconds from the start of a video; None for a photo.
        box: Of the face, in pixels of the picture as it was searched.
        quality: Of the face; None where it was not measured.
    """

    path: Path
    time: float | None
    box: Box
    quality: FaceQuality | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """Pictures without a face to go on with.

    Attributes:
        person: Whose file it is.
        path: The file.
        pictures: How many: 1 for a photo, frames for a video.
        reason: Why.
    """

    person: str
    path: Path
    pictures: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class FoundFaces:
    """The faces of some files, and where there was none.

    Attributes:
        faces: One row a face; a source is the SHA-256 of a file, so that copies of a file are one source.
        places: Where each row was found.
        misses: Files, or frames of them, without a face.
    """

    faces: FaceSet
    places: tuple[Place, ...]
    misses: tuple[Miss, ...]

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def missed(self) -> int:
        """Pictures without a face."""
        return sum(miss.pictures for miss in self.misses)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> FoundFaces:
        """The faces at these indices, or where the mask is true; misses stay as they are."""
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return FoundFaces(self.faces.take(chosen), tuple(self.places[i] for i in chosen.tolist()), self.misses)

    def of_people(self, people: Iterable[str]) -> FoundFaces:
        """The faces and misses of these people."""
        wanted = set(people)
        rows = np.flatnonzero([person in wanted for person in self.faces.people.tolist()])
        kept = self.take(rows)
        return FoundFaces(kept.faces, kept.places, tuple(miss for miss in self.misses if miss.person in wanted))


def _place(path: Path, row: Sequence[float]) -> Place:
    time, x, y, width, height, *measured = row
    return Place(path, None if np.isnan(time) else time, Box(x, y, width, height), FaceQuality(*measured))


def joined(first: FoundFaces, second: FoundFaces) -> FoundFaces:
    """Both together."""
    a, b = first.faces, second.faces
    faces = FaceSet(
        np.concatenate([a.embeddings, b.embeddings]),
        np.concatenate([a.people, b.people]),
        np.concatenate([a.sources, b.sources]),
    )
    return FoundFaces(faces, first.places + second.places, first.misses + second.misses)


@dataclass(slots=True, eq=False)
class _ExaminedFile:
    """A file on its way from crops to embeddings."""

    sample: Sample
    sha256: str = ""
    frames: int = 0
    reason: str = _NO_FACE
    fresh: bool = False
    places: list[list[float]] = field(default_factory=list)
    crops: list[Image] = field(default_factory=list)
    faces: Embeddings = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class FaceReader:
    """What files are embedded with.

    Attributes:
        detector: Finds faces.
        embedder: Embeds them.
        every: Seconds between the frames of a video that are looked at.
        threads: Worker threads.
        batch_size: Faces embedded at a time.
        max_pixels: Larger pictures are refused unread.
        cache: None embeds everything anew.
    """

    detector: FaceDetector
    embedder: FaceEmbedder
    every: float = 0.5
    threads: int = 1
    batch_size: int = 32
    max_pixels: int = 120_000_000
    cache: FaceCache | None = None

    def read(
        self, samples: Sequence[Sample], alteration: Alteration | None = None, on_done: OnDone = lambda _: None
    ) -> FoundFaces:
        """Find and embed the largest face of every picture.

        Args:
            samples: The files and whom they show.
            alteration: What is done to every picture first; its face must have been found unaltered.
            on_done: Called with every file.
        """
        people: list[str] = []
        sources: list[str] = []
        places: list[Place] = []
        misses: list[Miss] = []
        vectors: list[Embeddings] = []
        for examined in self._embedded(samples, alteration):
            sample, faces = examined.sample, examined.faces
            people += [sample.person] * len(faces)
            sources += [examined.sha256] * len(faces)
            places += [_place(sample.path, row) for row in faces[:, :_PLACE].tolist()]
            vectors.append(faces[:, _PLACE:])
            if examined.frames > len(faces):
                misses.append(Miss(sample.person, sample.path, examined.frames - len(faces), examined.reason))
            on_done(sample)
        dim = self.embedder.contract.dim
        together = np.concatenate([v for v in vectors if len(v)] or [np.empty((0, dim), dtype=np.float32)])
        # NumPy takes an empty list for numbers; names must stay names.
        found = FaceSet(np.ascontiguousarray(together), np.array(people, dtype=str), np.array(sources, dtype=str))
        return FoundFaces(found, tuple(places), tuple(misses))

    def _embedded(self, samples: Sequence[Sample], alteration: Alteration | None) -> Iterator[_ExaminedFile]:
        recipe = self._recipe(alteration)
        examined = map_in_order(
            lambda sample: self._examined(sample, recipe, alteration),
            samples,
            threads=self.threads,
            ahead=4 * self.threads,
        )
        batch: list[_ExaminedFile] = []
        waiting = 0
        for one in examined:
            batch.append(one)
            waiting += len(one.crops)
            if waiting >= self.batch_size or len(batch) >= 8 * self.batch_size:
                yield from self._finish(batch, recipe)
                batch, waiting = [], 0
        yield from self._finish(batch, recipe)

    def _recipe(self, alteration: Alteration | None) -> str:
        """Everything besides the file that an embedding depends on."""
        parts = f"{fingerprint_of(self.embedder)} {fingerprint_of(self.detector)}"
        return f"{_RECIPE} {parts} {self.every:g} {alteration.key if alteration else ''}"

    def _examined(self, sample: Sample, recipe: str, alteration: Alteration | None) -> _ExaminedFile:
        try:
            sha256 = sha256_of(sample.path)
        except OSError as error:
            return _ExaminedFile(sample, frames=1, reason=f"cannot be read: {error.strerror}")
        known = self.cache.get(recipe, sha256) if self.cache else None
        if known is not None:
            return _ExaminedFile(sample, sha256, known[0], faces=known[1])
        examined = _ExaminedFile(sample, sha256, fresh=True)
        try:
            for time, image in self._pictures(sample.path):
                examined.frames += 1
                try:
                    shown, face, crop = self._face(image, alteration)
                except FaceError as error:
                    examined.reason = error.message.rstrip(".").lower()
                    continue
                box, quality = face.box, measure_quality(shown, face)
                at = np.nan if time is None else time
                examined.places.append([at, box.x, box.y, box.width, box.height, *astuple(quality)])
                examined.crops.append(crop)
        except (InputError, MissingExtraError) as error:
            # Damage is reported each time, never remembered: the next run's reader may support this kind.
            examined.fresh = False
            examined.frames += 1
            examined.reason = error.message.rstrip(".")
        return examined

    def _pictures(self, path: Path) -> Iterator[tuple[float | None, Image]]:
        if kind_of(path) != "video":
            yield None, read_image(path, self.max_pixels)
            return
        for frame in read_video(path, self.every):
            yield frame.time, frame.image

    def _face(self, image: Image, alteration: Alteration | None) -> tuple[Image, Face, Image]:
        """The picture as it was searched, its largest face, and the crop of that."""
        faces = find_faces(image, self.detector)
        if not faces:
            raise FaceError(_NO_FACE)
        if alteration is None:
            face = faces[0]
            return image, face, crop_of(image, face, self.embedder)
        if alteration.crop is not None:
            return image, faces[0], alteration.crop(image, faces[0])
        altered = alteration.change(image, faces[0])
        again = find_faces(altered, self.detector)
        if not again:
            raise FaceError("no face was found in the altered picture")
        return altered, again[0], crop_of(altered, again[0], self.embedder)

    def _finish(self, batch: list[_ExaminedFile], recipe: str) -> Iterator[_ExaminedFile]:
        vectors = embed_crops([crop for one in batch for crop in one.crops], self.embedder)
        start = 0
        for one in batch:
            if one.crops:
                part = vectors[start : start + len(one.crops)]
                one.faces = np.hstack([np.array(one.places, dtype=np.float32), part])
                start += len(one.crops)
        if self.cache:
            self.cache.put(recipe, [(one.sha256, one.frames, one.faces) for one in batch if one.fresh])
        yield from batch
