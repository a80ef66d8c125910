"""Receipts: everything is counted, and nobody can alter one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st
from sqlalchemy import select

from knownface import FaceRecognizer
from knownface.errors import ReceiptError
from knownface.law.receipt_page import KINDS
from knownface.law.signing import open_key, sign, verify
from knownface.storage.schema import metadata, people

KEY = Ed25519PrivateKey.generate()
TEXT = sign({"what": "removal of a person", "person": {"name": "Zoë"}, "removed": {"templates": 3}}, KEY)


@hypothesis.given(st.integers(0, len(TEXT) - 1), st.characters())
def test_a_receipt_with_one_character_altered_is_refused(place: int, other: str) -> None:
    hypothesis.assume(TEXT[place] != other)
    with pytest.raises(ReceiptError):
        verify(TEXT[:place] + other + TEXT[place + 1 :])


def test_every_character_counts_and_so_does_the_key() -> None:
    assert verify(TEXT).statement["removed"] == {"templates": 3}
    for place in range(len(TEXT)):
        with pytest.raises(ReceiptError):
            verify(TEXT[:place] + TEXT[place + 1 :])
    with pytest.raises(ReceiptError, match="another key"):
        verify(TEXT, Ed25519PrivateKey.generate().public_key())


def test_the_key_is_made_once_for_its_owner_alone_and_a_damaged_one_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key.pem"
    assert open_key(path).public_key() == open_key(path).public_key()
    assert os.name != "posix" or path.stat().st_mode & 0o077 == 0
    path.write_text("no key")
    with pytest.raises(ReceiptError, match="cannot be read"):
        open_key(path)
    assert path.read_text() == "no key"


def test_what_a_removal_counts_is_what_is_gone_from_every_table(enrolled_toys: Path) -> None:
    def rows(gallery: Any) -> dict[str, int]:
        with gallery.database.reading() as connection:
            return {
                table.name: len(connection.execute(select(*table.primary_key.columns)).all())
                for table in metadata.sorted_tables
                if table is people or any(key.column.table is people for key in table.foreign_keys)
            }

    with FaceRecognizer.open() as recognizer:
        gallery = recognizer.gallery
        gallery.set_groups("Eileen Collins", ["staff"])
        foreseen, before = gallery.people_store.removal("Eileen Collins"), rows(gallery)
        (removed,) = gallery.remove("Eileen Collins")
        after = rows(gallery)
    assert removed == foreseen
    assert removed.counts["templates"] == before["templates"] - after["templates"] == 2
    assert removed.counts["groups"] == before["person_groups"] == 1
    assert set(removed.counts) <= set(KINDS), "the page has words for every kind"


def test_a_user_removes_somebody_and_anybody_checks_the_receipt(
    enrolled_toys: Path, alone: Path, knownface: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNOWNFACE_CONTROLLER", "Hill School, <1 Hill Road>")
    ran = knownface("people", "remove", "Eileen Collins", "--yes", "--receipts", "receipts")
    assert ran.status == 0, ran.err
    (receipt,) = (alone / "receipts").glob("*.json")
    page = receipt.with_suffix(".html").read_text("utf-8")
    assert "Eileen Collins" in page
    assert "Hill School, &lt;1 Hill Road&gt;" in page
    statement = json.loads(receipt.read_text("utf-8"))["statement"]
    assert statement["removed"]["templates"] == 2
    assert not any("traces" in left["what"] for left in statement["left"])

    ran = knownface("receipt", "verify", receipt)
    assert (
        ran.status,
        "Unaltered: removal of a person, Eileen Collins" in ran.out,
        "face templates: 2" in ran.out,
    ) == (
        0,
        True,
        True,
    )
    assert knownface("receipt", "key", "--out", "public.pem").status == 0
    elsewhere = ("receipt", "verify", receipt, "--gallery", alone / "elsewhere.db")
    assert "ask whoever handed it out" in knownface(*elsewhere).err
    assert knownface(*elsewhere, "--key", "public.pem").status == 0
    receipt.write_text(receipt.read_text("utf-8").replace('"templates": 2', '"templates": 3'), "utf-8")
    ran = knownface("receipt", "verify", receipt)
    assert (ran.status, "was altered" in ran.err) == (15, True)
    assert knownface("receipt", "verify", alone / "receipts").status == 2
    assert knownface("receipt", "verify", receipt.with_suffix(".html")).status == 15
