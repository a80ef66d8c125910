"""Uploaded files: how they are named and read, and what is done with one on a worker's thread."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi import UploadFile

from knownface.answers import Identification, PictureReview
from knownface.errors import (
    DoubtfulError,
    FaceError,
    InputError,
    KnownFaceError,
    MissingExtraError,
    NoFaceError,
    TooLargeError,
)
from knownface.gallery import PersonKey
from knownface.media import read_image
from knownface.pipeline import embed, examine
from knownface.review import FacePolicy
from knownface.server.context import Service
from knownface.server.pictures import UPLOADED
from knownface.types import Image

_LONGEST_LABEL = 120


@dataclass(frozen=True, slots=True, eq=False)
class NamedUpload:
    """A picture and who is on it, or the error."""

    width: int
    height: int
    found: tuple[Identification, ...]
    error: KnownFaceError | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Enrolled:
    """What came of a picture that a person was to be enrolled from."""

    status: Literal["enrolled", "known", "held", "refused"]
    review: PictureReview | None
    templates: tuple[int, ...] = ()
    added: int = 0
    error: KnownFaceError | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stranger:
    """What came of a picture of a stranger."""

    status: Literal["taken", "known", "refused"]
    error: KnownFaceError | None = None


def label_of(upload: UploadFile) -> str:
    """What an upload is called, for people: the last part of its name, printable, of bounded length.

    It is shown and stored, never opened.
    """
    last = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    printable = "".join(c if unicodedata.category(c)[0] not in "CZ" or c == " " else "?" for c in last)
    return printable.strip()[:_LONGEST_LABEL]


def content_of(upload: UploadFile, service: Service) -> bytes:
    """The bytes of an upload; on a worker's thread, so that only as many are in memory as are looked at.

    Raises:
        TooLargeError: There are more than the service takes.
    """
    most = service.settings.max_upload_bytes
    if (upload.size or 0) > most:
        raise TooLargeError(f"The file has {upload.size} bytes; at most {most} are taken.", "Make the picture smaller.")
    return upload.file.read()


def identify(service: Service, top: int, allow_repeats: bool, upload: UploadFile) -> NamedUpload:
    """Who is on a picture.

    Raises:
        InputError: It cannot be read.
    """
    image = picture_of(service, upload)
    found = service.recognizer.identify(image, allow_repeats=allow_repeats, top=top)
    for face in found:
        service.metrics.decided(face.decision)
    return NamedUpload(image.shape[1], image.shape[0], tuple(found))


def identify_or_error(service: Service, top: int, allow_repeats: bool, upload: UploadFile) -> NamedUpload:
    """The same, with an error in the place of the answer."""
    try:
        return identify(service, top, allow_repeats, upload)
    except (InputError, FaceError, MissingExtraError) as error:
        return NamedUpload(0, 0, (), error)


def stranger(service: Service, upload: UploadFile) -> Stranger:
    """Take a picture along as that of somebody who is not enrolled: its largest face counts."""
    recognizer = service.recognizer
    try:
        content = content_of(upload, service)
        image = read_image(content, recognizer.settings.max_pixels)
        embedder = recognizer.follow()
        faces = examine(image, recognizer.detector, embedder)[:1]
        found = embed(faces, embedder)[0] if faces else None
        new = service.strangers.add(embedder.contract.fingerprint, hashlib.sha256(content).hexdigest(), found)
    except (InputError, MissingExtraError) as error:
        return Stranger("refused", error)
    if not new:
        return Stranger("known")
    return Stranger("taken") if faces else Stranger("refused", NoFaceError("No face was found."))


def picture_of(service: Service, upload: UploadFile) -> Image:
    """An upload as an image.

    Raises:
        InputError: It cannot be read.
    """
    return read_image(content_of(upload, service), service.recognizer.settings.max_pixels)


def examine_to_enrol(service: Service, policy: FacePolicy, upload: UploadFile) -> PictureReview | KnownFaceError:
    """The review of an upload by itself, or why there is none."""
    try:
        source = f"{UPLOADED}{label_of(upload)}"
        return service.recognizer.examine_picture(content_of(upload, service), faces=policy, source=source)
    except (InputError, FaceError, MissingExtraError) as error:
        return error


def compare(
    service: Service, person: PersonKey | None, examined: Sequence[PictureReview | KnownFaceError], *, insist: bool
) -> list[PictureReview | KnownFaceError]:
    """The reviews of uploads together: is it this person, and which of several faces is it."""
    reviews = [found for found in examined if isinstance(found, PictureReview)]
    compared = iter(service.recognizer.compare_pictures(person, reviews, insist=insist))
    return [next(compared) if isinstance(found, PictureReview) else found for found in examined]


def enrol(service: Service, person_id: int, is_not: bool, found: PictureReview | KnownFaceError) -> Enrolled:
    """Enrol a person from a reviewed upload; what is enrolled or held back is on the disk when this returns.

    Raises:
        UnknownPersonError: There is nobody of this id.
        GalleryError, OutputError: It cannot be written.
    """
    if isinstance(found, KnownFaceError):
        return Enrolled("refused", None, error=found)
    recognizer = service.recognizer
    added = recognizer.enrol_reviewed(person_id, found, is_not=is_not)
    if found.error is not None:
        held = isinstance(found.error, DoubtfulError) and recognizer.settings.review == "hold"
        return Enrolled("held" if held else "refused", found, error=found.error)
    same = [
        template
        for template in recognizer.gallery.templates(person_id)
        if template.source_sha256 == found.sha256 and template.negative == is_not
    ]
    service.metrics.enrolled(added)
    return Enrolled("enrolled" if added else "known", found, tuple(t.id for t in same), added)
