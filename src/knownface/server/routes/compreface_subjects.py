"""CompreFace's subjects and faces: people, and the templates that they were enrolled from."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Query, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import func, select

from knownface.answers import PictureReview
from knownface.errors import (
    DoubtfulError,
    ForbiddenError,
    KnownFaceError,
    NameTakenError,
    NoFaceError,
    UnknownPersonError,
)
from knownface.gallery import Person, name_key
from knownface.server import uploads
from knownface.server.access import needs
from knownface.server.compreface import compreface_router, image_id, template_id
from knownface.server.context import Service
from knownface.server.keys import allows
from knownface.server.looking import LookingDep
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.routes.compreface_pictures import Upload
from knownface.storage.schema import people, templates

router = compreface_router()

_SUBJECTS = "/recognition/subjects"
_FACES = "/recognition/faces"
_MOST_ON_A_PAGE = 1000


@router.get(_SUBJECTS, dependencies=needs("viewer"))
@router.get(f"{_SUBJECTS}/", dependencies=needs("viewer"))
def list_subjects(service: ServiceDep) -> dict[str, Any]:
    """Everybody's name."""
    return {"subjects": [person.name for person in service.gallery.people()]}


@router.post(_SUBJECTS, dependencies=needs("operator"), status_code=201)
def add_subject(service: ServiceDep, caller: CallerDep, subject: Annotated[str, Body(embed=True)]) -> dict[str, Any]:
    """Make a person without a face."""
    made = service.gallery.add_person(subject, new=True)
    service.audit.note(caller.actor, "person.create", made.id)
    return {"subject": made.name}


@router.put(f"{_SUBJECTS}/{{name:path}}", dependencies=needs("operator"))
def rename_subject(
    service: ServiceDep, caller: CallerDep, name: str, subject: Annotated[str, Body(embed=True)]
) -> dict[str, Any]:
    """Rename a person; into somebody who has the name already they are joined."""
    person = service.gallery.person(name)
    try:
        service.gallery.rename(person.id, subject)
        service.audit.note(caller.actor, "person.change", person.id, fields="name")
    except NameTakenError:
        into = service.gallery.person(subject)
        service.gallery.merge([person.id], into.id)
        service.audit.note(caller.actor, "person.merge", into.id, joined=str(person.id))
    return {"updated": True}


@router.delete(_SUBJECTS, dependencies=needs("admin"))
@router.delete(f"{_SUBJECTS}/", dependencies=needs("admin"))
def delete_subjects(service: ServiceDep, caller: CallerDep) -> dict[str, Any]:
    """Remove everybody."""
    everybody = [person.id for person in service.gallery.people()]
    removed = service.gallery.remove(*everybody) if everybody else ()
    for one in everybody:
        service.audit.note(caller.actor, "person.delete", one)
    return {"deleted": len(removed)}


@router.delete(f"{_SUBJECTS}/{{name:path}}", dependencies=needs("operator"))
def delete_subject(service: ServiceDep, caller: CallerDep, name: str) -> dict[str, Any]:
    """Remove a person with everything of theirs."""
    person = service.gallery.person(name)
    service.gallery.remove(person.id)
    service.audit.note(caller.actor, "person.delete", person.id)
    return {"subject": person.name}


@router.post(_FACES, dependencies=needs("operator"), status_code=201)
async def add_face(
    service: ServiceDep,
    looking: LookingDep,
    caller: CallerDep,
    subject: Annotated[str, Query()],
    file: Upload,
    det_prob_threshold: Annotated[float, Query(ge=0, le=1)] = 0.0,
) -> dict[str, Any]:
    """Enrol a person, who is made if need be, from a picture of one face, with the review of every other way in."""
    examined = await looking.at(lambda upload: uploads.examine_to_enrol(service, "only", upload), file)

    def enrol() -> tuple[Person, uploads.Enrolled]:
        person = _person_or_none(service, subject)
        (found,) = uploads.compare(service, None if person is None else person.id, [examined], insist=False)
        if isinstance(found, KnownFaceError):
            raise found
        if found.error is not None and not _is_held(service, found):
            raise found.error
        if any(face.face.score < det_prob_threshold for face in found.chosen):
            raise NoFaceError("No face is found in the given image.", "")
        if person is None:
            person = service.gallery.add_person(subject)
            service.audit.note(caller.actor, "person.create", person.id)
        return person, uploads.enrol(service, person.id, False, found)

    person, done = await run_in_threadpool(enrol)
    if done.error is not None:
        raise done.error
    if done.added:
        await run_in_threadpool(service.audit.note, caller.actor, "templates.add", person.id)
    return {"image_id": image_id(done.templates[0]), "subject": person.name}


@router.get(_FACES, dependencies=needs("viewer"))
def list_faces(
    service: ServiceDep,
    page: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    size: Annotated[int, Query(ge=1, le=_MOST_ON_A_PAGE)] = 20,
    subject: str | None = None,
) -> dict[str, Any]:
    """The templates, oldest first."""
    query = select(templates.c.id, people.c.name).join(people).where(templates.c.negative.is_(False))
    if subject is not None:
        query = query.where(people.c.name_key == name_key(subject))
    with service.database.reading() as connection:
        count = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = connection.execute(query.order_by(templates.c.id).limit(size).offset(page * size)).all()
    return {
        "faces": [{"image_id": image_id(row.id), "subject": row.name} for row in rows],
        "page_number": page,
        "page_size": size,
        "total_pages": -(-count // size),
        "total_elements": count,
    }


@router.delete(_FACES, dependencies=needs("operator"))
def delete_faces(service: ServiceDep, caller: CallerDep, subject: str | None = None) -> dict[str, Any]:
    """Delete a person's templates, or, as an administrator, everybody's; the people stay."""
    if subject is None and not allows(caller.role, "admin"):
        raise ForbiddenError("Deleting all faces needs an administrator's key.", "Name a subject.")
    whose = service.gallery.people() if subject is None else [service.gallery.person(subject)]
    ids = [one.id for person in whose for one in service.gallery.templates(person.id) if not one.negative]
    deleted = service.gallery.remove_templates(ids)
    service.audit.note(caller.actor, "template.delete", deleted=deleted)
    return {"deleted": deleted}


@router.delete(f"{_FACES}/{{image}}", dependencies=needs("operator"))
def delete_face(service: ServiceDep, caller: CallerDep, image: str) -> dict[str, Any]:
    """Delete a template."""
    template = service.gallery.template_store.get(template_id(image))
    person = service.gallery.person(template.person_id)
    service.gallery.remove_templates([template.id])
    service.audit.note(caller.actor, "template.delete", person.id, deleted=1)
    return {"image_id": image_id(template.id), "subject": person.name}


@router.get(f"{_FACES}/{{image}}/img", dependencies=needs("viewer"), response_class=Response)
def show_face(service: ServiceDep, image: str) -> Response:
    """The picture of a template, as JPEG."""
    template = service.gallery.template_store.get(template_id(image))
    return Response(service.pictures.of_template(template), media_type="image/jpeg")


def _person_or_none(service: Service, name: str) -> Person | None:
    try:
        return service.gallery.person(name)
    except UnknownPersonError:
        return None


def _is_held(service: Service, found: PictureReview) -> bool:
    """Whether a doubtful picture waits for a decision instead of being lost."""
    return isinstance(found.error, DoubtfulError) and service.recognizer.settings.review == "hold"
