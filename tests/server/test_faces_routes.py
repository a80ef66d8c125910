"""Naming, verifying, reviewing and learning through REST, on real faces."""

from __future__ import annotations

import httpx
import numpy as np
import pytest
from service_tools import Running, png

from knownface.types import Image


@pytest.fixture
def knows_eileen(admin: httpx.Client, person: int, eileen: bytes) -> int:
    done = admin.post(f"/people/{person}/templates", files={"pictures": ("../../etc/eileen<b>.png", eileen)})
    assert done.status_code == 200
    [told] = done.json()["pictures"]
    assert (told["status"], told["file"], len(told["templates"])) == ("enrolled", "eileen<b>.png", 1)
    return person


def test_a_known_face_is_named_and_says_why(admin: httpx.Client, knows_eileen: int, mirrored: bytes) -> None:
    answer = admin.post("/identify", files={"picture": mirrored}, data={"top": "3"})
    assert answer.status_code == 200
    [face] = answer.json()["faces"]
    assert face["person_id"] == knows_eileen
    assert (face["reason"], face["stage"], face["landmarks"]) == ("named", 1, None)
    assert face["candidates"][0]["person_id"] == knows_eileen
    assert 0 < face["quality"]["score"] <= 1
    assert answer.json()["width"] == 512


def test_a_name_is_told_with_how_sure_it_is_where_that_is_asked_for(
    admin: httpx.Client, knows_eileen: int, mirrored: bytes, served: Running
) -> None:
    def told() -> tuple[object, bool]:
        [face] = admin.post("/identify", files={"picture": mirrored}).json()["faces"]
        page = httpx.get(f"{served.address}/identify", headers=dict(admin.headers))
        return face["accuracy"], 'class="hint accuracy"' in page.text

    assert told() == (None, False)
    assert admin.patch("/settings", json={"show_accuracy": True}).json()["show_accuracy"] is True
    try:
        accuracy, on_page = told()
        claim = admin.post("/verify", files={"picture": mirrored}, data={"person_id": str(knows_eileen)}).json()
        overall = admin.get("/settings").json()["accuracy"]
    finally:
        admin.patch("/settings", json={"show_accuracy": False})
    assert on_page
    assert claim["accuracy"] == overall == accuracy
    assert accuracy == {"strangers_as_near": None, "strangers_named": None, "by": "unknown", "confidence": None}


@pytest.mark.slow
def test_strangers_are_unknown_and_repeats_only_where_allowed(
    admin: httpx.Client, knows_eileen: int, stranger: bytes, astronaut: Image
) -> None:
    [face] = admin.post("/identify", files={"picture": stranger}).json()["faces"]
    assert (face["person_id"], face["reason"]) == (None, "too far")
    twice = png(np.hstack([astronaut, astronaut[:, ::-1]]))
    named = [f["name"] is not None for f in admin.post("/identify", files={"picture": twice}).json()["faces"]]
    assert sorted(named) == [False, True]
    repeats = admin.post("/identify", files={"picture": twice}, data={"allow_repeats": "true"}).json()["faces"]
    assert all(face["name"] for face in repeats)


def test_a_batch_tells_of_each_picture(admin: httpx.Client, knows_eileen: int, mirrored: bytes) -> None:
    files = [
        ("pictures", ("a.png", mirrored)),
        ("pictures", ("b.txt", b"no picture")),
        ("pictures", ("c.png", mirrored)),
    ]
    answer = admin.post("/identify/batch", files=files)
    assert answer.status_code == 200
    first, second, third = answer.json()["pictures"]
    assert first["picture"]["faces"][0]["person_id"] == third["picture"]["faces"][0]["person_id"] == knows_eileen
    assert (second["file"], second["picture"], second["error"]["code"]) == ("b.txt", None, "unsupported")
    assert admin.post("/identify/batch", files=[("pictures", ("a.png", b"x"))] * 17).status_code in {400, 413}


