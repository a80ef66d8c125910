"""CompreFace's API, asked by the published client of CompreFace, and by hand where that cannot."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_tools import Running, png

from knownface.server.compreface import image_id, similarity, template_id

compreface = pytest.importorskip("compreface", reason="compreface-sdk is not installed (make test does so)")


def client(served: Running, role: str) -> Any:
    address, _, port = served.address.rpartition(":")
    return compreface.CompreFace(address, port), served.keys[role]


@pytest.fixture
def http(own: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{own.address}/api/v1", timeout=60) as opened:
        yield opened


def similarities(answer: dict[str, Any]) -> list[tuple[str, float]]:
    (face,) = answer["result"]
    return [(one["subject"], one["similarity"]) for one in face["subjects"]]


@pytest.mark.slow
def test_the_published_client_enrols_recognises_and_verifies(
    own: Running, eileen: bytes, mirrored: bytes, stranger: bytes
) -> None:
    face, key = client(own, "admin")
    recognition = face.init_face_recognition(key)
    faces, subjects = recognition.get_face_collection(), recognition.get_subjects()
    options = {"limit": 0, "det_prob_threshold": 0.3, "prediction_count": 2}

    assert subjects.add("Somebody") == {"subject": "Somebody"}
    assert subjects.add("somebody")["code"] == 43
    added = faces.add(eileen, "Eileen Collins", {"det_prob_threshold": 0.3})
    assert added["subject"] == "Eileen Collins"
    assert faces.add(eileen, "Eileen Collins") == added  # the same file
    assert subjects.list() == {"subjects": ["Eileen Collins", "Somebody"]}
    listed = faces.list()
    assert listed["faces"] == [added]
    assert (listed["page_number"], listed["total_pages"], listed["total_elements"]) == (0, 1, 1)

    answer = recognition.recognize(mirrored, {**options, "face_plugins": "landmarks,calculator", "status": True})
    ((name, alike),) = similarities(answer)
    assert name == "Eileen Collins"
    assert alike > 0.5
    box = answer["result"][0]["box"]
    assert 0 <= box["x_min"] < box["x_max"]
    assert 0 < box["probability"] <= 1
    assert len(answer["result"][0]["embedding"]) == 128
    assert answer["plugins_versions"]["detector"]
    assert all(alike < 0.5 for _, alike in similarities(recognition.recognize(stranger, options)))

    (verified,) = faces.verify(mirrored, added["image_id"], {"limit": 1})["result"]
    assert verified["similarity"] > 0.5
    assert faces.verify(stranger, added["image_id"])["result"][0]["similarity"] < 0.5
    verification = face.init_face_verification(key)
    (compared,) = verification.verify(eileen, mirrored, {"status": True})["result"]
    assert compared["source_image_face"]["box"]
    assert compared["face_matches"][0]["similarity"] > 0.5
    assert verification.verify(eileen, stranger)["result"][0]["face_matches"][0]["similarity"] < 0.5
    assert len(face.init_face_detection(key).detect(eileen)["result"]) == 1

    assert subjects.update("Eileen Collins", "Eileen") == {"updated": True}
    assert subjects.update("Somebody", "Eileen") == {"updated": True}  # joined
    assert subjects.list() == {"subjects": ["Eileen"]}
    assert faces.delete(added["image_id"]) == {"image_id": added["image_id"], "subject": "Eileen"}
    assert faces.delete(added["image_id"])["code"] == 11
    assert faces.delete_all("Eileen") == {"deleted": 0}
    assert subjects.delete("Eileen") == {"subject": "Eileen"}
    assert subjects.delete("Eileen")["code"] == 42
    subjects.add("One")
    assert subjects.delete_all() == {"deleted": 1}


@pytest.mark.slow
def test_requests_that_cannot_be_are_told_as_compreface_tells_them(
    own: Running, http: httpx.Client, eileen: bytes
) -> None:
    def ask(method: str, path: str, role: str | None = "admin", **options: Any) -> tuple[int, int, str]:
        headers = options.pop("headers", {}) | ({} if role is None else {"x-api-key": own.keys.get(role, role)})
        answer = http.request(method, path, headers=headers, **options)
        told = answer.json()
        assert set(told) == {"message", "code"}, told
        return answer.status_code, told["code"], told["message"]

    recognize = "/recognition/recognize"
    status, code, message = ask("GET", "/recognition/subjects", None)
    assert (status, code) == (400, 20)
    assert message.startswith("Missing header: x-api-key")
    assert ask("GET", "/recognition/subjects", "kf_x_y")[:2] == (401, 10)
    assert ask("GET", "/recognition/subjects", "device")[:2] == (403, 6)
    assert ask("DELETE", "/recognition/subjects", "operator")[:2] == (403, 6)
    assert ask("DELETE", "/recognition/faces", "operator")[:2] == (403, 6)
    assert ask("POST", recognize, "device", files={"file": png(np.zeros((64, 64, 3), np.uint8))})[:2] == (400, 28)
    assert ask("POST", recognize, "device", files={"file": b"no picture"})[:2] == (400, 21)
    assert ask("POST", recognize, "device")[:2] == (400, 26)
    assert ask("POST", recognize, "device", json={"file": "%%%"})[:2] == (400, 26)
    assert ask("POST", recognize, "device", json=["x"])[:2] == (400, 26)
    assert ask("POST", recognize, "device", files={"picture": eileen})[:2] == (400, 26)
    deep = {"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}
    assert ask("POST", recognize, "device", **deep)[:2] == (400, 26)
    assert ask("POST", f"{recognize}?limit=-1", files={"file": eileen})[:2] == (400, 26)
    assert ask("POST", f"{recognize}?face_plugins=calculator", "device", files={"file": eileen})[:2] == (403, 6)
    assert ask("POST", "/recognition/faces?subject=Unknown 3", files={"file": eileen})[:2] == (400, 26)
    assert ask("POST", f"/recognition/faces/{image_id(99)}/verify", files={"file": eileen})[:2] == (404, 11)
    assert ask("GET", "/recognition/faces/x/img")[:2] == (404, 11)
    headers = {"x-api-key": own.keys["device"]}
    answer = http.post(recognize, headers=headers, json={"file": base64.b64encode(eileen).decode()})
    assert answer.json()["result"][0]["subjects"] == []
    # A browser's session is none of theirs: no page of another site can use it.
    http.cookies.set("knownface", own.service.sessions.begin(own.service.keys.get(1)))
    assert http.get("/recognition/subjects").status_code == 400


@given(st.floats(0.01, 2), st.floats(0, 2), st.floats(0, 2))
def test_similarity_falls_with_distance_and_is_half_at_the_threshold(
    threshold: float, one: float, other: float
) -> None:
    near, far = sorted((one, other))
    assert 1 >= similarity(near, threshold) >= similarity(far, threshold) >= 0
    assert similarity(threshold, threshold) == pytest.approx(0.5)
    assert (similarity(one, threshold) >= 0.5) == (one <= threshold)


@given(st.integers(1, 2**31 - 1))
def test_templates_have_uuids(number: int) -> None:
    assert template_id(image_id(number)) == number
