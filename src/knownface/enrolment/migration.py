"""A gallery's templates embedded anew by another network, from their files or from what was kept of their faces.

Batch by batch vectors are made and committed beside those in use; when all are there, one transaction puts them in
place. A run that is stopped, by whatever, is gone on with by the next. Who is enrolled or removed meanwhile is seen:
after the last file the gallery is asked again what waits. Joined networks that get other weights need no files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder, reweighing
from knownface.errors import FaceError, InputError, MissingExtraError, UnreadableError
from knownface.files import sha256_of
from knownface.gallery import Gallery, NetworkChange, WaitingFace
from knownface.media import kind_of, read_image, read_video
from knownface.pipeline import check_parts_fit, crop_of, embed_crops, examine, map_in_order
from knownface.types import Box, Face, Image, box_iou

_SAME_FACE = 0.3
"""Overlap (intersection over union) of two detectors' boxes of one face: HOG's square one and YuNet's tall one have
0.5 to 0.7, those of neighbouring faces next to nothing."""
_SAME_MOMENT = 0.002
"""Seconds between the time noted of a frame and the frame's own; frames are at least 4 ms apart."""


@dataclass(frozen=True, slots=True)
class MigrationOptions:
    """How files are read.

    Attributes:
        batch_size: Files read, and faces committed, at a time, about.
        threads: Worker threads.
        max_pixels: Larger pictures are refused unread.
    """

    batch_size: int = 32
    threads: int = 1
    max_pixels: int = 120_000_000


@dataclass(frozen=True, slots=True)
class MigratedFace:
    """What became of one template.

    Attributes:
        face: The template.
        reason: Empty if it has its new vector; else why not, a sentence.
    """

    face: WaitingFace
    reason: str = ""


