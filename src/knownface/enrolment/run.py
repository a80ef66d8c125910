"""Photos and videos of people into a gallery, with a review of each file.

Every file is examined, the faces of a batch are embedded together, compared with the person's other pictures and with
everybody else, and committed in one transaction with what is refused and held back among them; only then are the
reviews handed out. So what was reported as enrolled is enrolled, whatever happens next, and a second run has nothing
left to do: files are known by their SHA-256, refused ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from knownface.detection import FaceDetector
from knownface.embedding import FaceEmbedder
from knownface.enrolment.scan import FileReview, PersonFolder, Status, refusal_of
from knownface.errors import (
    ConsentError,
    FaceError,
    InputError,
    LooksLikeOtherError,
    MissingExtraError,
    NoFaceError,
    SeveralFacesError,
    TooLargeError,
    UnreadableError,
)
from knownface.events.recording import jpeg
from knownface.files import sha256_of
from knownface.gallery import Gallery, NewHeld, NewTemplate, Refusal, name_key
from knownface.media import kind_of, read_image, read_video, video_info
from knownface.media.face_picture import FacePicture
from knownface.parts import digest_of, fingerprint_of
from knownface.pipeline import ExaminedFace, embed, examine, kept_picture, map_in_order
from knownface.review import (
    Offer,
    Opinion,
    PersonReview,
    PoorPictureError,
    ReviewRules,
    candidates,
    review,
    review_people,
)
from knownface.types import Embeddings

VIDEO_SECONDS = 0.5
"""Videos are sampled this often, less often if that would give more than ``VIDEO_FRAMES``: neighbouring frames are
nearly the same picture and teach nothing."""
VIDEO_FRAMES = 60
_WHICH = "Several faces, and the person's other pictures do not tell which is meant."
ELSEWHERE = "enrolled-elsewhere"
"""Why a file is not used that shows somebody else, who was enrolled from this very file: it was renamed or moved."""
_ELSEWHERE = (
    "This very file is enrolled as {name!r}. If the folder was renamed or the file moved, give the command with --sync."
)
RECIPE = 2
"""Version of how files are reviewed: raised when a change of it accepts what was refused."""


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
        person: How a picture is compared with the person's others and with everybody else; None is by the embedder's
            own parameters.
        source_of: What is noted of where a template is from, and shown to users; by itself the file's path.
        keep_crops: Whether the faces are kept with their templates, since their files will be gone.
    """

    rules: ReviewRules = field(default_factory=ReviewRules)
    batch_size: int = 32
    threads: int = 1
    max_pixels: int = 120_000_000
    person: PersonReview | None = None
    source_of: Callable[[Path], str] = lambda path: str(path.absolute())
    keep_crops: bool = False


@dataclass(frozen=True, slots=True)
class _Examined:
    """A file after its examination, before its faces are embedded."""

    person: str
    path: Path
    sha256: str = ""
    faces: tuple[tuple[float | None, ExaminedFace], ...] = ()
    pictures: tuple[FacePicture | None, ...] = ()  # of the faces, in their order, or none
    unclear: bool = False  # one of the faces is the person, and the file alone does not tell which
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
    key = review_key(detector, embedder, options.rules)
    known, refused = gallery.template_store.known_sources(), gallery.template_store.refusals(key)
    held, excluded = gallery.held_store.files(), gallery.template_store.excluded_files()
    how = options.person or PersonReview(embedder.contract.rule)
    taken = {name_key(person.name): person.name for person in gallery.people()}
    former = gallery.people_store.former_names()
    owners: dict[str, set[str]] = {}
    for owner, sha256 in known:
        owners.setdefault(sha256, set()).add(taken[owner])
    welcome: list[PersonFolder] = []
    demanded = gallery.consents.required
    missing = {person.name for person in gallery.consents.missing()} if demanded else set()
    for folder in people:
        person = PersonFolder(current_name(folder.name, former), folder.files)
        if demanded and (person.name in missing or name_key(person.name) not in taken):
            for path in person.files:
                yield refusal_of(path, person.name, ConsentError.code, f"{person.name!r} has given no valid consent.")
            continue
        twin = taken.get(name_key(person.name), person.name)
        if twin == person.name:
            welcome.append(person)
            continue
        text = f"The gallery has a {twin!r}, which differs only in letter case. Rename the folder or the person."
        for path in person.files:
            yield refusal_of(path, person.name, "name-taken", text)

    def examined(item: tuple[str, Path]) -> _Examined:
        person, path = item
        try:
            sha256 = sha256_of(path)
        except OSError as error:
            text = f"{path} cannot be read: {error.strerror}."
            return _Examined(person, path, refusal=refusal_of(path, person, UnreadableError.code, text))
        source = (name_key(person), sha256)
        if source in known:
            return _Examined(person, path, sha256, refusal=_known(path, person))
        if source in excluded:
            return _Examined(person, path, sha256, refusal=_excluded(path, person))
        if source in held:
            return _Examined(person, path, sha256, refusal=_held_before(path, person, held[source]))
        if source in refused:
            before = refused[source]
            return _Examined(person, path, sha256, refusal=refusal_of(path, person, before.reason, before.detail))
        return _examine_file(person, path, sha256, detector, embedder, options)

    items = ((person.name, path) for person in welcome for path in person.files)
    ahead = 2 * options.threads + options.batch_size
    files = map_in_order(examined, items, threads=options.threads, ahead=ahead)

    def embedded(batch: list[_Examined]) -> tuple[list[_Examined], Embeddings]:
        return batch, embed([face for item in batch for _, face in item.faces], embedder)

    # While a batch is committed the next is embedded, and the one after that is examined.
    for batch, vectors in map_in_order(embedded, _batches(files, options.batch_size), threads=1, ahead=2):
        yield from _commit(batch, vectors, gallery, how, key, options, owners)


