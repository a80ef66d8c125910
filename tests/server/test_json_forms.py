"""What takes a form with files takes the same as JSON."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from service_tools import Running, serving

from knownface.server.json_forms import encoded_size


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.slow
def test_every_form_with_files_answers_json_alike(
    admin: httpx.Client, person: int, eileen: bytes, mirrored: bytes
) -> None:
    lines = base64.encodebytes(eileen).decode()  # as `base64` writes it, in lines
    learnt = admin.post(f"/people/{person}/templates", json={"pictures": [lines], "faces": "only"}).json()
    assert (learnt["added"], learnt["pictures"][0]["file"]) == (1, "pictures 1")
    again = admin.post(f"/people/{person}/templates", files={"pictures": eileen}).json()
    assert again["pictures"][0]["status"] == "known"
    options = {"top": 1, "allow_repeats": True}
    as_form = admin.post("/identify", files={"picture": mirrored}, data=options).json()
    assert admin.post("/identify", json={"picture": text(mirrored), **options}).json() == as_form
    url = f"data:image/png;base64,{text(mirrored)}"
    assert admin.post("/verify", json={"picture": url, "person_id": person, "other": None}).json()["same"]
    batch = admin.post("/identify/batch", json={"pictures": [url, text(b"no picture")]}).json()["pictures"]
    assert [one["error"] and one["error"]["code"] for one in batch] == [None, "unsupported"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"picture": "%%%"}, 400, "Picture is not in Base64."),
        ({"picture": "Zm9"}, 400, "Picture is not in Base64."),
        ({"picture": "é"}, 400, "Picture is not in Base64."),
        ({"picture": "data:image/png,abcd"}, 400, "Picture is not in Base64."),
        ({"picture": {"data": ""}}, 400, "Picture is no text."),
        ({"picture": "", "top": [[]]}, 400, "Top 1 is neither a text, nor a number, nor true or false."),
        ({"picture": "Zm9v", "top": 99}, 422, "body.top: Input should be less than or equal to 20."),
        ({}, 422, "body.picture: Field required."),
        ([], 400, "The body is no JSON object."),
    ],
)
def test_what_is_no_picture_is_told_as_one_clear_problem(
    admin: httpx.Client, body: Any, status: int, message: str
) -> None:
    answer = admin.post("/identify", json=body)
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert answer.headers["content-type"] == "application/problem+json"


def test_json_that_cannot_be_read_is_no_server_error(admin: httpx.Client) -> None:
    for content in (b"[" * 100_000, b'{"picture": ', b"\xff", b'{"picture": 1' + b"0" * 5_000 + b"}"):
        answer = admin.post("/identify", content=content, headers={"content-type": "application/json; charset=utf-8"})
        assert answer.status_code == 400, content[:20]


def test_limits_are_those_of_forms(tmp_path: Any) -> None:
    with serving(tmp_path, max_upload_bytes=30_000, max_pictures=2) as up, up.http("device") as door:
        allowed = door.post("/detect", json={"picture": text(b"x" * 30_000)})
        assert allowed.json()["code"] == "unsupported"
        larger = door.post("/detect", json={"picture": text(b"x" * 30_001)})
        assert (larger.status_code, larger.json()["message"]) == (
            413,
            "The file has 30001 bytes; at most 30000 are taken.",
        )
        much = door.post("/detect", json={"picture": "x" * encoded_size(100_000)})
        assert (much.status_code, much.json()["code"]) == (413, "too-large")
        assert door.post("/identify/batch", json={"pictures": ["Zm9v"] * 3}).status_code == 413
        assert door.post("/identify/batch", json={"pictures": ["Zm9v"] * 4}).status_code == 413


def test_the_document_tells_both(served: Running) -> None:
    told = httpx.get(f"{served.address}/v1/openapi.json").json()
    both = {
        path: ways["post"]["requestBody"]["content"]
        for path, ways in told["paths"].items()
        if "multipart/form-data" in ways.get("post", {}).get("requestBody", {}).get("content", {})
    }
    assert {"/v1/identify", "/v1/verify", "/v1/people/{person_id}/templates", "/v1/guests"} <= set(both)
    assert all(set(content) == {"multipart/form-data", "application/json"} for content in both.values())
    schema = both["/v1/identify/batch"]["application/json"]["schema"]
    assert schema["properties"]["pictures"]["items"]["contentEncoding"] == "base64"
    assert schema["required"] == ["pictures"]
    assert "contentEncoding" not in str(told["components"]["schemas"])
