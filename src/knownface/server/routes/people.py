"""People: made, found, changed, joined, parted, removed."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from knownface.errors import (
    BadNameError,
    BadRequestError,
    NameTakenError,
    NotFoundError,
    PersonError,
    ReceiptError,
    UnknownPersonError,
)
from knownface.gallery import UNSET
from knownface.law.access import person_data
from knownface.law.receipts import removal_receipt
from knownface.law.signing import key_file, open_key
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.keys import allows
from knownface.server.routes.common import CallerDep, ServiceDep, picture_answer
from knownface.server.schemas.common import (
    Cursor,
    Limit,
    Page,
    PersonId,
    SearchText,
    cursor_after,
    read_cursor,
    short_source,
)
from knownface.server.schemas.people import (
    GroupSchema,
    Merge,
    NewPerson,
    PersonChanges,
    PersonSchema,
    ReceiptSchema,
    Removal,
    Removed,
    Split,
)

router = guarded_router("people")

_GONE = errors(UnknownPersonError)
_DELETE = errors(UnknownPersonError, ReceiptError)
_CHANGE = errors(UnknownPersonError, NameTakenError, BadNameError, PersonError)


@router.get("/people", dependencies=needs("viewer"), responses=errors(), summary="List people")
def list_people(
    service: ServiceDep, search: SearchText = None, group: SearchText = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[PersonSchema]:
    """People in the order of their names; `search` is a part of the name or the beginning of the external id."""
    page = service.gallery.people_store.page(
        search=_text(search), group=_text(group), after=_text(read_cursor(cursor)), limit=limit + 1
    )
    rest = cursor_after(page[limit - 1].name) if len(page) > limit else None
    return Page(items=[PersonSchema.model_validate(person) for person in page[:limit]], next=rest)


@router.post(
    "/people",
    dependencies=needs("operator"),
    status_code=201,
    responses=errors(NameTakenError, BadNameError, PersonError),
    summary="Make a person",
)
def create_person(service: ServiceDep, caller: CallerDep, person: NewPerson, response: Response) -> PersonSchema:
    """Makes a person without templates; `POST /v1/people/{person_id}/templates` teaches the face."""
    made = service.gallery.add_person(person.name, person.external_id, person.groups, new=True)
    service.audit.note(caller.actor, "person.create", made.id)
    response.headers["Location"] = f"/v1/people/{made.id}"
    return PersonSchema.model_validate(made)


@router.get("/people/{person_id}", dependencies=needs("viewer"), responses=_GONE, summary="Read a person")
def read_person(service: ServiceDep, person_id: PersonId) -> PersonSchema:
    """One person."""
    return PersonSchema.model_validate(service.gallery.person(person_id))


@router.patch("/people/{person_id}", dependencies=needs("operator"), responses=_CHANGE, summary="Change a person")
def change_person(service: ServiceDep, caller: CallerDep, person_id: PersonId, changes: PersonChanges) -> PersonSchema:
    """Changes name, external id, groups or the person's own threshold: all that is given, or nothing."""
    given = changes.model_fields_set
    changed = service.gallery.edit(
        person_id,
        name=changes.name if "name" in given else UNSET,
        external_id=changes.external_id if "external_id" in given else UNSET,
        groups=changes.groups if "groups" in given else UNSET,
        threshold=changes.threshold if "threshold" in given else UNSET,
        until=changes.until if "until" in given else UNSET,
    )
    service.audit.note(caller.actor, "person.change", person_id, fields=", ".join(sorted(given)))
    return PersonSchema.model_validate(changed)


@router.get(
    "/people/{person_id}/removal", dependencies=needs("operator"), responses=_GONE, summary="Tell what would be deleted"
)
def preview_removal(service: ServiceDep, person_id: PersonId) -> Removal:
    """What `DELETE /v1/people/{person_id}` would take along."""
    return Removal.of(service.gallery.people_store.removal(person_id))


