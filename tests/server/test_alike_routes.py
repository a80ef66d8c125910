"""People enrolled under two names through REST: listed in pages, and not again once they are said to be two."""

from __future__ import annotations

import numpy as np
import pytest
from service_tools import Running

from knownface.gallery import NewTemplate


def twins(own: Running, count: int) -> None:
    """Pairs of people with one face each: "Nobody 0" looks like "Nobody 0 again"."""
    gallery = own.service.gallery
    for number in range(count):
        vector = np.eye(own.service.recognizer.embedder.contract.dim, dtype=np.float32)[number]
        for name in (f"Nobody {number}", f"Nobody {number} again"):
            gallery.add_templates(name, [NewTemplate(vector, f"{name}.jpg", name.encode().hex().ljust(64, "0"))])


@pytest.mark.slow
def test_pairs_come_in_pages_and_go_when_somebody_decides(own: Running) -> None:
    twins(own, 3)
    with own.http("admin") as admin, own.http("viewer") as viewer:
        first = viewer.get("/people/alike", params={"limit": 2}).json()
        rest = viewer.get("/people/alike", params={"cursor": first["next"]}).json()
        pairs = [*first["items"], *rest["items"]]
        assert [pair["first"] for pair in pairs] == ["Nobody 0", "Nobody 1", "Nobody 2"]
        assert rest["next"] is None
        assert viewer.get("/people/alike?cursor=bm9uZQ").status_code == 400
        one, other = pairs[0]["first_id"], pairs[0]["second_id"]
        assert viewer.post(f"/people/{one}/different", json={"people": [other]}).status_code == 403
        assert admin.post(f"/people/{one}/different", json={"people": [one]}).status_code == 422
        said = admin.post(f"/people/{one}/different", json={"people": [other]})
        assert [pair["first_id"] for pair in viewer.get("/people/alike").json()["items"]] == [
            pair["first_id"] for pair in pairs[1:]
        ]
        edit = int(said.headers["Knownface-Edit"])
        assert admin.get(f"/history/{edit}").json()["text"] == "'Nobody 0' is not the same person as 'Nobody 0 again'."
        assert admin.post(f"/history/{edit}/undo").is_success
        admin.post(f"/people/{pairs[1]['first_id']}/merge", json={"people": [pairs[1]["second_id"]]})
        # A page goes on behind a pair that is gone.
        assert viewer.get("/people/alike", params={"cursor": first["next"]}).json()["items"] == rest["items"]
        assert [pair["first"] for pair in viewer.get("/people/alike").json()["items"]] == ["Nobody 0", "Nobody 2"]