@pytest.mark.slow
def test_verify_pictures_and_the_question_at_the_door(
    admin: httpx.Client, knows_eileen: int, eileen: bytes, mirrored: bytes, stranger: bytes
) -> None:
    same = admin.post("/verify", files={"picture": eileen, "other": mirrored}).json()
    assert same["same"]
    assert "within the threshold" in same["reason"]
    assert not admin.post("/verify", files={"picture": eileen, "other": stranger}).json()["same"]
    door = admin.post("/verify", files={"picture": mirrored}, data={"person_id": knows_eileen}).json()
    assert door["same"]
    assert not admin.post("/verify", files={"picture": stranger}, data={"person_id": knows_eileen}).json()["same"]
    assert admin.post("/verify", files={"picture": mirrored}).json()["code"] == "bad-request"
    assert (
        admin.post("/verify", files={"picture": mirrored}, data={"person_id": 10**6}).json()["code"] == "unknown-person"
    )
    # Her own threshold, then a picture that is not her, change the door's answer.
    admin.patch(f"/people/{knows_eileen}", json={"threshold": 0.001})
    assert not admin.post("/verify", files={"picture": mirrored}, data={"person_id": knows_eileen}).json()["same"]
    admin.patch(f"/people/{knows_eileen}", json={"threshold": None})
    wrong = admin.post(
        f"/people/{knows_eileen}/templates", files={"pictures": mirrored}, data={"counter_example": "true"}
    )
    assert wrong.json()["added"] == 1
    ruled_out = admin.post("/verify", files={"picture": mirrored}, data={"person_id": knows_eileen}).json()
    assert not ruled_out["same"]
    assert "not to be this person" in ruled_out["reason"]


def test_nobody_to_compare_with(admin: httpx.Client, person: int, eileen: bytes) -> None:
    answer = admin.post("/verify", files={"picture": eileen}, data={"person_id": person})
    assert (answer.status_code, answer.json()["code"]) == (409, "gallery-empty")


def test_the_same_file_twice_adds_nothing(admin: httpx.Client, knows_eileen: int, eileen: bytes) -> None:
    again = admin.post(f"/people/{knows_eileen}/templates", files={"pictures": eileen}).json()
    assert (again["added"], again["pictures"][0]["status"]) == (0, "known")
    assert len(again["pictures"][0]["templates"]) == 1
    twice = admin.post(f"/people/{knows_eileen}/templates", files=[("pictures", eileen), ("pictures", eileen)]).json()
    assert twice["added"] == 0


def test_what_cannot_be_learnt_from_is_refused_with_a_reason(
    admin: httpx.Client, knows_eileen: int, person: int, mirrored: bytes, stranger: bytes
) -> None:
    other = admin.post("/people", json={"name": "somebody else"}).json()["id"]
    try:
        files = [
            ("pictures", ("other.png", mirrored)),
            ("pictures", ("blank.png", png(np.zeros((99, 99, 3), np.uint8)))),
        ]
        answer = admin.post(f"/people/{other}/templates", files=files).json()
        assert [told["code"] for told in answer["pictures"]] == ["looks-like-other", "no-face"]
        assert answer["added"] == 0
        assert answer["pictures"][0]["faces"][0]["box"]["width"] > 50
        insisted = admin.post(
            f"/people/{other}/templates", files={"pictures": mirrored}, data={"insist": "true"}
        ).json()
        assert insisted["added"] == 1
    finally:
        admin.delete(f"/people/{other}")


def test_review_stores_nothing(admin: httpx.Client, person: int, eileen: bytes, stranger: bytes) -> None:
    good = admin.post("/review", files={"picture": eileen}).json()
    assert (good["problem"], good["faces"][0]["chosen"]) == (None, True)
    blank = admin.post("/review", files={"picture": png(np.full((99, 99, 3), 90, np.uint8))}).json()
    assert (blank["faces"], blank["problem"]["code"]) == ([], "no-face")
    assert admin.get(f"/people/{person}").json()["templates"] == 0


def test_templates_are_listed_shown_and_deleted(admin: httpx.Client, knows_eileen: int) -> None:
    [template] = admin.get(f"/people/{knows_eileen}/templates").json()
    assert template["source"] == "upload:eileen<b>.png"
    picture = admin.get(f"/templates/{template['id']}/picture")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content[:2] == b"\xff\xd8"
    tag = picture.headers["etag"]
    assert admin.get(f"/templates/{template['id']}/picture", headers={"If-None-Match": tag}).status_code == 304
    assert admin.get(f"/people/{knows_eileen}/picture").content == picture.content
    assert admin.delete(f"/templates/{template['id']}").status_code == 204
    for gone in (f"/templates/{template['id']}", f"/templates/{template['id']}/picture"):
        assert admin.get(gone).json()["code"] == "unknown-template"
    assert admin.get(f"/people/{knows_eileen}/picture").json()["code"] == "not-found"
