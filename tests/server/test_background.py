"""What runs beside the requests: calibration with strangers, jobs, traces that are overwritten, working hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from service_tools import Running, finished, png, serving, until

from knownface.events import SeenTrack, SightingFilter
from knownface.storage.scrub import is_marked
from knownface.types import Image


@pytest.mark.slow
def test_a_calibration_is_measured_with_strangers_who_are_then_forgotten(
    own: Running, eileen: bytes, mirrored: bytes, strangers: list[Image]
) -> None:
    with own.http() as admin:
        assert admin.post("/calibration", json={}).json()["code"] == "gallery-empty"
        person = admin.post("/people", json={"name": "Eileen"}).json()["id"]
        admin.post(f"/people/{person}/templates", files=[("pictures", eileen), ("pictures", mirrored)])
        few = finished(admin, admin.post("/calibration", json={"fpir": 0.1}).json()["id"])
        assert (few["state"], few["problem"]["code"], few["problem"]["details"]["needed"] > 20) == (
            "failed",
            "too-few-strangers",
            True,
        )
        assert admin.get("/calibration").json()["calibration"] is None
        files = [("pictures", (f"{n}.png", png(face))) for n, face in enumerate(strangers[:32])]
        for start in (0, 16):
            answer = admin.post("/calibration/strangers", files=files[start : start + 16]).json()
            assert {told["status"] for told in answer["pictures"]} == {"taken"}
        odd = [
            ("pictures", ("again.png", png(strangers[0]))),
            ("pictures", ("wall.png", png(strangers[0][:8].repeat(8, 0)))),
        ]
        answer = admin.post("/calibration/strangers", files=[*odd, ("pictures", ("x.txt", b"x"))]).json()
        assert [told["status"] for told in answer["pictures"]] == ["known", "refused", "refused"]
        assert [told["problem"] and told["problem"]["code"] for told in answer["pictures"]] == [
            None,
            "no-face",
            "unsupported",
        ]
        assert admin.get("/calibration/strangers").json() == {"people": 32, "without_face": 1}
        done = finished(admin, admin.post("/calibration", json={"fpir": 0.1}).json()["id"])
        assert done["state"] == "done", done
        assert (done["result"]["strangers"], done["result"]["left_out"]) == (32, 0)
        kept = admin.get("/calibration").json()
        assert kept["calibration"]["fpir_bound"] <= 0.1
        assert kept["rule"] == done["result"]["rule"]
        assert admin.get("/calibration/strangers").json() == {"people": 0, "without_face": 0}
        admin.post("/calibration/strangers", files=files[:2])
        assert admin.delete("/calibration/strangers").status_code == 204
        assert admin.get("/calibration/strangers").json()["people"] == 0
        assert admin.delete("/calibration").status_code == 204
        actions = [entry["action"] for entry in admin.get("/audit?action=calibration.").json()["items"]]
        assert actions == ["calibration.forget", "calibration.run"]


def test_a_job_that_was_lost_is_told_from_one_that_never_was(served: Running, admin: httpx.Client) -> None:
    job = served.service.jobs.start("nothing", dict)
    assert finished(admin, job.id)["state"] == "done"
    lost = admin.get("/jobs/000000-0123456789").json()
    assert (lost["code"], "was lost" in lost["message"]) == ("not-found", True)
    word = job.id.partition("-")[0]
    for never in (f"{word}-0123456789", "x", "000000"):
        assert "There is no job" in admin.get(f"/jobs/{never}").json()["message"]


@pytest.mark.slow
def test_an_idle_service_overwrites_the_traces_of_what_was_removed(
    tmp_path_factory: pytest.TempPathFactory, eileen: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knownface.storage.scrub.PROMPT_BYTES", 0)  # as if the gallery were large
    with serving(tmp_path_factory.mktemp("scrub")) as up, up.http() as admin:
        gallery = up.service.gallery

        def marked() -> bool:
            with gallery.database.reading() as connection:
                return is_marked(connection)

        person = admin.post("/people", json={"name": "Eileen"}).json()["id"]
        admin.post(f"/people/{person}/templates", files={"pictures": eileen})
        admin.delete(f"/people/{person}")
        assert marked()
        monkeypatch.setattr("knownface.server.housekeeping._SCRUB_SECONDS", 0)
        monkeypatch.setattr("knownface.server.housekeeping._IDLE_SECONDS", 0)
        until(lambda: not marked())
        until(lambda: [job["state"] for job in admin.get("/jobs").json()] == ["done"])
        assert admin.get("/jobs").json()[0]["result"] == {"done": True}


@pytest.mark.slow
def test_retention_needs_no_camera(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNOWNFACE_RETENTION_DAYS", "30")
    with serving(tmp_path_factory.mktemp("retention")) as up:
        log, now = up.service.sightings, datetime.now(UTC)
        old, young = now - timedelta(days=31), now - timedelta(days=29)
        log.record([SeenTrack(f"{at}", "door", None, log.new_unknown_number(), at, at) for at in (old, young)])
        assert log.count(SightingFilter()) == 2
        monkeypatch.setattr("knownface.server.housekeeping._CLEAN_SECONDS", 0)
        until(lambda: log.count(SightingFilter()) == 1)


def test_working_hours(served: Running, admin: httpx.Client, person: int) -> None:
    came = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    stays = [(came, 3), (came + timedelta(hours=4), 4), (came + timedelta(days=1), 1)]
    served.service.sightings.record(
        [
            SeenTrack(f"{person}-{n}", "office", person, None, start, start + timedelta(hours=hours))
            for n, (start, hours) in enumerate(stays)
        ]
    )
    query = {"first_day": "2026-03-01", "last_day": "2026-03-31", "person_id": person}
    [told] = admin.get("/hours", params=query).json()
    assert (told["person_id"], told["worked_seconds"]) == (person, 9 * 3600)
    assert [day["day"] for day in told["days"]] == ["2026-03-02", "2026-03-03"]
    [broken] = admin.get("/hours", params={**query, "breaks_after": 30}).json()
    assert broken["worked_seconds"] == 8 * 3600
    assert broken["days"][0]["breaks"] == [{"start": "2026-03-02T10:00:00Z", "end": "2026-03-02T11:00:00Z"}]
    [abroad] = admin.get("/hours", params={**query, "time_zone": "Pacific/Auckland"}).json()
    assert [day["day"] for day in abroad["days"]] == ["2026-03-02", "2026-03-03"]
    assert admin.get("/hours", params={**query, "source": "elsewhere"}).json() == []
    for wrong, code in (
        ({"time_zone": "Nowhere/Land"}, "bad-request"),
        ({"time_zone": "../../etc/passwd"}, "bad-request"),
        ({"day_starts": "25:00"}, "invalid-request"),
        ({"last_day": "2026-02-01"}, "bad-events"),
        ({"first_day": "0001-01-01"}, "bad-events"),
        ({"group": "\0"}, "bad-request"),
        ({"person_id": 10**6}, "unknown-person"),
        ({"breaks_after": 0}, "invalid-request"),
    ):
        assert admin.get("/hours", params={**query, **wrong}).json()["code"] == code, wrong
    csv = admin.get("/hours/export", params=query)
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert csv.text.splitlines()[1].endswith(
        "2026-03-02,2026-03-02T07:00:00+00:00,2026-03-02T15:00:00+00:00,0,0.00,8.00"
    )
    weeks = admin.get("/hours/export", params={**query, "by": "week"}).text.splitlines()
    assert weeks[1].endswith("2026-W10,2,9.00")
    excel = admin.get("/hours/export", params={**query, "format": "xlsx"})
    assert excel.content[:2] == b"PK"
    assert admin.get("/audit?action=hours.export").json()["items"][0]["details"] == {"rows": 2}
