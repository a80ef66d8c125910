"""People who may be one, enrolled under two names: listed, and said to be two."""

from __future__ import annotations

from knownface.errors import BadRequestError, PersonError, UnknownPersonError
from knownface.review.alike import AlikePeople
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.alike import AlikeSchema, Different
from knownface.server.schemas.common import Cursor, Limit, Page, PersonId, cursor_after, read_cursor
from knownface.server.schemas.people import PersonSchema

router = guarded_router("people")


@router.get("/people/alike", dependencies=needs("viewer"), responses=errors(), summary="List people who may be one")
def list_alike(service: ServiceDep, cursor: Cursor = None, limit: Limit = 50) -> Page[AlikeSchema]:
    """Pairs of people who may be one, enrolled under two names; the most alike first.

    If they are one, join them (`POST /v1/people/{person_id}/merge`); if not, say so, and they are not listed again.
    """
    left = pairs_after(service.alike.pairs(), cursor)
    rest = cursor_of(left[limit - 1]) if len(left) > limit else None
    return Page(items=[AlikeSchema.model_validate(pair) for pair in left[:limit]], next=rest)


@router.post(
    "/people/{person_id}/different",
    dependencies=needs("operator"),
    responses=errors(UnknownPersonError, PersonError),
    summary="Say that people are two",
)
def note_different(service: ServiceDep, caller: CallerDep, person_id: PersonId, wanted: Different) -> PersonSchema:
    """Remembers that others who look like this person are not this person; answers the person."""
    others = [service.gallery.person(other).id for other in wanted.people]
    person = service.gallery.people_store.note_different(person_id, others)
    service.audit.note(caller.actor, "person.different", person_id, others=", ".join(map(str, others)))
    return PersonSchema.model_validate(person)


def cursor_of(pair: AlikePeople) -> str:
    """What names the place of a pair in the list."""
    return cursor_after(f"{pair.distance!r} {pair.first_id} {pair.second_id}")


def pairs_after(pairs: list[AlikePeople], cursor: str | None) -> list[AlikePeople]:
    """The pairs behind a place in the list, whether or not the pair of that place is still there.

    Raises:
        BadRequestError: No answer said this.
    """
    text = read_cursor(cursor)
    if text is None:
        return pairs
    try:
        distance, first, second = text.split()
        place = float(distance), int(first), int(second)
    except ValueError as error:
        raise BadRequestError("The cursor is none that was given out.", "Give `next` of the page before.") from error
    return [pair for pair in pairs if (pair.distance, pair.first_id, pair.second_id) > place]
