"""Consents: who may be enrolled, named and recorded, and what for."""

from __future__ import annotations

from fastapi import Response

from knownface.errors import ConsentError, PersonError, UnknownPersonError
from knownface.gallery import NewConsent
from knownface.law.consent_form import consent_form
from knownface.server.access import guarded_router, needs
from knownface.server.error_responses import errors
from knownface.server.routes.common import CallerDep, ServiceDep
from knownface.server.schemas.common import PersonId
from knownface.server.schemas.consents import ConsentSchema, GivenConsent, Withdrawn

router = guarded_router("consents")

_FAULTS = errors(UnknownPersonError, PersonError, ConsentError)


@router.get("/people/{person_id}/consents", dependencies=needs("viewer"), responses=_FAULTS, summary="List consents")
def list_consents(service: ServiceDep, person_id: PersonId) -> list[ConsentSchema]:
    """A person's consents, the oldest first, withdrawn ones included."""
    return [ConsentSchema.model_validate(one.to_dict()) for one in service.gallery.consents.list(person_id)]


@router.post(
    "/people/{person_id}/consents",
    dependencies=needs("operator"),
    status_code=201,
    responses=_FAULTS,
    summary="Write a consent down",
)
def give_consent(
    service: ServiceDep, caller: CallerDep, person_id: PersonId, given: GivenConsent, response: Response
) -> ConsentSchema:
    """Writes down that the person may be enrolled, named and recorded for these purposes."""
    name = given.given_by or service.gallery.person(person_id).name
    new = NewConsent(name, given.given_on, given.purposes, given.guardian, given.basis, given.document, given.until)
    made = service.gallery.consents.give(person_id, new, caller.actor.name)
    service.audit.note(caller.actor, "consent.give", person_id, consent=made.id)
    response.headers["Location"] = f"/v1/people/{person_id}/consents"
    return ConsentSchema.model_validate(made.to_dict())


@router.post(
    "/people/{person_id}/consents/withdraw",
    dependencies=needs("operator"),
    responses=_FAULTS,
    summary="Withdraw consents",
)
def withdraw_consents(service: ServiceDep, caller: CallerDep, person_id: PersonId) -> Withdrawn:
    """Withdraws what the person has given; they are named and recorded no more, from the next frame on.

    What was enrolled and recorded stays until `DELETE /v1/people/{person_id}`.
    """
    count = service.gallery.consents.withdraw(person_id)
    service.audit.note(caller.actor, "consent.withdraw", person_id, consents=count)
    return Withdrawn(withdrawn=count)


@router.get(
    "/consents/form",
    dependencies=needs("viewer"),
    responses={**errors(), 200: {"content": {"text/html": {}}}},
    response_class=Response,
    summary="A form to print",
)
def show_form(service: ServiceDep) -> Response:
    """A form for consent, made of the settings: HTML to print and sign."""
    headers = {"Content-Disposition": 'attachment; filename="consent.html"'}
    return Response(consent_form(service.recognizer.settings), media_type="text/html", headers=headers)
