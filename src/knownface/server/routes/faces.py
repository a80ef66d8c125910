"""Who is on a picture; whether two are one; what a picture is good for."""

from __future__ import annotations

from functools import partial
from typing import Annotated, TypeAlias

from fastapi import File, Form, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from knownface.answers import PictureReview, Verification
from knownface.errors import (
    BadRequestError,
    BusyError,
    GalleryEmptyError,
    InputError,
    NoFaceError,
    SeveralFacesError,
    TooLargeError,
    UnknownPersonError,
    UnreadableError,
    UnsupportedError,
)
from knownface.review import FacePolicy
from knownface.server import uploads
from knownface.server.access import Caller, guarded_router, needs
from knownface.server.context import Service
from knownface.server.error_responses import errors, problem_of
from knownface.server.looking import LookingDep
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.faces import (
    BatchAnswer,
    BatchItem,
    NamedPicture,
    ReviewBatch,
    ReviewBatchItem,
    ReviewSchema,
    VerificationSchema,
    named_face,
    reviewed_face,
)

router = guarded_router("faces")

Top: TypeAlias = Annotated[int, Form(ge=0, le=20, description="How many candidates are listed.")]
Repeats: TypeAlias = Annotated[
    bool, Form(description="Whether one person may be given to several faces, as on a poster.")
]
FacePolicyForm: TypeAlias = Annotated[FacePolicy, Form(description="Which of several faces is meant.")]
WhoForm: TypeAlias = Annotated[
    int | None, Form(ge=1, le=2**31 - 1, description="Who is to be enrolled; left out: somebody new.")
]
Picture: TypeAlias = Annotated[
    UploadFile, File(description="JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF; HEIC if installed.")
]

_PICTURE_ERRORS = (UnreadableError, UnsupportedError, TooLargeError, InputError, BusyError)


@router.post(
    "/identify",
    dependencies=needs("device"),
    responses=errors(*_PICTURE_ERRORS),
    response_model=NamedPicture,
    summary="Name the faces of a picture",
)
async def identify(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    picture: Picture,
    top: Top = 5,
    allow_repeats: Repeats = False,
) -> Response:
    """Finds the faces of one picture and says of each who it is, or that it is Unknown, and why.

    In one picture a person is given to at most one face, the nearest, unless `allow_repeats` says otherwise. A key of
    the role `device` is told names, and of nobody else how near they are: no candidates, no distance of an Unknown.
    """
    names_only = _names_only(caller)

    def told(upload: UploadFile) -> str:
        return _named(uploads.identify(service, top, allow_repeats, upload), top, names_only).model_dump_json()

    # The text itself, made on the worker's thread: FastAPI would check once more what pydantic has just made.
    return Response(await looking.at(told, picture), media_type="application/json")


@router.post(
    "/identify/batch",
    dependencies=needs("device"),
    responses=errors(BusyError, TooLargeError),
    summary="Name the faces of several pictures",
)
async def identify_batch(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    pictures: Annotated[list[UploadFile], File(description="At most as many as `GET /v1/settings` says.")],
    top: Top = 5,
    allow_repeats: Repeats = False,
) -> BatchAnswer:
    """The same for several pictures, each by itself; one that cannot be used has its error in its place."""
    check_count(service, pictures)
    work = partial(uploads.identify_or_error, service, top, allow_repeats)
    answers = await looking.at_each(work, pictures)
    return BatchAnswer(pictures=batch_items(pictures, answers, top, names_only=_names_only(caller)))


def batch_items(
    pictures: list[UploadFile], answers: list[uploads.NamedUpload], top: int, *, names_only: bool = False
) -> list[BatchItem]:
    """What came of each of several pictures."""
    return [
        BatchItem(
            file=uploads.label_of(picture),
            picture=None if found.error else _named(found, top, names_only),
            error=problem_of(found.error) if found.error else None,
        )
        for picture, found in zip(pictures, answers, strict=True)
    ]


