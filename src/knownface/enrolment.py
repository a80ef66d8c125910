"""Folders of photos and videos into a gallery, with a review of each file.

Every file is examined, the faces of a batch are embedded together, and the batch is committed in one transaction with
the refusals among it; only then are its reviews handed out. So what was reported as enrolled is enrolled, whatever
happens next, and a second run has nothing left to do: files are known by their SHA-256, refused ones too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.errors import BadNameError, FaceError, InputError, MissingExtraError, UnreadableError
from knownface.files import sha256_of
from knownface.gallery import Gallery, NewTemplate, Refusal, clean_name, name_key
from knownface.media import kind_of, natural_key, read_image, read_video, video_info
from knownface.pipeline import ExaminedFace, embed, examine, map_in_order
from knownface.review import PoorPictureError, ReviewRules, review
from knownface.types import Embeddings

Status: TypeAlias = Literal["enrolled", "known", "refused"]

VIDEO_SECONDS = 0.5
"""Videos are sampled this often, less often if that would give more than ``VIDEO_FRAMES``: neighbouring frames are
nearly the same picture and teach nothing."""
VIDEO_FRAMES = 60


@dataclass(frozen=True, slots=True)
class PersonFolder:
    """A person's name and the files to learn them from."""

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class FileReview:
    """What became of one file, or of one folder that could not be a person.

    Attributes:
        path: The file or folder.
        person: The name as its folder has it.
        status: ``enrolled``, ``known`` (enrolled before) or ``refused``.
        reason: A stable word: empty if enrolled, else such as ``no-face`` or ``unreadable``.
        text: The sentence a user reads: why it was refused, or a warning about an enrolled one.
        templates: How many templates it gave.
    """

    path: Path
    person: str
    status: Status
    reason: str = ""
    text: str = ""
    templates: int = 0


@dataclass(frozen=True, slots=True)
class PeopleScan:
    """What a folder of people holds, before anything is read."""

    people: tuple[PersonFolder, ...]
    problems: tuple[FileReview, ...]

    @property
    def file_count(self) -> int:
        """Files that will be looked at."""
        return sum(len(person.files) for person in self.people)


@dataclass(frozen=True, slots=True)
class EnrolmentReport:
    """All reviews of one enrolment."""

    reviews: tuple[FileReview, ...]

    @property
    def templates(self) -> int:
        """Templates added."""
        return sum(review.templates for review in self.reviews)

    def count(self, status: Status) -> int:
        """Files with this status."""
        return sum(review.status == status for review in self.reviews)


@dataclass(frozen=True, slots=True)
class EnrolmentOptions:
    """How files are examined.

    Attributes:
        rules: Which faces are meant and how good they must be.
        batch_size: Faces embedded, and files committed, at a time.
        threads: Worker threads.
        max_pixels: Larger pictures are refused unread.
    """

    rules: ReviewRules = field(default_factory=ReviewRules)
    batch_size: int = 32
    threads: int = 1
    max_pixels: int = 120_000_000


def scan_people(directory: str | Path) -> PeopleScan:
    """Find a person in every subfolder: its pictures and videos, or those of its ``train`` folder where it has one.

    Raises:
        UnreadableError: There is no such folder, or nobody in it.
    """
    root = Path(directory)
    if not root.is_dir():
        raise UnreadableError(f"There is no folder {root}.", "Give a folder that holds one folder a person.")
    people: dict[str, PersonFolder] = {}
    problems = []
    entries = sorted((e for e in root.iterdir() if not e.name.startswith(".")), key=natural_key)
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders:
        raise UnreadableError(
            f"{root} holds no folders, so nobody can be learnt from it.",
            "Put each person's pictures into a folder with the person's name, and give the folder above.",
        )
    for entry in entries:
        if entry not in folders:
            if kind_of(entry):
                problems.append(_problem(entry, "", "no-person", "Lies in no person's folder."))
            continue
        try:
            name, files = clean_name(entry.name), _files_of(entry)
        except BadNameError as error:
            problems.append(_problem(entry, entry.name, error.code, error.message))
            continue
        except PermissionError:
            problems.append(_problem(entry, entry.name, "unreadable", "The folder may not be read."))
            continue
        twin = people.get(name_key(name))
        if twin:
            text = f"The name differs from {twin.name!r} only in letter case. Rename one folder, or join the two."
            problems.append(_problem(entry, name, "name-taken", text))
        elif not files:
            problems.append(_problem(entry, name, "no-pictures", "The folder holds no picture and no video."))
        else:
            people[name_key(name)] = PersonFolder(name, files)
    return PeopleScan(tuple(people.values()), tuple(problems))


