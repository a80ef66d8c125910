"""Who was seen: sightings, Unknowns, offered samples, alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Annotated, Literal, TypeAlias

from fastapi import Depends, Query, Request, Response

from knownface.errors import (
    BadNameError,
    BadRequestError,
    NameTakenError,
    NotFoundError,
    UnknownOfferError,
    UnknownPersonError,
    UnknownSightingError,
)
from knownface.events import (
    SightingFilter,
    accept_offers,
    group_unknowns,
    list_offers,
    name_unknown,
    offer_picture,
    read_alerts,
    reject_offers,
)
from knownface.events.sheets import sightings_table
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors, problem_of
from knownface.server.routes.common import CallerDep, ServiceDep, ZoneDep, as_utc, asked_source, picture_answer
from knownface.server.schemas.common import (
    Cursor,
    Limit,
    Number,
    Page,
    SearchText,
    cursor_after,
    place_cursor,
    read_number_cursor,
    read_place_cursor,
    short_source,
)
from knownface.server.schemas.people import PersonSchema
from knownface.server.schemas.seen import (
    AlertSchema,
    Counted,
    Deleted,
    Dismissal,
    LearntSchema,
    NamedUnknown,
    OfferIds,
    OfferSchema,
    SightingSchema,
    UnknownName,
    UnknownSchema,
)
from knownface.tables import as_json, csv_text, plain

router = guarded_router("sightings")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Moment: TypeAlias = Annotated[datetime | None, Query(description="With its time zone; without one, UTC is meant.")]


async def _sighting_filter(
    request: Request,
    person_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    group: Annotated[str | None, Query(max_length=400)] = None,
    unknown: Annotated[bool | None, Query(description="true: Unknowns only; false: people only.")] = None,
    source: Annotated[str | None, Query(max_length=1000, description="As sightings tell it.")] = None,
    after: Moment = None,
    before: Moment = None,
    dismissed: Annotated[bool | None, Query(description="false: leave dismissed Unknowns out.")] = None,
) -> SightingFilter:
    """Which sightings are meant."""
    for text in (group, source):
        if text is not None and "\0" in text:
            raise BadRequestError("A text with a zero byte finds nothing.")
    return SightingFilter(
        person=person_id,
        group=group,
        unknown=unknown,
        source=await asked_source(request, source),
        after=as_utc(after),
        before=as_utc(before),
        dismissed=dismissed,
    )


SightingFilterDep: TypeAlias = Annotated[SightingFilter, Depends(_sighting_filter)]


@router.get("/sightings", dependencies=needs("viewer"), responses=errors(UnknownPersonError), summary="List sightings")
def list_sightings(
    service: ServiceDep, where: SightingFilterDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[SightingSchema]:
    """Who was seen where, from when to when; the newest first."""
    page = service.sightings.find(where, limit=limit + 1, below=read_number_cursor(cursor))
    rest = cursor_after(page[limit - 1].id) if len(page) > limit else None
    return Page(items=[SightingSchema.of(seen) for seen in page[:limit]], next=rest)


@router.get("/sightings/sources", dependencies=needs("viewer"), responses=errors(), summary="List sources")
def list_sources(service: ServiceDep) -> list[str]:
    """Every source that somebody was seen at."""
    return sorted({short_source(source) for source in service.sightings.sources()})


@router.get(
    "/sightings/export",
    dependencies=needs("operator"),
    responses={**errors(UnknownPersonError), 200: {"content": {"text/csv": {}, "application/json": {}}}},
    response_class=Response,
    summary="Export sightings",
)
def export_sightings(
    service: ServiceDep,
    caller: CallerDep,
    where: SightingFilterDep,
    zone: ZoneDep,
    form: Annotated[Literal["csv", "json"], Query(alias="format")] = "csv",
) -> Response:
    """The same as a file."""
    each = (replace(seen, source=short_source(seen.source)) for seen in service.sightings.each(where))
    table = sightings_table(each, zone)
    service.audit.note(caller.actor, "sightings.export", rows=len(table.rows))
    if form == "json":
        return file_answer(as_json(table), "sightings.json", "application/json")
    return file_answer(csv_text(*plain(table)), "sightings.csv", "text/csv; charset=utf-8")


@router.get(
    "/sightings/{sighting_id}/picture",
    dependencies=needs("viewer"),
    responses={**errors(UnknownSightingError, NotFoundError), 200: {"content": {"image/jpeg": {}}}},
    response_class=Response,
    summary="Show a sighting",
)
def show_sighting(service: ServiceDep, request: Request, sighting_id: Number) -> Response:
    """The best picture, as JPEG with an `ETag`, where the setting `keep_pictures` had it kept."""
    jpeg = service.sightings.picture(sighting_id)
    if jpeg is None:
        raise NotFoundError(f"No picture of the sighting {sighting_id} was kept.")
    return picture_answer(request, jpeg)


@router.delete(
    "/sightings", dependencies=needs("operator"), responses=errors(UnknownPersonError), summary="Delete sightings"
)
def delete_sightings(
    service: ServiceDep,
    caller: CallerDep,
    where: SightingFilterDep,
    everything: Annotated[bool, Query(description="Needed where nothing narrows down which.")] = False,
) -> Deleted:
    """Deletes sightings with the alerts about them; nothing of them stays in any file of the gallery."""
    if where.everything and not everything:
        raise BadRequestError("Nothing narrows down which sightings are meant.", "Say everything=true to delete all.")
    deleted = service.sightings.delete(where)
    person_id = where.person if isinstance(where.person, int) else None
    service.audit.note(caller.actor, "sightings.delete", person_id, deleted=deleted)
    return Deleted(deleted=deleted)


@router.get("/unknowns", dependencies=needs("viewer"), responses=errors(), summary="List Unknowns")
def list_unknowns(
    service: ServiceDep,
    dismissed: bool = False,
    search: SearchText = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[UnknownSchema]:
    """Unknowns who were seen, grouped by likeness as far as their faces were kept; the newest first.

    `search` is a number, or a part of a source.
    """
    where = SightingFilter(unknown=True, dismissed=dismissed)
    groups = group_unknowns(service.gallery, service.recognizer.rule.threshold, where)
    below = read_number_cursor(cursor)
    meant = (g for g in groups if (below is None or g.newest < below) and (not search or g.fits(search)))
    found = list(islice(meant, limit + 1))
    rest = cursor_after(found[limit - 1].newest) if len(found) > limit else None
    return Page(items=[UnknownSchema.of(group) for group in found[:limit]], next=rest)


@router.post(
    "/unknowns/name",
    dependencies=needs("operator"),
    responses=errors(UnknownSightingError, BadNameError, NameTakenError),
    summary="Name Unknowns",
)
def name_unknowns(service: ServiceDep, caller: CallerDep, wanted: UnknownName) -> NamedUnknown:
    """Says who Unknowns are: their sightings become the person's, and what was kept of their faces templates."""
    review = service.recognizer.person_review
    named = name_unknown(
        service.gallery,
        wanted.numbers,
        wanted.name,
        review,
        enrol=wanted.enrol,
        keep_crops=service.recognizer.settings.keeps_crops,
    )
    service.audit.note(caller.actor, "unknown.name", named.person.id, sightings=named.sightings, added=named.enrolled)
    return NamedUnknown(
        person=PersonSchema.model_validate(named.person),
        sightings=named.sightings,
        enrolled=named.enrolled,
        held=named.held,
        refused=named.refused,
        reasons=[reason.message for reason in named.reasons],
    )