def current_name(name: str, former: Mapping[str, tuple[str, str]]) -> str:
    """The name of the person whom a folder means, who may have been renamed, or joined into another, since.

    Args:
        name: The folder's.
        former: See :meth:`knownface.gallery.people_store.PeopleStore.former_names`.
    """
    return former.get(name_key(name), (name, name))[1]


def _excluded(path: Path, person: str) -> FileReview:
    text = f"It was taken out of {person}'s; `knownface people allow` lets it in again."
    return refusal_of(path, person, "excluded", text)


def _known(path: Path, person: str) -> FileReview:
    return FileReview(path, person, "known", "known", "Already enrolled for this person.")


def _held_before(path: Path, person: str, detail: str) -> FileReview:
    if detail:
        return FileReview(path, person, "held", "held", detail)
    return refusal_of(path, person, "rejected", "Somebody rejected it at the review.")


def _examine_file(
    person: str, path: Path, sha256: str, detector: FaceDetector, embedder: FaceEmbedder, options: EnrolmentOptions
) -> _Examined:
    try:
        if kind_of(path) == "video":
            return _examine_video(person, path, sha256, detector, embedder, options)
        image = read_image(path, options.max_pixels)
        found = examine(image, detector, embedder)
        try:
            chosen, unclear = review(found, options.rules), False
        except SeveralFacesError:
            chosen, unclear = candidates(found, options.rules), True
            if not chosen:
                raise
        pictures = tuple(kept_picture(image, face) for face in chosen) if options.keep_crops else ()
        return _Examined(person, path, sha256, tuple((None, face) for face in chosen), pictures, unclear)
    except (FaceError, InputError, MissingExtraError) as error:
        reason = error.reason if isinstance(error, PoorPictureError) else error.code
        hint = error.hint if isinstance(error, (TooLargeError, MissingExtraError)) else ""
        refusal = refusal_of(path, person, reason, f"{error.message} {hint}".strip())
        # What the detector saw stays so; a file that could not be read may be readable next time.
        return _Examined(person, path, sha256, refusal=refusal, lasting=isinstance(error, FaceError))


def _examine_video(
    person: str, path: Path, sha256: str, detector: FaceDetector, embedder: FaceEmbedder, options: EnrolmentOptions
) -> _Examined:
    faces: list[tuple[float | None, ExaminedFace]] = []
    pictures: list[FacePicture | None] = []
    every = max(VIDEO_SECONDS, (video_info(path).duration or 0.0) / VIDEO_FRAMES)
    last: FaceError | None = None
    frames = 0
    for frame in read_video(path, every):
        frames += 1
        try:
            for face in review(examine(frame.image, detector, embedder), options.rules):
                faces.append((frame.time, face))
                pictures += [kept_picture(frame.image, face)] if options.keep_crops else []
        except FaceError as error:
            last = error
    if not faces:
        last = last or NoFaceError("No frame could be read.")
        last.message = f"None of {frames} frames could be used; the last: {last.message}"
        raise last
    return _Examined(person, path, sha256, tuple(faces), tuple(pictures))


def _batches(examined: Iterable[_Examined], batch_size: int) -> Iterator[list[_Examined]]:
    """Whole people, as far as they have not too many files: pictures of one person are compared with each other."""
    batch: list[_Examined] = []
    faces = 0
    for item in examined:
        most = max(faces, len(batch))
        if batch and (most >= 8 * batch_size or (faces >= batch_size and batch[-1].person != item.person)):
            yield batch
            batch, faces = [], 0
        batch.append(item)
        faces += len(item.faces)
    if batch:
        yield batch


