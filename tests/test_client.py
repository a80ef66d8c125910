"""The Python client against a real service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra `server` is not installed")

from service_tools import Running, png, serving

from knownface.client import Client, RemoteError
from knownface.types import Image


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("client")) as running:
        yield running


@pytest.fixture
def client(up: Running) -> Iterator[Client]:
    with Client(up.address, up.keys["admin"]) as opened:
        yield opened


@pytest.mark.slow
def test_from_a_photo_to_a_name_and_back(
    client: Client, astronaut: Image, strangers: list[Image], tmp_path: Path
) -> None:
    photo = tmp_path / "eileen.png"
    photo.write_bytes(png(astronaut))
    mirrored = png(astronaut[:, ::-1].copy())
    done = client.enrol("Eileen Collins", [photo])
    assert (done["added"], done["pictures"][0]["file"]) == (1, "eileen.png")
    assert client.enrol("Eileen Collins", [str(photo)])["pictures"][0]["status"] == "known"
    [face] = client.identify(mirrored)["faces"]
    assert face["name"] == "Eileen Collins"
    [item, broken] = client.identify_batch([mirrored, b"no picture"])
    assert item["picture"] is not None
    assert broken["error"] is not None
    assert broken["error"]["code"] == "unsupported"
    [person] = client.people(search="eileen")
    assert client.verify(photo, mirrored)["same"]
    assert client.verify_person(mirrored, person["id"])["same"]
    assert client.review(photo, person_id=person["id"])["problem"] is None
    assert client.review(mirrored)["problem"]["code"] == "looks-like-other"
    assert client.change_person(person["id"], groups=["crew"])["groups"] == ["crew"]
    [template] = client.templates(person["id"])
    assert client.template_picture(template["id"])[:2] == b"\xff\xd8"
    client.add_templates(person["id"], [mirrored])
    parted = client.split(person["id"], [template["id"]], "Somebody")
    assert client.merge(person["id"], [parted["id"]])["templates"] == 2
    client.delete_template(template["id"])
    assert client.removal(person["id"])["templates"] == 1
    with pytest.raises(RemoteError) as few:
        client.calibrate(fpir=0.01)
    assert few.value.code == "too-few-strangers"
    assert few.value.details is not None
    assert few.value.details["needed"] > 100
    assert list(client.sightings(person_id=person["id"])) == []
    assert client.delete_person(person["id"])["person"]["name"] == "Eileen Collins"
    with pytest.raises(RemoteError) as gone:
        client.person(person["id"])
    assert (gone.value.code, gone.value.status) == ("unknown-person", 404)
    assert gone.value.hint


def test_pages_are_read_to_the_end(client: Client) -> None:
    made = [client.create_person(f"Paged {number:03}", groups=["paged"])["id"] for number in range(7)]
    assert [p["id"] for p in client.pages("people", group="paged", limit=3)] == made
    for person in made:
        client.delete_person(person)


def test_errors_carry_codes(up: Running, client: Client) -> None:
    with pytest.raises(RemoteError) as taken:
        client.create_person("Unknown")
    assert (taken.value.code, taken.value.status) == ("reserved-name", 409)
    with Client(up.address, "kf_wrong_key") as stranger, pytest.raises(RemoteError) as refused:
        list(stranger.people())
    assert refused.value.code == "no-key"
    with Client("http://127.0.0.1:9", "x") as nobody, pytest.raises(RemoteError) as silent:
        nobody.identify(b"x")
    assert (silent.value.code, silent.value.status) == ("unreachable", 0)


@pytest.mark.slow
def test_it_waits_where_it_is_told_to(tmp_path: Path) -> None:
    with serving(tmp_path, rate_per_key=2.0) as limited:
        with Client(limited.address, limited.keys["viewer"], patience=3) as patient:
            for _ in range(7):
                assert patient.request("GET", "session")["role"] == "viewer"
        with Client(limited.address, limited.keys["device"], patience=0) as hasty:
            for _ in range(4):
                hasty.request("GET", "session")
            with pytest.raises(RemoteError) as told:
                [hasty.request("GET", "session") for _ in range(20)]
        assert told.value.code == "rate-limited"


def test_the_client_needs_httpx_alone() -> None:
    import subprocess
    import sys

    code = "import sys, knownface.client; print({'numpy', 'fastapi', 'sqlalchemy', 'pydantic'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