@dataclass(slots=True)
class Migration:
    """One run of a change of network; iterate over it, then look at what came of it.

    Args:
        gallery: Whose templates.
        detector: Finds the faces in the files again.
        embedder: The new network.
        options: How files are read.
        leave_out: Whether templates whose faces are not found again are set aside and the change is made; else it is
            not made while there is one.

    Attributes:
        done: Faces that have their new vector.
        total: Faces there were at the beginning.
        lost: What was not found again.
        change: What was done in the end; None where it was not: something is lost, and ``leave_out`` is False.

    Raises:
        ModelError: The network needs landmarks that the detector does not give.
        GalleryEmptyError: Nobody is enrolled.
    """

    gallery: Gallery
    detector: FaceDetector
    embedder: FaceEmbedder
    options: MigrationOptions = field(default_factory=MigrationOptions)
    leave_out: bool = False
    done: int = 0
    total: int = 0
    lost: dict[int, MigratedFace] = field(default_factory=dict)
    change: NetworkChange | None = None
    _number: int = 0

    def __post_init__(self) -> None:
        check_parts_fit(self.detector, self.embedder)
        before = self.gallery.contract
        self._number = self.gallery.migration.begin(self.embedder.contract)
        if before is not None and (reweigh := reweighing(before, self.embedder)) is not None:
            self.gallery.migration.make_from_own(self._number, reweigh)
        self.done, self.total = self.gallery.migration.counts(self._number)

    def __iter__(self) -> Iterator[MigratedFace]:
        """Embed what waits, then change the network; a face is handed out once its vector is on the disk.

        Raises:
            ModelError, PartError: The network or the detector fails.
            GalleryError, OutputError: The gallery cannot be written; nothing that is searched has changed, and the
                next run goes on from here.
        """
        while True:
            yield from self._embed_waiting()
            if self.lost and not self.leave_out:
                return
            why = {template_id: face.reason for template_id, face in self.lost.items()}
            self.change = self.gallery.migration.change(self._number, why)
            if self.change is not None:
                return

    def _embed_waiting(self) -> Iterator[MigratedFace]:
        files = (file for file in self._files() if any(face.id not in self.lost for face in file))
        ahead = 2 * self.options.threads + self.options.batch_size
        found = map_in_order(self._read, files, threads=self.options.threads, ahead=ahead)
        batch: list[tuple[WaitingFace, Image]] = []
        for crops, lost in found:
            for face, reason in lost:
                self.lost[face.id] = MigratedFace(face, reason)
                yield self.lost[face.id]
            batch += crops
            if len(batch) >= self.options.batch_size:
                yield from self._commit(batch)
                batch = []
        if batch:
            yield from self._commit(batch)

    def _files(self) -> Iterator[Sequence[WaitingFace]]:
        after = ""
        while files := self.gallery.migration.next_files(self._number, after, 8 * self.options.batch_size):
            yield from files
            after = files[-1][0].source_sha256

    def _commit(self, batch: Sequence[tuple[WaitingFace, Image]]) -> Iterator[MigratedFace]:
        faces = [face for face, _ in batch]
        vectors = embed_crops([crop for _, crop in batch], self.embedder)
        self.gallery.migration.keep(self._number, faces, vectors)
        self.done += len(faces)
        for face in faces:
            self.lost.pop(face.id, None)
            yield MigratedFace(face)

    def _read(
        self, faces: Sequence[WaitingFace]
    ) -> tuple[list[tuple[WaitingFace, Image]], list[tuple[WaitingFace, str]]]:
        """The new network's crops of the faces of one file, and why others have none."""
        crops: dict[int, Image] = {}
        why = dict.fromkeys((face.id for face in faces), "The video has no frame of that time any more.")
        try:
            for time, image in _pictures(faces, self.options.max_pixels):
                for face in faces:
                    if face.frame_time == time:
                        try:
                            crops[face.id] = self._crop(image, face.box)
                        except FaceError as error:
                            why[face.id] = error.message
        except (InputError, MissingExtraError) as error:
            why |= dict.fromkeys((face.id for face in faces), error.message)
        for face in faces:
            if face.id not in crops:
                try:
                    crops[face.id] = self._crop_of_kept(face)
                except (FaceError, InputError) as error:
                    why[face.id] += f" {error.message}"
        found = [(face, crops[face.id]) for face in faces if face.id in crops]
        return found, [(face, why[face.id]) for face in faces if face.id not in crops]

    def _crop(self, image: Image, box: Box | None) -> Image:
        """The crop of the face that was at a place, as enrolling it now would make it.

        Raises:
            FaceError: It is not found, or lacks what the crop is made from.
        """
        faces = examine(image, self.detector, self.embedder)
        if box is None:
            if len(faces) != 1:
                raise FaceError(f"{len(faces)} faces, and which of them was enrolled is not known.")
            return faces[0].crop
        near = max(faces, key=lambda found: box_iou(found.face.box, box), default=None)
        if near is not None and box_iou(near.face.box, box) >= _SAME_FACE:
            return near.crop
        try:  # an embedder that needs no landmarks
            return crop_of(image, Face.without_landmarks(box, 1.0), self.embedder)
        except FaceError as error:
            raise FaceError(f"{self.detector.name} does not find the face again.") from error

    def _crop_of_kept(self, face: WaitingFace) -> Image:
        """The crop of the picture that was kept of a face.

        Raises:
            FaceError: None was kept, or it lacks what the crop is made from.
            InputError: It cannot be read.
        """
        if face.picture is None:
            raise FaceError("No picture of the face was kept.")
        image, noted = face.picture.read()
        if noted is None:
            return self._crop(image, None)
        try:
            return crop_of(image, noted, self.embedder)
        except FaceError:  # a detector without landmarks found it
            return self._crop(image, noted.box)


def _pictures(faces: Sequence[WaitingFace], max_pixels: int) -> Iterator[tuple[float | None, Image]]:
    """The pictures of a file that these faces are on, with their times.

    Raises:
        InputError: The file is gone, has another content, or cannot be read.
        MissingExtraError: A package that reads it is missing.
    """
    path = Path(faces[0].source)
    if not path.is_absolute():
        raise UnreadableError("The picture came from no file.")
    try:
        if not path.is_file():
            raise UnreadableError("The file is not there any more.")
        if sha256_of(path) != faces[0].source_sha256:
            raise UnreadableError("The file has another content than was enrolled.")
    except OSError as error:
        raise UnreadableError(f"The file cannot be read: {error.strerror}.") from error
    if kind_of(path) != "video":
        yield None, read_image(path, max_pixels)
        return
    wanted = sorted({face.frame_time for face in faces if face.frame_time is not None})
    for frame in read_video(path):
        while wanted and frame.time is not None and wanted[0] < frame.time - _SAME_MOMENT:
            del wanted[0]
        if not wanted:
            return
        if frame.time is not None and abs(frame.time - wanted[0]) <= _SAME_MOMENT:
            yield wanted.pop(0), frame.image