def _commit(
    batch: Sequence[_Examined],
    vectors: Embeddings,
    gallery: Gallery,
    how: PersonReview,
    key: str,
    options: EnrolmentOptions,
    owners: Mapping[str, set[str]],
) -> list[FileReview]:
    templates: list[tuple[str, NewTemplate]] = []
    held: list[tuple[str, NewHeld]] = []
    reviews: list[FileReview] = []
    refusals = [
        (item.person, Refusal(options.source_of(item.path), item.sha256, key, item.refusal.reason, item.refusal.text))
        for item in batch
        if item.refusal is not None and item.lasting
    ]
    for item, rows, opinion in _with_opinions(batch, vectors, gallery, how):
        if item.refusal is not None:
            reviews.append(item.refusal)
            continue
        doubt = None if how.mode == "off" else opinion.doubt
        if not opinion.faces:
            reviews.append(refusal_of(item.path, item.person, SeveralFacesError.code, _WHICH))
        elif doubt is None:
            new = _templates_of(item, rows, opinion.faces, options)
            templates += [(item.person, template) for template in new]
            left_out = len(item.faces) - len(opinion.faces)
            text = opinion.note or (f"{left_out} frames that show somebody else were left out." if left_out else "")
            reviews.append(FileReview(item.path, item.person, "enrolled", "", text))
        elif isinstance(doubt, LooksLikeOtherError) and doubt.name in owners.get(item.sha256, ()):
            reviews.append(refusal_of(item.path, item.person, ELSEWHERE, _ELSEWHERE.format(name=doubt.name)))
        elif how.mode == "refuse":
            reviews.append(refusal_of(item.path, item.person, doubt.code, doubt.message))
        else:
            for template, index in zip(_templates_of(item, rows, opinion.faces, options), opinion.faces, strict=True):
                crop = jpeg(item.faces[index][1].crop)
                held.append((item.person, NewHeld(template, doubt.code, doubt.message, crop)))
            reviews.append(FileReview(item.path, item.person, "held", doubt.code, doubt.message))
    if not templates and not refusals and not held:
        return reviews
    enrolled = gallery.enrol(templates, refusals, held)
    added = dict(enrolled.added)
    counted = []
    for found, item in zip(reviews, batch, strict=True):
        if found.status != "enrolled":
            counted.append(found)
            continue
        # The gallery knows what was new: the same picture may lie twice in a folder, or another program was faster.
        count = added.pop((name_key(item.person), item.sha256), 0)
        done = replace(found, templates=count) if count else _known(item.path, item.person)
        counted.append(_with_warning(done, item, enrolled.people_of_files))
    return counted


def _with_opinions(
    batch: Sequence[_Examined], vectors: Embeddings, gallery: Gallery, how: PersonReview
) -> Iterator[tuple[_Examined, Embeddings, Opinion]]:
    """The files of a batch with their embeddings and, of those that can be used, the opinion on their faces."""
    stops = np.cumsum([len(item.faces) for item in batch])
    rows = [vectors[stop - len(item.faces) : stop] for item, stop in zip(batch, stops, strict=True)]
    kept = [_one_person_of(item, own, how.rule.threshold) for item, own in zip(batch, rows, strict=True)]
    people: dict[str, list[Offer]] = {}
    for item, own, keep in zip(batch, rows, kept, strict=True):
        if item.refusal is None:
            people.setdefault(item.person, []).append(Offer(item.path.name, own[keep], not item.unclear))
    opinions = dict(zip(people, map(iter, review_people(gallery, how, list(people.items()))), strict=True))
    for item, own, keep in zip(batch, rows, kept, strict=True):
        if item.refusal is not None:
            yield item, own, Opinion(())
            continue
        opinion = next(opinions[item.person])
        yield item, own, replace(opinion, faces=tuple(keep[index] for index in opinion.faces))


def _with_warning(found: FileReview, item: _Examined, people_of_files: dict[str, list[str]]) -> FileReview:
    twins = [name for name in people_of_files.get(item.sha256, []) if name_key(name) != name_key(item.person)]
    if found.status != "enrolled" or not twins:
        return found
    text = f"The same file is enrolled for {' and '.join(twins)} too."
    return replace(found, reason="also-other", text=text)


def _one_person_of(item: _Examined, vectors: Embeddings, threshold: float) -> list[int]:
    """The faces of one file. Of a video, frames that show somebody else than most frames do are left out."""
    keep = list(range(len(item.faces)))
    if len(keep) > 2 and item.faces[0][0] is not None:
        distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
        medoid = int(np.median(distances, axis=1).argmin())
        keep = [i for i in keep if distances[i, medoid] <= threshold]
    return keep


def _templates_of(
    item: _Examined, vectors: Embeddings, faces: Sequence[int], options: EnrolmentOptions
) -> list[NewTemplate]:
    return [
        NewTemplate(
            vector=vectors[index],
            source=options.source_of(item.path),
            source_sha256=item.sha256,
            frame_time=item.faces[index][0],
            face_index=place if item.faces[index][0] is None else 0,
            box=item.faces[index][1].face.box,
            quality=item.faces[index][1].quality.score,
            picture=item.pictures[index] if item.pictures else None,
        )
        for place, index in enumerate(faces)
    ]


def review_key(detector: FaceDetector, embedder: FaceEmbedder, rules: ReviewRules) -> str:
    """Digest of what a refusal depended on; with other rules, or once a part was mended, the file is examined again."""
    depended = {
        "detector": fingerprint_of(detector),
        "embedder": fingerprint_of(embedder),  # whose crop refuses faces too
        "rules": repr(rules),
        "review": RECIPE,
    }
    return digest_of(depended)[:16]