@router.post(
    "/verify",
    dependencies=needs("device"),
    responses=errors(*_PICTURE_ERRORS, NoFaceError, SeveralFacesError, UnknownPersonError, GalleryEmptyError),
    summary="Tell whether two are one person",
)
async def verify(
    service: ServiceDep,
    looking: LookingDep,
    picture: Picture,
    other: Annotated[UploadFile | None, File(description="A second picture, or")] = None,
    person_id: Annotated[int | None, Form(ge=1, le=2**31 - 1, description="a person: the door's question.")] = None,
    faces: FacePolicyForm = "dominant",
) -> VerificationSchema:
    """Compares a picture with a second one, or with a person; one of the two must be given.

    For a person the nearest template decides, by the person's own threshold where there is one.
    """
    if (other is None) == (person_id is None):
        raise BadRequestError("Either other or person_id must be given, and not both.")

    def compare(first: UploadFile) -> Verification:
        image = uploads.picture_of(service, first)
        if person_id is not None:
            return service.recognizer.verify_person(image, person_id, faces=faces)
        assert other is not None  # noqa: S101 - checked above
        return service.recognizer.verify(image, uploads.picture_of(service, other), faces=faces)

    found = await looking.at(compare, picture, *([] if other is None else [other]))
    return VerificationSchema(**found.to_dict())


@router.post(
    "/review",
    dependencies=needs("operator"),
    responses=errors(*_PICTURE_ERRORS),
    summary="Tell what a picture is good for",
)
async def review(
    service: ServiceDep,
    looking: LookingDep,
    picture: Picture,
    faces: FacePolicyForm = "dominant",
    person_id: WhoForm = None,
) -> ReviewSchema:
    """Says which face of a picture a person would be enrolled from, how good it is, and what is wrong with it.

    Nothing is stored. A page that guides somebody before the camera asks this a few times a second.
    """

    def review_one(upload: UploadFile) -> PictureReview:
        content = uploads.content_of(upload, service)
        return service.recognizer.review_picture(content, faces=faces, person=person_id)

    return _review(await looking.at(review_one, picture))


@router.post(
    "/review/batch",
    dependencies=needs("operator"),
    responses=errors(BusyError, TooLargeError),
    summary="Tell what several pictures of one person are good for",
)
async def review_batch(
    service: ServiceDep,
    looking: LookingDep,
    pictures: Annotated[list[UploadFile], File(description="Of one person; at most as many as the settings say.")],
    faces: FacePolicyForm = "dominant",
    person_id: WhoForm = None,
) -> ReviewBatch:
    """The same for several pictures of one person, compared with each other too, as when they are enrolled."""
    check_count(service, pictures)
    examined = await looking.at_each(partial(uploads.examine_to_enrol, service, faces), pictures)
    compared = await run_in_threadpool(partial(uploads.compare, service, person_id, examined, insist=False))
    return ReviewBatch(
        pictures=[
            ReviewBatchItem(
                file=uploads.label_of(picture),
                review=_review(found) if isinstance(found, PictureReview) else None,
                error=None if isinstance(found, PictureReview) else problem_of(found),
            )
            for picture, found in zip(pictures, compared, strict=True)
        ]
    )


def _review(found: PictureReview) -> ReviewSchema:
    return ReviewSchema(
        width=found.image.shape[1],
        height=found.image.shape[0],
        faces=[reviewed_face(face, chosen=face in found.chosen) for face in found.faces],
        problem=problem_of(found.error) if found.error else None,
        note=found.note,
    )


def check_count(service: Service, pictures: list[UploadFile]) -> None:
    """Raise where a request holds more pictures than the service takes at once.

    Raises:
        TooLargeError: It does.
    """
    most = service.settings.max_pictures
    if len(pictures) > most:
        raise TooLargeError(f"The request holds {len(pictures)} pictures; at most {most} are taken.", "Send fewer.")


def _names_only(caller: Caller) -> bool:
    return caller.role == "device"


def _named(upload: uploads.NamedUpload, top: int, names_only: bool) -> NamedPicture:
    faces = [named_face(found, top, names_only=names_only) for found in upload.found]
    return NamedPicture(width=upload.width, height=upload.height, faces=faces)
