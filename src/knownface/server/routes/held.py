"""Pictures held back from enrolment: listed, shown, accepted, rejected."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from knownface.errors import ContractMismatchError, NotFoundError, UnknownHeldError, UnknownPersonError
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.common import CallerDep, ServiceDep, picture_answer
from knownface.server.schemas.common import Cursor, Limit, Number, Page, place_cursor, read_place_cursor
from knownface.server.schemas.held import HeldIds, HeldSchema
from knownface.server.schemas.seen import Counted

router = guarded_router("held")


@router.get(
    "/held", dependencies=needs("viewer"), responses=errors(UnknownPersonError), summary="List what is held back"
)
def list_held(
    service: ServiceDep,
    person_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[HeldSchema]:
    """Pictures that may show somebody else than the person they are meant for; nobody is named by them."""
    found = service.gallery.held_store.list(person_id, after=read_place_cursor(cursor), limit=limit + 1)
    rest = place_cursor(found[limit - 1].name, found[limit - 1].id) if len(found) > limit else None
    return Page(items=[HeldSchema.model_validate(waiting) for waiting in found[:limit]], next=rest)


@router.get(
    "/held/{held_id}/picture",
    dependencies=needs("viewer"),
    responses={**errors(UnknownHeldError, NotFoundError), 200: {"content": {"image/jpeg": {}}}},
    response_class=Response,
    summary="Show what is held back",
)
def show_held(service: ServiceDep, request: Request, held_id: Number) -> Response:
    """The face, upright, as JPEG with an `ETag`."""
    picture = service.gallery.held_store.picture(held_id)
    if picture is None:
        raise NotFoundError(f"No picture of {held_id} was kept.")
    return picture_answer(request, picture)


@router.post(
    "/held/accept",
    dependencies=needs("operator"),
    responses=errors(UnknownHeldError, ContractMismatchError),
    summary="Accept what is held back",
)
def accept(service: ServiceDep, caller: CallerDep, wanted: HeldIds) -> Counted:
    """Learns the pictures: they do show the person they are meant for."""
    count = service.gallery.held_store.accept(wanted.held, keep_crops=service.recognizer.settings.keeps_crops)
    service.audit.note(caller.actor, "held.accept", added=count)
    return Counted(count=count)


@router.post(
    "/held/reject",
    dependencies=needs("operator"),
    responses=errors(UnknownHeldError),
    summary="Reject what is held back",
)
def reject(service: ServiceDep, caller: CallerDep, wanted: HeldIds) -> Counted:
    """Does not learn the pictures; embedding and face are deleted, and the file is not taken again."""
    count = service.gallery.held_store.reject(wanted.held)
    service.audit.note(caller.actor, "held.reject", rejected=count)
    return Counted(count=count)
