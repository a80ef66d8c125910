"""Sign-ins and refused keys in the audit log, which nobody can flood."""

from __future__ import annotations

from pathlib import Path

import httpx
from service_tools import Running

from knownface.law.audit import Actor, AuditLog
from knownface.server.audit_tally import AuditTally
from knownface.storage import Database


def test_a_flood_is_few_entries_that_count_all_of_it(tmp_path: Path) -> None:
    now = [0.0]
    with Database.open(tmp_path / "g.db") as database:
        audit = AuditLog(database)
        tally = AuditTally(audit, lambda: now[0])
        for second in range(600):
            now[0] = float(second)
            for host in range(3):
                tally.add(Actor(None, "", "none", f"10.{second // 250}.{second % 250}.{host}"), "key.refused")
            tally.add(Actor(None, "door", "device", "10.0.0.1"), "session.begin")
            tally.write()
        assert len(audit.page(limit=1000)) <= 60 + 60 + 1
        now[0] = 100_000.0
        for _ in range(100):
            now[0] += 1000
            tally.write()
        found = audit.page(limit=1000)
        assert sum(entry.details["times"] for entry in found if entry.action == "key.refused") == 1800
        assert sum(entry.details["times"] for entry in found if entry.action == "session.begin") == 600


def test_who_signed_in_and_who_could_not(own: Running) -> None:
    with httpx.Client(base_url=f"{own.address}/v1") as browser, own.http() as admin:
        assert browser.post("/session", json={"key": "kf_0123456789_nothing"}).status_code == 401
        assert browser.get("/people", headers={"Authorization": "Bearer nothing"}).status_code == 401
        csrf = browser.post("/session", json={"key": own.keys["viewer"]}).json()["csrf"]
        assert browser.delete("/session", headers={"X-CSRF-Token": csrf}).status_code == 204
        own.service.tally.write()
        entries = admin.get("/audit").json()["items"]
        told = {entry["action"]: (entry["actor"]["name"], entry["actor"]["address"]) for entry in entries}
        assert told == {
            "key.refused": ("", "127.0.0.1"),
            "session.begin": ("viewer", "127.0.0.1"),
            "session.end": ("viewer", "127.0.0.1"),
        }
