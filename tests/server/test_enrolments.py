"""Many people at once from an archive, as a job that a restart goes on with."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import httpx
import pytest
from service_tools import Running, finished, serving

from knownface.client import Client
from knownface.server.job_spool import MOST_STARTS

pytestmark = pytest.mark.slow


def packed(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_is_enrolled_with_its_review(
    own: Running, eileen: bytes, mirrored: bytes, stranger: bytes, tmp_path: Path
) -> None:
    rows = "name,external_id,groups\nEileen Collins,E-1,crew\n"
    content = packed(
        {
            "people.csv": rows,
            "Eileen_Collins/a.png": eileen,
            "Eileen_Collins/b.png": mirrored,
            "Somebody/s.png": stranger,
            "Somebody/notes.txt": "no photo",
            "Nobody/n.png": b"\x89PNG\r\n\x1a\n",
        }
    )
    with own.http("operator") as operator, own.http("viewer") as viewer:
        assert viewer.post("/enrolments", files={"archive": content}).status_code == 403
        begun = operator.post("/enrolments", files={"archive": ("../crew.zip", content)})
        assert (begun.status_code, begun.json()["kind"]) == (202, "enrolment")
        assert begun.headers["location"] == f"/v1/jobs/{begun.json()['id']}"
        done = finished(operator, begun.json()["id"])
        assert (done["done"], done["total"], done["resumed"], done["problem"]) == (4, 4, False, None)
        told = done["result"]
        assert (told["file"], told["people"], told["enrolled"], told["templates"]) == ("crew.zip", 2, 3, 3)
        assert {(one["file"], one["status"], one["reason"]) for one in told["files"]} == {
            ("Somebody/notes.txt", "refused", "unsupported"),
            ("Nobody/n.png", "refused", "unreadable"),
        }
        [person] = operator.get("/people", params={"search": "eileen"}).json()["items"]
        assert (person["external_id"], person["groups"], person["templates"]) == ("E-1", ["crew"], 2)
        first = operator.get(f"/people/{person['id']}/templates").json()[0]
        assert first["source"].endswith("Eileen_Collins/a.png")
        assert operator.get(f"/templates/{first['id']}/picture").headers["content-type"] == "image/jpeg"
        (tmp_path / "crew.zip").write_bytes(content)
        with Client(own.address, own.keys["operator"]) as client:
            assert client.enrol_archive(tmp_path / "crew.zip")["known"] == 3
        with own.http() as admin:
            noted = admin.get("/audit", params={"action": "templates.add-many"}).json()["items"]
        assert [one["details"]["enrolled"] for one in noted] == [0, 3]
    assert spooled(own) == []


def test_archives_that_cannot_be_are_refused_at_once(served: Running, admin: httpx.Client, eileen: bytes) -> None:
    for content, status, code in (
        (b"no archive", 415, "unsupported"),
        (packed({"../x/1.png": eileen}), 422, "bad-input"),
        (packed({f"a/{number}": "" for number in range(10_001)}), 413, "too-large"),
    ):
        answer = admin.post("/enrolments", files={"archive": content})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    alone = {"archive": ("x.zip", packed({"1.png": eileen}))}
    failed = finished(admin, admin.post("/enrolments", files=alone).json()["id"])
    assert failed["problem"]["message"].startswith("X.zip holds no folders")
    assert spooled(served) == []


def test_consent_is_demanded_of_archives_too(own: Running, eileen: bytes, stranger: bytes) -> None:
    own.service.gallery.consents.require(True)
    rows = "name,consent_by\nEileen Collins,herself\n"
    content = packed({"people.csv": rows, "Eileen Collins/1.png": eileen, "Somebody/1.png": stranger})
    with own.http("operator") as operator:
        told = finished(operator, operator.post("/enrolments", files={"archive": content}).json()["id"])["result"]
        assert (told["enrolled"], [one["reason"] for one in told["files"]]) == (1, ["no-consent"])
        assert [person["name"] for person in operator.get("/people").json()["items"]] == ["Eileen Collins"]


def test_a_restart_goes_on_with_what_waits_and_gives_up_what_ends_it(tmp_path: Path, eileen: bytes) -> None:
    with serving(tmp_path) as up, up.http() as admin:
        jobs = up.service.jobs

        def endless() -> dict[str, int]:
            while True:
                jobs.report(0, 1)
                time.sleep(0.01)

        jobs.start("test", endless)
        first = admin.post("/enrolments", files={"archive": packed({"Eileen/1.png": eileen})}).json()["id"]
        second = admin.post("/enrolments", files={"archive": packed({"Eileen/1.png": eileen})}).json()["id"]
        stopped = admin.post("/enrolments", files={"archive": packed({"Eileen/1.png": eileen})}).json()["id"]
        admin.delete(f"/jobs/{stopped}")
        [folder] = [path.parent for path in (tmp_path / "cache" / "jobs").rglob("upload") if second in str(path)]
        facts = folder / "job.json"
        facts.write_text(facts.read_text().replace('"starts": 0', f'"starts": {MOST_STARTS}'))
    assert len(list((tmp_path / "cache" / "jobs").rglob("upload"))) == 3
    with serving(tmp_path) as up, up.http() as admin:
        done = finished(admin, first)
        assert (done["state"], done["result"]["templates"]) == ("done", 1)
        given_up = admin.get(f"/jobs/{second}").json()
        assert (given_up["state"], given_up["problem"]["code"]) == ("failed", "stopped")
        assert given_up["resumed"]
        finished(admin, stopped)
        assert spooled(up) == []


def spooled(running: Running) -> list[Path]:
    return list((running.service.recognizer.settings.cache / "jobs").rglob("upload"))
