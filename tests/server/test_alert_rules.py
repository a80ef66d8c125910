"""Alert rules over REST: the same as those of the command line, but none that runs a program."""

from __future__ import annotations

import httpx
import pytest
from service_tools import Running

from knownface.events import AlertRule, add_rule, list_rules

LATE = {"name": "late", "kind": "missing", "group": "staff", "by": "09:00", "days": ["mon"], "time_zone": "UTC"}


@pytest.fixture
def rule(admin: httpx.Client) -> int:
    """A rule; every other one is gone."""
    for old in admin.get("/alerts/rules").json():
        admin.delete(f"/alerts/rules/{old['id']}")
    made = admin.post("/alerts/rules", json=LATE)
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/alerts/rules/{made.json()['id']}")
    return int(made.json()["id"])


def test_a_rule_is_made_changed_and_removed(served: Running, admin: httpx.Client, rule: int) -> None:
    told = admin.get(f"/alerts/rules/{rule}").json()
    own = {"id": rule, "source": None, "cooldown_seconds": 300, "confirm": 0, "confirm_seconds": 3600, "acts": False}
    assert told == {**LATE, **own}
    changed = admin.put(
        f"/alerts/rules/{rule}", json={"name": "Late", "kind": "unknown", "source": "door", "confirm": 2}
    )
    assert changed.status_code == 200
    [stored] = list_rules(served.service.database)
    assert (stored.id, stored.name, stored.kind, stored.by, stored.days) == (rule, "Late", "unknown", None, ())
    assert (stored.source, stored.confirm) == ("door", 2)
    assert admin.delete(f"/alerts/rules/{rule}").status_code == 204
    assert admin.get(f"/alerts/rules/{rule}").json()["code"] == "unknown-alert-rule"
    noted = admin.get("/audit", params={"action": "alert-rule.", "limit": 3}).json()["items"]
    assert [(one["action"], one["subject_id"]) for one in noted] == [
        (f"alert-rule.{what}", rule) for what in ("delete", "change", "create")
    ]
    for role in ("viewer", "operator"):
        with served.http(role) as other:
            assert other.get("/alerts/rules").json() == []
            assert other.post("/alerts/rules", json=LATE).status_code == 403


def test_what_makes_no_sense_is_refused_in_words(admin: httpx.Client, rule: int) -> None:
    for body, status, words in (
        ({**LATE, "name": "LATE"}, 422, "There is a rule 'LATE'."),
        ({"name": "x", "kind": "missing", "group": "staff"}, 422, "needs a group and a time"),
        ({**LATE, "name": "x", "time_zone": "Nowhere/Land"}, 422, "There is no time zone"),
        ({**LATE, "name": "x", "by": "25:00"}, 422, "body.by"),
        ({**LATE, "name": "x", "command": ["rm"]}, 422, "on the service's machine: `knownface alerts add`"),
        ({"name": "x", "kind": "born"}, 422, "'seen', 'missing' or 'unknown'"),
    ):
        answer = admin.post("/alerts/rules", json=body)
        assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.json()
    assert admin.put("/alerts/rules/999999", json=LATE).status_code == 404
    other = admin.post("/alerts/rules", json={"name": "other", "kind": "seen"}).json()["id"]
    assert admin.put(f"/alerts/rules/{other}", json=LATE).json()["code"] == "bad-alert-rule"


def test_rules_that_run_programs_are_the_command_lines(served: Running, admin: httpx.Client, rule: int) -> None:
    acting = add_rule(served.service.database, AlertRule(name="bell", kind="unknown", command=("true",)))
    assert [one["acts"] for one in admin.get("/alerts/rules").json()] == [True, False]
    answer = admin.put(f"/alerts/rules/{acting.id}", json={"name": "bell", "kind": "seen"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert admin.delete(f"/alerts/rules/{acting.id}").status_code == 204
