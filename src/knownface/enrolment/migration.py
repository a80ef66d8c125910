"""A gallery's templates embedded anew by another network, from their files or from what was kept of their faces.

Batch by batch vectors are made and committed beside those in use; when all are there, one transaction puts them in
place. A run that is stopped, by whatever, is gone on with by the next. Who is enrolled or removed meanwhile is seen:
after the last file the gallery is asked again what waits. Joined networks that get other weights need no files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder, reweighing
from knownface.enrolment.finding import FaceFinder
from knownface.gallery import Gallery, NetworkChange, WaitingFace
from knownface.pipeline import check_parts_fit, embed_crops, map_in_order
from knownface.types import Image


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
        finder = FaceFinder(self.detector, self.embedder, self.options.max_pixels)
        files = (file for file in self._files() if any(face.id not in self.lost for face in file))
        ahead = 2 * self.options.threads + self.options.batch_size
        found = map_in_order(finder.crops, files, threads=self.options.threads, ahead=ahead)
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