@router.delete("/people/{person_id}", dependencies=needs("operator"), responses=_DELETE, summary="Delete a person")
def delete_person(service: ServiceDep, caller: CallerDep, person_id: PersonId) -> Removed:
    """Deletes a person with everything of theirs; no row, vector or picture stays in any file of the gallery.

    Answers what was deleted, with a signed receipt, of which the service keeps no copy. Backups that were made before
    are not touched.
    """
    settings = service.recognizer.settings
    key = open_key(key_file(settings))  # before anything is removed
    (removed,) = service.gallery.remove(person_id)
    service.audit.note(caller.actor, "person.delete", person_id, templates=removed.counts["templates"])
    receipt = removal_receipt(service.gallery, removed, caller.actor.name, key, settings)
    answer = ReceiptSchema(name=receipt.stem, text=receipt.text, page=receipt.page)
    return Removed(**dict(Removal.of(removed)), receipt=answer)


@router.post("/people/{person_id}/merge", dependencies=needs("operator"), responses=_CHANGE, summary="Join people")
def merge_people(service: ServiceDep, caller: CallerDep, person_id: PersonId, merge: Merge) -> PersonSchema:
    """Joins others into this person, who gets their templates, groups and sightings; the others go."""
    others = [service.gallery.person(other).id for other in merge.people]
    person = service.gallery.merge(others, person_id)
    service.audit.note(caller.actor, "person.merge", person_id, joined=", ".join(map(str, others)))
    return PersonSchema.model_validate(person)


@router.post(
    "/people/{person_id}/split",
    dependencies=needs("operator"),
    status_code=201,
    responses=_CHANGE,
    summary="Part a person into two",
)
def split_person(
    service: ServiceDep, caller: CallerDep, person_id: PersonId, split: Split, response: Response
) -> PersonSchema:
    """Moves some templates to a new person, who is answered."""
    new = service.gallery.split(person_id, split.templates, split.name)
    service.audit.note(caller.actor, "person.split", person_id, new=new.id, templates=len(split.templates))
    response.headers["Location"] = f"/v1/people/{new.id}"
    return PersonSchema.model_validate(new)


@router.get(
    "/people/{person_id}/picture",
    dependencies=needs("viewer"),
    responses={**errors(UnknownPersonError, NotFoundError), 200: {"content": {"image/jpeg": {}}}},
    response_class=Response,
    summary="Show a person",
)
def show_person(service: ServiceDep, request: Request, person_id: PersonId) -> Response:
    """The small picture of the person's best template that has one, as JPEG, with an `ETag`."""
    templates = [t for t in service.gallery.templates(person_id) if not t.negative]
    for template in sorted(templates, key=lambda t: -(t.quality or 0.0)):
        try:
            return picture_answer(request, service.pictures.of_template(template))
        except NotFoundError:
            continue
    raise NotFoundError(f"There is no picture of the person {person_id}.")


@router.get(
    "/people/{person_id}/data", dependencies=needs("operator"), responses=_GONE, summary="Everything about a person"
)
def read_data(service: ServiceDep, caller: CallerDep, person_id: PersonId) -> dict[str, Any]:
    """Everything that is held about a person, templates included (GDPR Art. 15).

    Whoever is no administrator gets files without the path of their folder on the server.
    """
    data = person_data(service.gallery, person_id, service.recognizer.settings).to_dict()
    service.audit.note(caller.actor, "person.export", person_id)
    return data if allows(caller.role, "admin") else _without_paths(data)


@router.get("/groups", dependencies=needs("viewer"), responses=errors(), summary="List groups")
def list_groups(service: ServiceDep) -> list[GroupSchema]:
    """Every group and how many belong to it."""
    return [GroupSchema(name=name, people=count) for name, count in service.gallery.groups()]


def _without_paths(found: Any) -> Any:
    if isinstance(found, list):
        return [_without_paths(one) for one in found]
    if not isinstance(found, dict):
        return found
    return {
        name: short_source(value) if name == "source" and isinstance(value, str) else _without_paths(value)
        for name, value in found.items()
    }


def _text(text: str | None) -> str | None:
    # PostgreSQL takes no zero byte, and no name holds one.
    if text is not None and "\0" in text:
        raise BadRequestError("A text with a zero byte finds nothing.")
    return text