def _files_of(folder: Path) -> tuple[Path, ...]:
    train = folder / "train"
    where = train if train.is_dir() else folder
    # A file that cannot be told by its name or beginning is kept out here; a damaged picture is kept in and reported.
    return tuple(sorted((f for f in where.iterdir() if f.is_file() and kind_of(f)), key=natural_key))


def _problem(path: Path, person: str, reason: str, text: str) -> FileReview:
    return FileReview(path, person, "refused", reason, text)


@dataclass(frozen=True, slots=True)
class _Examined:
    """A file after its examination, before its faces are embedded."""

    person: str
    path: Path
    sha256: str = ""
    faces: tuple[tuple[float | None, ExaminedFace], ...] = ()
    refusal: FileReview | None = None
    lasting: bool = False  # the refusal depends on nothing but the file's content and the rules


def enrol_people(
    people: Iterable[PersonFolder],
    gallery: Gallery,
    detector: FaceDetector,
    embedder: FaceEmbedder,
    options: EnrolmentOptions,
) -> Iterator[FileReview]:
    """Enrol the files of these people; a file's review is handed out once it is committed.

    Raises:
        ContractMismatchError: Another embedder filled the gallery.
        GalleryError, OutputError: The gallery cannot be written; what was handed out before is enrolled.
    """
    gallery.bind(embedder.contract)
    key = review_key(detector, options.rules)
    known, refused = gallery.known_sources(), gallery.refusals(key)
    taken = {name_key(person.name): person.name for person in gallery.people()}

    def look(item: tuple[str, Path]) -> _Examined:
        person, path = item
        try:
            sha256 = sha256_of(path)
        except OSError as error:
            text = f"{path} cannot be read: {error.strerror}."
            return _Examined(person, path, refusal=_problem(path, person, UnreadableError.code, text))
        source = (name_key(person), sha256)
        if source in known:
            text = "Already enrolled for this person."
            return _Examined(person, path, sha256, refusal=FileReview(path, person, "known", "known", text))
        if source in refused:
            before = refused[source]
            return _Examined(person, path, sha256, refusal=_problem(path, person, before.reason, before.detail))
        return _examine_file(person, path, sha256, detector, embedder, options)

    def items() -> Iterator[tuple[str, Path]]:
        for person in people:
            for path in person.files:
                yield person.name, path

    clashes = {p.name: taken[name_key(p.name)] for p in people if taken.get(name_key(p.name), p.name) != p.name}
    people = [person for person in people if person.name not in clashes]
    for name, twin in clashes.items():
        text = f"The gallery has a {twin!r}, which differs only in letter case. Rename the folder or the person."
        yield _problem(Path(name), name, "name-taken", text)
    examined = map_in_order(look, items(), threads=options.threads, ahead=4 * options.threads)
    for batch in _batches(examined, options.batch_size):
        yield from _commit(batch, gallery, embedder, key)


def _examine_file(
    person: str, path: Path, sha256: str, detector: FaceDetector, embedder: FaceEmbedder, options: EnrolmentOptions
) -> _Examined:
    look = partial(_look_at_video if kind_of(path) == "video" else _look_at_photo, path)
    try:
        return _Examined(person, path, sha256, tuple(look(detector, embedder, options)))
    except PoorPictureError as error:
        refusal, lasting = _problem(path, person, error.reason, error.message), True
    except (FaceError, InputError) as error:
        refusal, lasting = _problem(path, person, error.code, error.message), True
    except MissingExtraError as error:
        refusal, lasting = _problem(path, person, error.code, f"{error.message} {error.hint}"), False
    return _Examined(person, path, sha256, refusal=refusal, lasting=lasting)


