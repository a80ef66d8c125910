"""The audit log: the command line is in it, and what is altered or taken out is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, delete, update

from knownface.errors import ReceiptError
from knownface.gallery import Gallery
from knownface.law.audit import Actor, AuditLog
from knownface.storage.service_schema import audit_log

ACTOR = Actor(None, "ann", "local")
THIRD = audit_log.c.id == 3


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (update(audit_log).where(THIRD).values(actor="ben"), 3),
        (update(audit_log).where(THIRD).values(at=datetime(2020, 1, 1, tzinfo=UTC)), 3),
        (update(audit_log).where(THIRD).values(digest=None), 3),
        (delete(audit_log).where(THIRD), 4),
        (delete(audit_log).where(audit_log.c.id <= 3), 4),
    ],
)
def test_whatever_is_altered_or_taken_out_is_found(change: Executable, found: int) -> None:
    with Gallery.open(":memory:") as gallery:
        log = AuditLog(gallery.database)
        for number in range(6):
            log.note(ACTOR, "person.delete", number, templates=number)
        assert (log.check().checked, log.check().broken) == (6, None)
        with gallery.database.writing() as connection:
            connection.execute(change)
        assert log.check().broken == found


def test_what_is_cut_off_at_the_end_shows_beside_a_digest_noted_elsewhere() -> None:
    with Gallery.open(":memory:") as gallery:
        log = AuditLog(gallery.database)
        log.note(ACTOR, "person.delete", 1)
        noted = log.check().head
        log.note(ACTOR, "person.delete", 2)
        assert log.check(noted).checked == 2
        with gallery.database.writing() as connection:
            connection.execute(delete(audit_log))
        with pytest.raises(ReceiptError, match="does not hold"):
            log.check(noted)


def test_what_is_old_enough_goes_and_the_rest_is_a_chain_all_the_same() -> None:
    with Gallery.open(":memory:") as gallery:
        log = AuditLog(gallery.database)
        for number in range(4):
            log.note(ACTOR, "person.delete", number)
        assert log.forget(1) == 0
        assert log.forget(-1) == 4
        log.note(ACTOR, "person.delete", 5)
        assert (log.check().checked, log.check().broken) == (1, None)


def test_the_command_line_is_in_it_with_numbers_and_no_names(
    enrolled_toys: Path, alone: Path, knownface: Callable[..., Any]
) -> None:
    assert knownface("people", "list").status == 0
    assert knownface("people", "rename", "Ben", "Benedict").status == 0
    assert knownface("people", "rename", "Nobody", "Somebody").status != 0
    assert knownface("people", "consent", "give", "Benedict", "--by", "Ida").status == 0
    assert knownface("people", "remove", "Benedict", "--yes").status == 0
    entries = json.loads(knownface("audit", "--json").out)
    assert [entry["action"] for entry in entries][::-1] == ["cli.people.rename", "consent.give", "person.delete"]
    assert not any(name in str(entries) for name in ("Ben", "Ida"))
    checked = knownface("audit", "--check")
    assert (checked.status, "3 entries are as they were written" in checked.out) == (0, True)
    with Gallery.open(alone.parent / "gallery.db") as gallery, gallery.database.writing() as connection:
        connection.execute(update(audit_log).values(actor="nobody"))
    assert knownface("audit", "--check").status == 1
