"""Faces that were enrolled, found again for another embedder: in their files, or in what was kept of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.errors import FaceError, InputError, MissingExtraError, UnreadableError
from knownface.files import sha256_of
from knownface.gallery import WaitingFace
from knownface.media import kind_of, read_image, read_video
from knownface.pipeline import crop_of, examine
from knownface.types import Box, Face, Image, box_iou

_SAME_FACE = 0.3
"""Overlap (intersection over union) of two detectors' boxes of one face: HOG's square one and YuNet's tall one have
0.5 to 0.7, those of neighbouring faces next to nothing."""
_SAME_MOMENT = 0.002
"""Seconds between the time noted of a frame and the frame's own; frames are at least 4 ms apart."""


@dataclass(frozen=True, slots=True)
class FaceFinder:
    """Finds faces again.

    Attributes:
        detector: Finds the faces in a picture.
        embedder: Whose crops are wanted.
        max_pixels: Larger pictures are refused unread.
    """

    detector: FaceDetector
    embedder: FaceEmbedder
    max_pixels: int

    def crops(
        self, faces: Sequence[WaitingFace]
    ) -> tuple[list[tuple[WaitingFace, Image]], list[tuple[WaitingFace, str]]]:
        """The new network's crops of the faces of one file, and why others have none."""
        crops: dict[int, Image] = {}
        why = dict.fromkeys((face.id for face in faces), "The video has no frame of that time any more.")
        try:
            for time, image in _pictures(faces, self.max_pixels):
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
