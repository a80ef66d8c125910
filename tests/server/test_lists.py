"""Lists through REST come a page at a time, each row once."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import numpy as np
import pytest
from service_tools import Running

from knownface.events import SampleCandidate, offer_sample
from knownface.gallery import NewHeld, NewTemplate


def every(client: httpx.Client, path: str) -> list[int]:
    """The ids of all pages of one row."""
    ids, cursor = [], None
    while True:
        page = client.get(path, params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        ids += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return ids


@pytest.mark.slow
def test_each_row_of_a_list_is_on_one_of_its_pages(own: Running) -> None:
    gallery = own.service.gallery
    looks = np.eye(own.service.recognizer.embedder.contract.dim, dtype=np.float32)
    people = {name: gallery.add_person(name).id for name in ("Zoë", "ann", "Ben")}
    with own.http("operator") as client:
        for number, (name, person) in enumerate(people.items()):
            face = NewTemplate(looks[number], f"{name}.jpg", name.encode().hex().ljust(64, "0"))
            gallery.enrol([(name, face)])
            tilted = looks[number] + 0.3 * looks[20 + number]
            candidate = SampleCandidate(
                person,
                "door",
                datetime.now(UTC),
                tilted / np.linalg.norm(tilted),
                np.zeros((32, 32, 3), np.uint8),
                1,
                9,
                0,
            )
            assert offer_sample(gallery, candidate, threshold=0.6, accept=False) == "offered"
            held = NewTemplate(looks[10 + number], "new.jpg", name.encode().hex().ljust(64, "1"))
            gallery.enrol([], held=[(name, NewHeld(held, "odd-picture", "It is odd."))])
            assert client.post("/attendance", json={"name": f"Lesson {number}", "people": [person]}).is_success
        party = [{"name": name} for name in ("Anna Bauer", "ann", "Hanna_Ott", "Otto")]
        session = client.post("/attendance", json={"name": "Party", "guests": party}).json()["id"]
        client.patch(f"/people/{people['ann']}", json={"name": "Annabel"})
        assert client.get(f"/attendance/{session}/names?search=NNA").json() == ["Anna Bauer", "Hanna_Ott"]
        assert client.get(f"/attendance/{session}/names?limit=1").json() == ["ann"], "as the list calls her"
        assert client.delete(f"/attendance/{session}").is_success
        for path in ("/offers", "/held", "/attendance"):
            whole = client.get(path).json()
            assert every(client, path) == [row["id"] for row in whole["items"]]
            assert (len(whole["items"]), whole["next"]) == (3, None)
            assert client.get(path, params={"cursor": "bm9uZQ"}).status_code == 400
        assert [row["name"] for row in client.get("/held").json()["items"]] == ["Annabel", "Ben", "Zoë"]
        assert [row["name"] for row in client.get(f"/held?person_id={people['Ben']}").json()["items"]] == ["Ben"]
