"""People through REST: pages, search, changes that hold or do not, deletion that says what goes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest
from service_tools import Running


@pytest.fixture
def crowd(admin: httpx.Client) -> Iterator[list[int]]:
    names = ["Zoë", "zoltan", "Ben", "Ben Adams", "山田", "<script>alert(1)</script>", "O'Brien %_\\"]
    ids = [admin.post("/people", json={"name": name, "groups": ["crowd"]}).json()["id"] for name in names]
    yield ids
    for person in ids:
        admin.delete(f"/people/{person}")


def test_pages_hold_everybody_once_and_in_order(admin: httpx.Client, crowd: list[int]) -> None:
    found, cursor = [], None
    while True:
        query = {"limit": 2, "group": "crowd"} | ({"cursor": cursor} if cursor else {})
        page = admin.get("/people", params=query).json()
        assert len(page["items"]) <= 2
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(person["id"] for person in found) == sorted(crowd)
    assert [p["name"] for p in found] == [p["name"] for p in admin.get("/people?group=crowd").json()["items"]]


@pytest.mark.parametrize(
    ("search", "names"),
    [("ZO", ["Zoë", "zoltan"]), ("ben", ["Ben", "Ben Adams"]), ("%_", ["O'Brien % \\"]), ("\\", ["O'Brien % \\"])],
)
def test_search_takes_no_text_for_a_pattern(
    admin: httpx.Client, crowd: list[int], search: str, names: list[str]
) -> None:
    found = admin.get("/people", params={"search": search, "group": "crowd"}).json()["items"]
    assert sorted(person["name"] for person in found) == sorted(names)


def test_external_ids_are_found_by_their_beginning(admin: httpx.Client, person: int) -> None:
    admin.patch(f"/people/{person}", json={"external_id": "S-1815"})
    assert [p["id"] for p in admin.get("/people?search=S-18").json()["items"]] == [person]
    assert admin.get("/people?search=815").json()["items"] == []


def test_a_person_is_made_once(admin: httpx.Client, person: int) -> None:
    name = admin.get(f"/people/{person}").json()["name"]
    again = admin.post("/people", json={"name": name.upper()})
    assert (again.status_code, again.json()["code"]) == (409, "name-taken")
    for bad in ("", " ", "a\x00b", "x" * 201):
        refused = admin.post("/people", json={"name": bad})
        assert refused.status_code == 422, bad
        assert refused.json()["code"] in {"bad-name", "invalid-request"}


def test_changes_hold_all_or_none(admin: httpx.Client, crowd: list[int]) -> None:
    first, second = crowd[:2]
    admin.patch(f"/people/{second}", json={"external_id": "taken"})
    before = admin.get(f"/people/{first}").json()
    refused = admin.patch(f"/people/{first}", json={"name": "New Name", "groups": ["x"], "external_id": "taken"})
    assert (refused.status_code, refused.json()["code"]) == (409, "name-taken")
    assert admin.get(f"/people/{first}").json() == before
    changed = admin.patch(f"/people/{first}", json={"name": "New Name", "groups": ["x", "y"], "threshold": 0.5})
    told = changed.json()
    assert (told["name"], told["groups"], told["threshold"]) == ("New Name", ["x", "y"], 0.5)
    cleared = admin.patch(f"/people/{first}", json={"groups": [], "threshold": None}).json()
    assert (cleared["name"], cleared["groups"], cleared["threshold"]) == ("New Name", [], None)
    assert admin.patch(f"/people/{first}", json={"name": None}).status_code == 422
    assert admin.patch(f"/people/{first}", json={"nme": "x"}).status_code == 422
    assert {"name": "crowd", "people": len(crowd) - 1} in admin.get("/groups").json()


@pytest.mark.slow
def test_merge_split_and_what_goes(own: Running, eileen: bytes, mirrored: bytes) -> None:
    with own.http() as admin:
        a, b = (admin.post("/people", json={"name": name}).json()["id"] for name in ("A", "B"))
        admin.post(f"/people/{a}/templates", files={"pictures": eileen})
        admin.post(f"/people/{b}/templates", files={"pictures": mirrored}, data={"insist": "true"})
        assert admin.post(f"/people/{a}/merge", json={"people": [a]}).json()["code"] == "bad-person"
        assert admin.post(f"/people/{a}/merge", json={"people": [b]}).json()["templates"] == 2
        assert admin.get(f"/people/{b}").status_code == 404
        templates = [template["id"] for template in admin.get(f"/people/{a}/templates").json()]
        everything = admin.post(f"/people/{a}/split", json={"templates": templates, "name": "C"})
        assert everything.json()["code"] == "bad-person"
        new = admin.post(f"/people/{a}/split", json={"templates": templates[:1], "name": "C"})
        assert (new.status_code, new.json()["templates"]) == (201, 1)
        assert new.headers["location"] == f"/v1/people/{new.json()['id']}"
        preview = admin.get(f"/people/{a}/removal").json()
        assert (preview["templates"], preview["pictures"], preview["person"]["name"]) == (1, 1, "A")
        removed = admin.delete(f"/people/{a}").json()
        receipt = removed.pop("receipt")
        assert removed == preview
        checked = admin.post("/receipts/verify", json={"text": receipt["text"]}).json()
        assert (checked["statement"]["person"]["name"], checked["statement"]["by"]) == ("A", "admin")
        altered = receipt["text"].replace('"admin"', '"nobody"')
        assert admin.post("/receipts/verify", json={"text": altered}).json()["code"] == "bad-receipt"
        assert "BEGIN PUBLIC KEY" in admin.get("/receipts/key").text
        assert admin.delete(f"/people/{a}").status_code == 404
        assert [p["name"] for p in admin.get("/people").json()["items"]] == ["C"]


@pytest.mark.slow
def test_templates_move_and_what_is_deleted_is_not_brought_back(own: Running, eileen: bytes, mirrored: bytes) -> None:
    with own.http() as admin:
        person = admin.post("/people", json={"name": "Ada"}).json()["id"]
        admin.post(f"/people/{person}/templates", files={"pictures": eileen})
        admin.post(f"/people/{person}/templates", files={"pictures": mirrored}, data={"insist": "true"})
        first, second = (template["id"] for template in admin.get(f"/people/{person}/templates").json())
        move = {"templates": [first], "to": "Eve"}
        assert admin.post("/templates/move", json=move).status_code == 404  # a typing mistake makes nobody
        moved = admin.post("/templates/move", json={**move, "create": True})
        assert (moved.json()["name"], moved.json()["templates"]) == ("Eve", 1)
        assert admin.post("/templates/move", json={"templates": [first], "to": person, "create": True}).is_client_error
        assert admin.post(f"/history/{moved.headers['knownface-edit']}/undo").is_success
        assert [p["name"] for p in admin.get("/people").json()["items"]] == ["Ada"]
        assert admin.delete(f"/templates/{first}").status_code == 204
        assert admin.post("/templates/forget", json={"templates": [second, 999]}).json() == {"count": 1}
        taken_out = admin.get("/exclusions", params={"person_id": person}).json()
        assert {found["source_sha256"] for found in taken_out} == {sha256(p).hexdigest() for p in (eileen, mirrored)}
        assert admin.delete(f"/exclusions/{taken_out[0]['id']}").status_code == 204
        assert admin.delete(f"/exclusions/{taken_out[0]['id']}").status_code == 404
        assert admin.get("/exclusions").json() == taken_out[1:]


@pytest.mark.slow
def test_nothing_of_a_deleted_person_is_left_in_any_file(own: Running, eileen: bytes) -> None:
    with own.http() as admin:
        made = admin.post("/people", json={"name": "Eileen Unmistakable"}).json()["id"]
        files = {"pictures": ("unmistakable.png", eileen)}
        template = admin.post(f"/people/{made}/templates", files=files).json()["pictures"][0]["templates"][0]
        jpeg = admin.get(f"/templates/{template}/picture").content
        vector = own.service.gallery.vectors(made).embeddings[0].tobytes()
        folder = own.service.recognizer.settings.gallery
        assert admin.delete(f"/people/{made}").status_code == 200
    from pathlib import Path

    for file in Path(folder).parent.iterdir():
        content = file.read_bytes() if file.is_file() else b""
        for trace in (b"Unmistakable", b"unmistakable.png", jpeg[300:340], vector[:40]):
            assert trace not in content, (file, trace)


def test_ids_outside_every_range(admin: httpx.Client) -> None:
    for wrong in ("0", "-1", "99999999999999999999", "1.5", "x", "%00", "1%2F2"):
        answer = admin.get(f"/people/{wrong}")
        assert answer.status_code in {404, 422}, wrong
        assert answer.headers["content-type"] == "application/problem+json"


def test_an_edit_is_listed_and_undone_once(admin: httpx.Client, crowd: list[int]) -> None:
    renamed = admin.patch(f"/people/{crowd[2]}", json={"name": "Benjamin"})
    edit = admin.get("/history", params={"limit": 1}).json()["items"][0]
    assert admin.get(f"/history/{renamed.headers['knownface-edit']}").json() == edit
    again = admin.patch(f"/people/{crowd[2]}", json={"name": "Benjamin"})  # nothing changed: nothing to undo
    assert "knownface-edit" not in again.headers
    assert (edit["text"], edit["can_be_undone"]) == ("'Ben' renamed to 'Benjamin'.", True)
    assert admin.post(f"/history/{edit['id']}/undo").json()["undone"] is True
    assert admin.get(f"/people/{crowd[2]}").json()["name"] == "Ben"
    again = admin.post(f"/history/{edit['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "edit-conflict")
