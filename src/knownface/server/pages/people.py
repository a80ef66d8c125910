"""People: everybody, one of them, somebody new."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query, Request, Response

from knownface.events import SightingFilter
from knownface.events.samples import SampleOffer, count_offers, list_offers
from knownface.gallery import Gallery, HeldPicture, Person, Template
from knownface.gallery.consents import PURPOSES, today
from knownface.review.alike import AlikePeople, own_rule
from knownface.server.context import service_of
from knownface.server.pages.render import address_with, page, pages_router
from knownface.server.routes.alike import cursor_of, pairs_after
from knownface.server.schemas.common import Cursor, PersonId, place_cursor, read_place_cursor

router = pages_router()

_PAGE = 60
_TEMPLATES = 60
_LATEST = 8
_PAIRS = 20
_SIDE_PICTURES = 4


@router.get("/people")
def people(
    request: Request,
    search: Annotated[str, Query(max_length=200)] = "",
    group: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """Everybody, a page at a time."""
    gallery = service_of(request).gallery
    found = gallery.people_store.page(search=search or None, group=group or None, after=after, limit=_PAGE + 1)
    more = address_with(request, after=found[_PAGE - 1].name) if len(found) > _PAGE else None
    return page(
        request,
        "people.html",
        "people",
        people=found[:_PAGE],
        groups=gallery.groups(),
        total=len(gallery.names),
        search=search,
        group=group,
        more=more,
        first=None if after is None else "/people",
        offers=count_offers(gallery.database),
        held=gallery.held_store.count(),
        threshold=service_of(request).recognizer.rule.threshold,
    )


@router.get("/people/many")
def many_people(request: Request) -> Response:
    """Many people at once, from an archive of folders."""
    return page(request, "people_many.html", "people", demanded=service_of(request).gallery.consents.required)


@router.get("/people/new")
def new_person(request: Request) -> Response:
    """Somebody new: a name, then pictures."""
    return page(request, "person_new.html", "people", groups=service_of(request).gallery.groups())


@router.get("/people/offers")
def offers(request: Request, cursor: Cursor = None) -> Response:
    """New pictures of known people that may be enrolled, a page at a time."""
    database, after = service_of(request).database, read_place_cursor(cursor)
    found = list_offers(database, after=after, limit=_PAGE + 1) or list_offers(database, limit=_PAGE + 1)
    return page(request, "offers.html", "people", offers=found[:_PAGE], **_pager(request, cursor, found))


@router.get("/people/held")
def held(
    request: Request, person: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None, cursor: Cursor = None
) -> Response:
    """Pictures that wait for a decision, since they may show somebody else: everybody's, or one person's."""
    gallery, after = service_of(request).gallery, read_place_cursor(cursor)
    whose = None if person is None else gallery.person(person)
    store = gallery.held_store
    found = store.list(person, after=after, limit=_PAGE + 1) or store.list(person, limit=_PAGE + 1)
    return page(request, "held.html", "people", held=found[:_PAGE], whose=whose, **_pager(request, cursor, found))


def _pager(request: Request, cursor: str | None, found: Sequence[HeldPicture | SampleOffer]) -> dict[str, Any]:
    """The addresses of the first page and of the next one."""
    last = found[_PAGE - 1] if len(found) > _PAGE else None
    return {
        "first": None if cursor is None else address_with(request, cursor=None),
        "more": None if last is None else address_with(request, cursor=place_cursor(last.name, last.id)),
    }


@router.get("/people/history")
def history(request: Request, before: Annotated[int | None, Query(ge=1, le=2**53)] = None) -> Response:
    """What was edited and can be undone."""
    found = service_of(request).gallery.history.edits(limit=_PAGE + 1, before=before)
    more = address_with(request, before=found[_PAGE - 1].id) if len(found) > _PAGE else None
    first = None if before is None else address_with(request, before=None)
    return page(request, "history.html", "people", edits=found[:_PAGE], more=more, first=first)


@router.get("/people/alike")
def alike(request: Request, cursor: Cursor = None) -> Response:
    """People who may be one, enrolled under two names, side by side."""
    service, recognizer = service_of(request), service_of(request).recognizer
    every = service.alike.pairs()
    left = pairs_after(every, cursor) or every
    return page(
        request,
        "alike.html",
        "people",
        pairs=[(pair, _sides(service.gallery, pair)) for pair in left[:_PAIRS]],
        first=None if cursor is None else address_with(request, cursor=None),
        more=address_with(request, cursor=cursor_of(left[_PAIRS - 1])) if len(left) > _PAIRS else None,
        threshold=own_rule(recognizer.embedder.contract, recognizer.rule).threshold,
    )


def _sides(gallery: Gallery, pair: AlikePeople) -> list[tuple[Person, Person, list[Template]]]:
    """Each of the two, who the other is, and some of their pictures."""
    first, second = gallery.person(pair.first_id), gallery.person(pair.second_id)
    return [(first, second, _pictures(gallery, first)), (second, first, _pictures(gallery, second))]


def _pictures(gallery: Gallery, person: Person) -> list[Template]:
    return [template for template in gallery.templates(person.id) if not template.negative][:_SIDE_PICTURES]


@router.get("/people/{person_id}")
def person(
    request: Request,
    person_id: PersonId,
    file: Annotated[str, Query(max_length=400)] = "",
    after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
) -> Response:
    """One person with the templates, a page of them at a time."""
    service = service_of(request)
    found = service.gallery.person(person_id)
    own = service.gallery.templates(person_id)
    wanted = [t for t in own if not t.negative and t.id > after and file.casefold() in t.source.casefold()]
    return page(
        request,
        "person.html",
        "people",
        person=found,
        templates=wanted[:_TEMPLATES],
        counter_examples=[t for t in own if t.negative],
        file=file,
        first=address_with(request, after=None) if after else None,
        more=address_with(request, after=wanted[_TEMPLATES - 1].id) if len(wanted) > _TEMPLATES else None,
        exclusions=service.gallery.template_store.exclusions(person_id),
        held=len(service.gallery.held_store.list(person_id)),
        consents=[_with_days(one.to_dict()) for one in service.gallery.consents.list(person_id)],
        consent_required=service.gallery.consents.required,
        purposes=PURPOSES,
        today=today().isoformat(),
        removal=service.gallery.people_store.removal(person_id).counts,
        alone=len(service.gallery.names) < 2,
        sightings=service.sightings.find(SightingFilter(person=found.name), limit=_LATEST),
        groups=service.gallery.groups(),
        rule=service.recognizer.rule,
    )


def _with_days(consent: dict[str, Any]) -> dict[str, Any]:
    """A consent as it is answered, with days in place of their texts."""
    until = consent["until"]
    return {
        **consent,
        "given_on": date.fromisoformat(consent["given_on"]),
        "until": None if until is None else date.fromisoformat(until),
    }