def _look_at_photo(
    path: Path, detector: FaceDetector, embedder: FaceEmbedder, options: EnrolmentOptions
) -> Iterator[tuple[float | None, ExaminedFace]]:
    image = read_image(path, options.max_pixels)
    for face in review(examine(image, detector, embedder), options.rules):
        yield None, face


def _look_at_video(
    path: Path, detector: FaceDetector, embedder: FaceEmbedder, options: EnrolmentOptions
) -> Iterator[tuple[float | None, ExaminedFace]]:
    every = max(VIDEO_SECONDS, (video_info(path).duration or 0.0) / VIDEO_FRAMES)
    last: FaceError | None = None
    found = frames = 0
    for frame in read_video(path, every):
        frames += 1
        try:
            for face in review(examine(frame.image, detector, embedder), options.rules):
                found += 1
                yield frame.time, face
        except FaceError as error:
            last = error
    if last is not None and not found:
        last.message = f"None of {frames} frames could be used; the last: {last.message}"
        raise last


def _batches(examined: Iterable[_Examined], batch_size: int) -> Iterator[list[_Examined]]:
    batch: list[_Examined] = []
    for item in examined:
        batch.append(item)
        if sum(len(e.faces) for e in batch) >= batch_size or len(batch) >= 8 * batch_size:
            yield batch
            batch = []
    if batch:
        yield batch


def _commit(batch: Sequence[_Examined], gallery: Gallery, embedder: FaceEmbedder, key: str) -> list[FileReview]:
    faces = [face for item in batch for _, face in item.faces]
    vectors = embed(faces, embedder)
    templates: list[tuple[str, NewTemplate]] = []
    refusals: list[tuple[str, Refusal]] = []
    reviews: list[FileReview] = []
    start = 0
    for item in batch:
        rows = vectors[start : start + len(item.faces)]
        start += len(item.faces)
        if item.refusal is not None:
            reviews.append(item.refusal)
            if item.lasting:
                why = Refusal(str(item.path), item.sha256, key, item.refusal.reason, item.refusal.text)
                refusals.append((item.person, why))
            continue
        new, text = _templates_of(item, rows, embedder.contract.rule.threshold)
        templates += [(item.person, template) for template in new]
        reviews.append(FileReview(item.path, item.person, "enrolled", "", text, len(new)))
    others = gallery.enrol(templates, refusals)
    return [_with_warning(found, item, others) for found, item in zip(reviews, batch, strict=True)]


def _with_warning(found: FileReview, item: _Examined, others: dict[str, list[str]]) -> FileReview:
    twins = [name for name in others.get(item.sha256, []) if name_key(name) != name_key(item.person)]
    if found.status != "enrolled" or not twins:
        return found
    text = f"The same file is enrolled for {' and '.join(twins)} too."
    return replace(found, reason="also-other", text=text)


def _templates_of(item: _Examined, vectors: Embeddings, threshold: float) -> tuple[list[NewTemplate], str]:
    """The templates of one file. Of a video, frames that show somebody else than most frames do are left out."""
    keep = list(range(len(item.faces)))
    text = ""
    if item.faces[0][0] is not None and len(keep) > 2:
        distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
        medoid = int(np.median(distances, axis=1).argmin())
        keep = [i for i in keep if distances[i, medoid] <= threshold]
        left_out = len(item.faces) - len(keep)
        text = f"{left_out} frames that show somebody else were left out." if left_out else ""
    templates = []
    for index in keep:
        time, face = item.faces[index]
        templates.append(
            NewTemplate(
                vector=vectors[index],
                source=str(item.path.absolute()),
                source_sha256=item.sha256,
                frame_time=time,
                face_index=index if time is None else 0,
                box=face.face.box,
                quality=face.quality.score,
            )
        )
    return templates, text


def review_key(detector: FaceDetector, rules: ReviewRules) -> str:
    """Digest of what a refusal depended on; with other rules or another detector the file is looked at again."""
    return hashlib.sha256(f"1 {detector.name} {rules!r}".encode()).hexdigest()[:16]