@router.post("/unknowns/dismiss", dependencies=needs("operator"), responses=errors(), summary="Dismiss Unknowns")
def dismiss_unknowns(service: ServiceDep, caller: CallerDep, wanted: Dismissal) -> Counted:
    """Says that Unknowns do not matter, or that they do after all."""
    count = service.sightings.dismiss(wanted.numbers, dismissed=wanted.dismissed)
    service.audit.note(caller.actor, "unknown.dismiss", sightings=count, dismissed=wanted.dismissed)
    return Counted(count=count)


@router.get("/offers", dependencies=needs("viewer"), responses=errors(UnknownPersonError), summary="List offers")
def list_offered(
    service: ServiceDep,
    person_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[OfferSchema]:
    """New pictures of known people that wait for somebody to look at them."""
    found = list_offers(service.database, person_id, after=read_place_cursor(cursor), limit=limit + 1)
    rest = place_cursor(found[limit - 1].name, found[limit - 1].id) if len(found) > limit else None
    return Page(items=[OfferSchema.of(offer) for offer in found[:limit]], next=rest)


@router.get(
    "/offers/{offer_id}/picture",
    dependencies=needs("viewer"),
    responses={**errors(UnknownOfferError), 200: {"content": {"image/jpeg": {}}}},
    response_class=Response,
    summary="Show an offer",
)
def show_offer(service: ServiceDep, request: Request, offer_id: Number) -> Response:
    """The picture, as JPEG with an `ETag`."""
    return picture_answer(request, offer_picture(service.database, offer_id))


@router.post(
    "/offers/accept", dependencies=needs("operator"), responses=errors(UnknownOfferError), summary="Accept offers"
)
def accept(service: ServiceDep, caller: CallerDep, wanted: OfferIds) -> LearntSchema:
    """Makes offers templates of their people, as far as the review lets them; others are held back (`/v1/held`)."""
    recognizer = service.recognizer
    keep_crops = recognizer.settings.keeps_crops
    done = accept_offers(service.gallery, wanted.offers, recognizer.person_review, keep_crops=keep_crops)
    service.audit.note(caller.actor, "offers.accept", added=done.added)
    return LearntSchema(
        count=done.added,
        held=done.held,
        refused=done.refused,
        reasons=[reason.message for reason in done.reasons],
        problems=[problem_of(reason) for reason in done.reasons],
    )


@router.post(
    "/offers/reject", dependencies=needs("operator"), responses=errors(UnknownOfferError), summary="Reject offers"
)
def reject(service: ServiceDep, caller: CallerDep, wanted: OfferIds) -> Counted:
    """Says that pictures shall not be enrolled; they are not offered again."""
    reject_offers(service.gallery, wanted.offers)
    service.audit.note(caller.actor, "offers.reject", rejected=len(wanted.offers))
    return Counted(count=len(wanted.offers))


@router.get("/events", dependencies=needs("viewer"), responses=errors(), summary="List events")
def list_events(
    service: ServiceDep,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Id of the last event that you know.")] = 0,
    limit: Limit = 50,
    newest: Annotated[bool, Query(description="Whether the limit takes the newest.")] = False,
) -> list[AlertSchema]:
    """The alerts that rules raised, oldest first; webhooks are sent the same."""
    return [AlertSchema.of(alert) for alert in read_alerts(service.database, after=after, limit=limit, newest=newest)]


def file_answer(content: str | bytes, name: str, kind: str) -> Response:
    """A file that browsers store instead of showing it."""
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
