"""Consents over REST, and that no route enrols or names somebody without one where they are demanded."""

from __future__ import annotations

import httpx
import pytest
from service_tools import Running


def _enrol(client: httpx.Client, person: int, picture: bytes) -> httpx.Response:
    return client.post(f"/people/{person}/templates", files={"pictures": ("a.png", picture)})


def _names(client: httpx.Client, picture: bytes) -> set[str | None]:
    return {face["name"] for face in client.post("/identify", files={"picture": ("b.png", picture)}).json()["faces"]}


@pytest.mark.slow
def test_a_consent_opens_and_its_withdrawal_closes_every_route(own: Running, eileen: bytes, mirrored: bytes) -> None:
    own.service.gallery.consents.require()
    with own.http() as admin:
        person = admin.post("/people", json={"name": "Eileen"}).json()["id"]
        refused = _enrol(admin, person, eileen)
        assert (refused.status_code, refused.json()["code"]) == (409, "no-consent")
        given = {"given_by": "Ida", "guardian": True, "purposes": ["photos"], "document": "A 1"}
        assert admin.post(f"/people/{person}/consents", json=given).status_code == 201
        assert _enrol(admin, person, eileen).status_code in {200, 201}
        assert _names(admin, mirrored) == {"Eileen"}
        (consent,) = admin.get(f"/people/{person}/consents").json()
        assert (consent["given_by"], consent["valid"], consent["recorded_by"]) == ("Ida", True, "admin")
        not_person = {"pictures": ("c.png", mirrored)}
        denied = admin.post(f"/people/{person}/templates", files=not_person, data={"counter_example": "true"})
        assert denied.json()["code"] == "no-consent", "the face of somebody who has given none"

        assert admin.post(f"/people/{person}/consents/withdraw").json() == {"withdrawn": 1}
        assert _names(admin, mirrored) == {None}
        answer = admin.post("/identify", files={"picture": ("b.png", mirrored)}, data={"top": "5"}).json()["faces"][0]
        assert (answer["reason"], answer["candidates"], answer["person_id"]) == ("no consent", [], None)
        asked = admin.post("/verify", files={"picture": ("b.png", mirrored)}, data={"person_id": str(person)})
        assert asked.json()["code"] == "no-consent"
        assert "<h1>Consent" in admin.get("/consents/form").text
        wrong = {"given_on": "2026-05-02", "until": "2026-05-01"}
        assert admin.post(f"/people/{person}/consents", json=wrong).json()["code"] == "bad-person"
