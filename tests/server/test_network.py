"""The change of network of a running service: by its own job, and by another program under it."""

from __future__ import annotations

import numpy as np
import pytest
from service_tools import Running, finished, until

from knownface import FaceRecognizer
from knownface.gallery import NewTemplate

_MIRROR = "dlib-resnet-mirror"


def _names(answer: dict[str, list[dict[str, object]]]) -> list[object]:
    return [face["name"] for face in answer["faces"]]


@pytest.mark.slow
def test_the_network_is_changed_while_the_service_answers(own: Running, eileen: bytes, mirrored: bytes) -> None:
    gallery = own.service.gallery
    with own.http() as admin, own.http("operator") as operator:
        assert admin.post("/network", json={"embedder": _MIRROR}).json()["code"] == "gallery-empty"
        person = admin.post("/people", json={"name": "Eileen"}).json()["id"]
        admin.post(f"/people/{person}/templates", files={"pictures": eileen})
        admin.post("/calibration/strangers", files={"pictures": mirrored})
        rng = np.random.default_rng(0)
        vector = rng.standard_normal(128).astype(np.float32)
        gallery.add_templates("Gone", [NewTemplate(vector / np.linalg.norm(vector), "a tape", "0" * 64)])

        assert operator.post("/network", json={"embedder": _MIRROR}).status_code == 403
        for wrong in ("os:system", "dlib-resnet+dlib-resnet", ""):
            refused = admin.post("/network", json={"embedder": wrong})
            assert (refused.status_code, refused.json()["code"]) == (422, "unknown-model"), wrong
        before = operator.get("/network").json()
        assert (before["embedder"], _MIRROR in before["at_hand"], before["kept"]) == ("dlib-resnet", True, [])

        stopped = finished(admin, admin.post("/network", json={"embedder": _MIRROR}).json()["id"])
        assert (stopped["state"], stopped["done"], stopped["total"]) == ("done", 2, 2), stopped
        result = stopped["result"]
        assert (result["changed"], result["lost_count"]) == (False, 1)
        assert (result["lost"][0]["person"], "came from no file" in result["lost"][0]["reason"]) == ("Gone", True)
        assert admin.get("/network").json()["embedder"] == "dlib-resnet"
        assert admin.get("/calibration/strangers").json()["people"] == 1

        wanted = {"embedder": _MIRROR, "leave_out": True}
        done = finished(admin, admin.post("/network", json=wanted).json()["id"])["result"]
        assert (done["changed"], done["templates"], done["set_aside"]) == (True, 1, 1)
        assert "settings name the embedder dlib-resnet" in done["note"]
        after = admin.get("/network").json()
        assert (after["embedder"], after["set_aside"]) == (_MIRROR, 1)
        assert after["kept"] == [{"name": "dlib-resnet", "vectors": 1}]
        assert _names(admin.post("/identify", files={"picture": mirrored}).json()) == ["Eileen"]
        assert admin.get("/calibration/strangers").json()["people"] == 0
        [entry] = admin.get("/audit?action=network.").json()["items"]
        assert entry["details"] == {"before": "dlib-resnet", "now": _MIRROR, "templates": 1, "set_aside": 1}

        # Another program brings it back.
        with FaceRecognizer.open(gallery.location, embedder="auto", detector="dlib-hog") as other:
            assert other.migrate("dlib-resnet").lost == {}
        until(lambda: admin.get("/network").json()["embedder"] == "dlib-resnet")
        assert _names(admin.post("/identify", files={"picture": mirrored}).json()) == ["Eileen"]
        assert admin.get("/ready").status_code == 200


def test_a_job_that_tells_how_far_it_is_can_be_stopped(own: Running) -> None:
    def endless() -> dict[str, int]:
        while True:
            own.service.jobs.report(3, 10)

    with own.http() as admin:
        job = own.service.jobs.start("endless", endless)
        until(lambda: admin.get(f"/jobs/{job.id}").json()["done"] == 3)
        assert admin.delete(f"/jobs/{job.id}").json()["total"] == 10
        assert finished(admin, job.id)["problem"]["code"] == "stopped"
        own.service.jobs.start("endless", endless)  # and does not keep the service from ending
