"""Templates: added with a review of each picture, listed, shown, deleted."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import File, Form, Query, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from knownface.errors import (
    BadNameError,
    BusyError,
    ContractMismatchError,
    NameTakenError,
    NotFoundError,
    PersonError,
    TooLargeError,
    UnknownPersonError,
    UnknownTemplateError,
)
from knownface.server import uploads
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import error_code, error_details, errors
from knownface.server.looking import LookingDep
from knownface.server.routes.common import CallerDep, ServiceDep, picture_answer
from knownface.server.routes.faces import FacePolicyForm, check_count
from knownface.server.schemas.common import Number, PersonId, TemplateId
from knownface.server.schemas.faces import reviewed_face
from knownface.server.schemas.people import PersonSchema
from knownface.server.schemas.seen import Counted
from knownface.server.schemas.templates import (
    EnrolledPicture,
    EnrolledPictures,
    ExclusionSchema,
    Forgotten,
    Move,
    TemplateSchema,
)

router = guarded_router("templates")

_GONE = errors(UnknownTemplateError)


@router.get(
    "/people/{person_id}/templates",
    dependencies=needs("viewer"),
    responses=errors(UnknownPersonError),
    summary="List a person's templates",
)
def list_templates(service: ServiceDep, person_id: PersonId) -> list[TemplateSchema]:
    """A person's templates and counter-examples, oldest first."""
    return [TemplateSchema.of(template) for template in service.gallery.templates(person_id)]


@router.post(
    "/people/{person_id}/templates",
    dependencies=needs("operator"),
    responses=errors(UnknownPersonError, ContractMismatchError, TooLargeError, BusyError),
    summary="Learn a person from pictures",
)
async def add_templates(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    person_id: PersonId,
    pictures: Annotated[list[UploadFile], File(description="Photos of this person.")],
    faces: FacePolicyForm = "dominant",
    counter_example: Annotated[
        bool, Form(description="The pictures show somebody who is taken for this person and is not.")
    ] = False,
    insist: Annotated[bool, Form(description="Learn also what may show somebody else.")] = False,
) -> EnrolledPictures:
    """Reviews the pictures, learns the person from those that are good enough, and says what is wrong with the others.

    They are compared with the person's templates, with each other and with everybody else; what may show somebody else
    is held back until somebody decides (`/v1/held`), or refused, by the setting `review`.

    Files are known by their content: the same file again adds nothing, so a request may be repeated safely. What is
    answered as enrolled is on the disk.
    """
    check_count(service, pictures)
    await run_in_threadpool(service.gallery.person, person_id)
    examined = await looking.at_each(partial(uploads.examine_to_enrol, service, faces), pictures)

    def enrol_all() -> list[uploads.Enrolled]:
        found = uploads.compare(service, person_id, examined, insist=insist or counter_example)
        return [uploads.enrol(service, person_id, counter_example, one) for one in found]

    done = await run_in_threadpool(enrol_all)
    added = sum(found.added for found in done)
    if added:
        note = partial(service.audit.note, added=added, pictures=len(pictures))
        await run_in_threadpool(note, caller.actor, "templates.add", person_id)
    return EnrolledPictures(
        added=added,
        pictures=[
            _enrolled_picture(uploads.label_of(picture), found) for picture, found in zip(pictures, done, strict=True)
        ],
    )


@router.get("/templates/{template_id}", dependencies=needs("viewer"), responses=_GONE, summary="Read a template")
def read_template(service: ServiceDep, template_id: TemplateId) -> TemplateSchema:
    """One template."""
    return TemplateSchema.of(service.gallery.template_store.get(template_id))


@router.get(
    "/templates/{template_id}/picture",
    dependencies=needs("viewer"),
    responses={**errors(UnknownTemplateError, NotFoundError), 200: {"content": {"image/jpeg": {}}}},
    response_class=Response,
    summary="Show a template",
)
def show_template(service: ServiceDep, request: Request, template_id: TemplateId) -> Response:
    """The face that was enrolled, at most 160 pixels wide and high, as JPEG, with an `ETag`.

    There is one where it was kept at enrolment (the setting `keep_crops`), or where the photo that was enrolled
    still lies where it was.
    """
    return picture_answer(request, service.pictures.of_template(service.gallery.template_store.get(template_id)))


@router.post(
    "/templates/move",
    dependencies=needs("operator"),
    responses=errors(UnknownTemplateError, UnknownPersonError, NameTakenError, BadNameError, PersonError),
    summary="Move templates to somebody else",
)
def move_templates(service: ServiceDep, caller: CallerDep, move: Move) -> PersonSchema:
    """Gives templates of one person to another, whom they show, and who is answered; it can be undone."""
    person = service.gallery.people_store.move_templates(move.templates, move.to, create=move.create)
    service.audit.note(caller.actor, "person.move", person.id, templates=len(move.templates))
    return PersonSchema.model_validate(person)


@router.post(
    "/templates/forget",
    dependencies=needs("operator"),
    responses=errors(),
    summary="Delete templates",
)
def forget_templates(service: ServiceDep, caller: CallerDep, wanted: Forgotten) -> Counted:
    """Deletes templates and counter-examples, as `DELETE /v1/templates/{template_id}` does; those gone are skipped."""
    count = service.gallery.template_store.remove(wanted.templates, exclude=True)
    service.audit.note(caller.actor, "template.delete", deleted=count)
    return Counted(count=count)


@router.get(
    "/exclusions",
    dependencies=needs("viewer"),
    responses=errors(UnknownPersonError),
    summary="List files that were taken out",
)
def list_exclusions(
    service: ServiceDep, person_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> list[ExclusionSchema]:
    """Files whose templates were deleted, so that enrolling a folder does not bring them back."""
    return [ExclusionSchema.model_validate(found) for found in service.gallery.template_store.exclusions(person_id)]


@router.delete(
    "/exclusions/{exclusion_id}",
    dependencies=needs("operator"),
    status_code=204,
    responses=errors(NotFoundError),
    summary="Let a file in again",
)
def lift_exclusion(service: ServiceDep, caller: CallerDep, exclusion_id: Number) -> None:
    """Lets a file that was taken out be enrolled again; this alone enrols nothing."""
    store = service.gallery.template_store
    found = [exclusion for exclusion in store.exclusions() if exclusion.id == exclusion_id]
    if not found:
        raise NotFoundError(f"No exclusion {exclusion_id} is known.")
    store.allow(found)
    service.audit.note(caller.actor, "template.allow", person_id=found[0].person_id)


@router.delete(
    "/templates/{template_id}",
    dependencies=needs("operator"),
    status_code=204,
    responses=_GONE,
    summary="Delete a template",
)
def delete_template(service: ServiceDep, caller: CallerDep, template_id: TemplateId) -> None:
    """Deletes a template or counter-example; nothing of it stays in any file of the gallery, and nothing undoes it.

    The file is remembered by its digest (`/v1/exclusions`), so that enrolling a folder does not bring it back.
    """
    template = service.gallery.template_store.get(template_id)
    service.gallery.template_store.remove([template_id], exclude=True)
    service.audit.note(caller.actor, "template.delete", template_id, person_id=template.person_id)


def _enrolled_picture(file: str, found: uploads.Enrolled) -> EnrolledPicture:
    error, review = found.error, found.review
    return EnrolledPicture(
        file=file,
        status=found.status,
        code=error_code(error) if error else "",
        message=error.message if error else review.note if review else "",
        hint=error.hint if error else "",
        details=error_details(error) if error else None,
        templates=list(found.templates),
        faces=[reviewed_face(face, chosen=face in review.chosen) for face in review.faces] if review else [],
    )
