"""Everything about one person, and papers filled from the settings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from knownface import FaceRecognizer
from knownface.events import RetentionPolicy, SeenTrack, SightingLog
from knownface.gallery import NewConsent
from knownface.gallery.consents import today

WHO = "Eileen Collins"


def test_everything_about_a_person_and_nothing_of_others_is_written(
    enrolled_toys: Path, alone: Path, knownface: Callable[..., Any]
) -> None:
    with FaceRecognizer.open() as recognizer:
        gallery, now = recognizer.gallery, datetime.now(UTC)
        gallery.set_groups(WHO, ["staff <1>"])
        gallery.consents.give(WHO, NewConsent("Ida", today(), document="A 1"))
        picture = np.full((40, 40, 3), 90, np.uint8)
        seen = [SeenTrack(w, "door", gallery.person(w).id, None, now, now, picture=picture) for w in (WHO, "Ben")]
        SightingLog(gallery, RetentionPolicy(pictures=True)).record(seen)
        vectors = gallery.vectors(WHO).embeddings
        counted = gallery.people_store.removal(WHO).counts
    ran = knownface("people", "export-data", WHO.lower(), "--out", "answer")
    assert ran.status == 0, ran.err
    (file,) = (alone / "answer").glob("*.json")
    data = json.loads(file.read_text("utf-8"))
    held = data["held"]
    assert os.name != "posix" or file.stat().st_mode & 0o077 == 0, "templates are nobody else's to read"
    assert np.allclose([template["vector"] for template in held["templates"]], vectors)
    for kind in ("templates", "sightings", "consents"):
        assert len(held[kind]) == counted[kind], kind
    assert (data["groups"], held["consents"][0]["given_by"]) == (["staff <1>"], "Ida")
    assert "Ben" not in file.read_text("utf-8")
    page = file.with_suffix(".html").read_text("utf-8")
    assert all(text in page for text in (WHO, "staff &lt;1&gt;", "64 numbers", "data:image/jpeg;base64", "A 1"))


def test_papers_are_filled_from_the_settings(enrolled_toys: Path, alone: Path, knownface: Callable[..., Any]) -> None:
    (alone / "knownface.toml").write_text('controller = "Hill School"\nretention_days = 30\nconsent = "required"\n')
    for paper, texts in (
        ("record", ("Hill School", "3 people", "30 days", "Art. 30", "demanded by the program: consent")),
        ("assessment", ("Hill School", "Art. 35", "consent is demanded: yes", "Accuracy")),
    ):
        assert knownface("law", paper).status == 0
        page = (alone / f"{paper}.html").read_text("utf-8")
        assert all(text in page for text in texts), paper
