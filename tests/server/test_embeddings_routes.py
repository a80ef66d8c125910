"""Faces without names: found, embedded, and whose an embedding is."""

from __future__ import annotations

import math

from service_tools import Running

from knownface.client import Client


def test_an_embedding_out_finds_its_person_and_one_of_another_network_nobody(own: Running, eileen: bytes) -> None:
    with Client(own.address, own.keys["operator"]) as client, own.http("viewer") as viewer, own.http("device") as door:
        client.enrol("Eileen Collins", [eileen])
        [face] = client.detect(eileen)["faces"]
        assert set(face) == {"box", "landmarks", "quality"}
        assert door.post("/detect", files={"picture": eileen}).json()["faces"] == [face]
        assert viewer.post("/embeddings", files={"picture": eileen}).status_code == 403
        told = client.embeddings(eileen)
        [embedded] = told["faces"]
        assert math.isclose(sum(x * x for x in embedded["embedding"]), 1, abs_tol=1e-4)
        found = client.search([3 * x for x in embedded["embedding"]], told["contract"])
        assert (found["name"], found["reason"]) == ("Eileen Collins", "named")
        assert found["candidates"][0]["person_id"] == found["person_id"]
        with own.http("operator") as operator:
            for body, status in (
                ({"embedding": embedded["embedding"], "contract": "another"}, 409),
                ({"embedding": [1.0, 2.0], "contract": told["contract"]}, 422),
                ({"embedding": [0.0] * len(embedded["embedding"]), "contract": told["contract"]}, 422),
            ):
                assert operator.post("/embeddings/search", json=body).status_code == status


def test_everybody_is_expected(own: Running) -> None:
    with own.http() as admin:
        for name in ("Ada", "Grace"):
            admin.post("/people", json={"name": name})
        session = admin.post("/attendance", json={"name": "assembly", "everybody": True}).json()["id"]
        told = admin.get(f"/attendance/{session}").json()
        assert {"Ada", "Grace"} <= {one["name"] for one in told["attendees"]}
