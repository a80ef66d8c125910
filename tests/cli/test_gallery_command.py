"""``knownface gallery``: what it says of the index, and the last traces of somebody who was removed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knownface.gallery import Gallery, NewTemplate
from knownface.types import DecisionRule, EmbedderContract

Run = Callable[..., Any]
CONTRACT = EmbedderContract("net", 8, "aligned", "a" * 64, "MIT", DecisionRule(1, 3, 1.0), True)

# Ends without closing the gallery, as in a power cut.
REMOVER = """
import os, sys
from knownface.gallery import Gallery
from knownface.storage import scrub
scrub.PROMPT_BYTES = 0
Gallery.open(sys.argv[1]).remove("Ann Secret")
os._exit(0)
"""


def template(number: int) -> NewTemplate:
    vector = np.random.default_rng(number).normal(size=8).astype(np.float32)
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return NewTemplate(vector / np.linalg.norm(vector), f"/photos/{number}.jpg", digest)


def fill(location: str | Path) -> None:
    with Gallery.open(location) as gallery:
        gallery.bind(CONTRACT)
        gallery.enrol([(f"Person {i}", template(i)) for i in range(300)])
        gallery.enrol([("Ann Secret", template(1000 + i)) for i in range(30)])


@pytest.mark.slow
def test_scrub_overwrites_what_a_removal_left_in_a_large_gallery(
    knownface: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gallery.db"
    fill(file)
    subprocess.run([sys.executable, "-c", REMOVER, str(file)], check=True)
    monkeypatch.setattr("knownface.storage.scrub.PROMPT_BYTES", 0)
    size = file.stat().st_size
    ran = knownface("gallery", "scrub")
    assert (ran.status, ran.out) == (0, "No trace is left.\n")
    assert file.stat().st_size < size, "it was written anew"
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"Ann Secret" not in content
    assert not [i for i in range(30) if template(1000 + i).vector.tobytes() in content]
    assert knownface("gallery", "scrub").status == 0
    assert "300" in knownface("gallery", "info").out


@pytest.mark.slow
def test_scrub_says_that_another_program_is_in_the_way(
    knownface: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gallery.db"
    fill(file)
    subprocess.run([sys.executable, "-c", REMOVER, str(file)], check=True)
    monkeypatch.setattr("knownface.storage.scrub.PROMPT_BYTES", 0)
    monkeypatch.setattr("knownface.storage.scrub._WAIT_MILLISECONDS", 100)
    with Gallery.open(file) as other, other.database.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM people").all()
        ran = knownface("gallery", "scrub")
    assert ran.status == 7
    assert "Another program" in ran.err


def test_scrub_does_not_claim_anything_of_a_server(knownface: Run, postgres_url: str) -> None:
    ran = knownface("gallery", "scrub", "--gallery", postgres_url)
    assert ran.status == 7
    assert "VACUUM" in ran.err


def test_info_says_what_searches_and_speaks_of_a_saved_index_only_where_there_may_be_one(
    knownface: Run, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "gallery.db")
    said = knownface("gallery", "info").out
    assert "flat: every template" in said
    assert "saved index" in said
    monkeypatch.setenv("KNOWNFACE_INDEX", "milvus")
    monkeypatch.setenv("KNOWNFACE_MILVUS_URI", "http://ann:secret@milvus:19530")
    said = knownface("gallery", "info").out
    assert "http://milvus:19530" in said
    assert "secret" not in said
    assert "saved index" not in said
    monkeypatch.setenv("KNOWNFACE_INDEX", "pgvector")
    said = knownface("gallery", "info", "--gallery", postgres_url).out
    assert "pgvector: the gallery" in said
    assert "saved index" not in said
