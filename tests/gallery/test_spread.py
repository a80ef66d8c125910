"""How alike people are to each other is kept in step with the gallery, in every program that has it open."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest
from sqlalchemy import update

from knownface.decision.estimate import measure_spreads
from knownface.gallery.changes import note_templates_added
from knownface.storage.schema import META_SPREAD, meta

PROBE = np.eye(8, dtype=np.float32)[:1]


def wait_for_thread():
    for thread in threading.enumerate():
        if thread.name == "knownface-spread":
            thread.join()


def measured_now(gallery):
    held = gallery.vectors()
    return measure_spreads(held.embeddings, held.people)


@pytest.fixture
def enrol(gallery, face):
    def add(*numbers, shots=2):
        gallery.enrol([(f"Person {n}", face(100 * n + shot)) for n in numbers for shot in range(shots)])

    return add


def test_a_small_gallery_is_measured_with_every_change(gallery, enrol, reopen):
    enrol(1, 2)
    assert gallery.index.snapshot().spread.by_scoring == {}
    other = reopen()
    enrol(3, 4)
    for change in (
        partial(enrol, 5),
        partial(gallery.remove, "Person 1"),
        partial(gallery.merge, ["Person 2"], "Person 3"),
        lambda: gallery.remove_templates([gallery.templates("Person 3")[0].id]),
        lambda: gallery.split("Person 3", [gallery.templates("Person 3")[0].id], "Somebody"),
    ):
        change()
        kept = other.index.snapshot().spread
        assert kept.by_scoring == measured_now(gallery)
        assert kept.people_among(len(gallery.names)) == len(gallery.people())


@pytest.mark.parametrize("lost", ["written by a version that does not measure", "measured otherwise"])
def test_what_does_not_fit_is_measured_again_in_the_background(gallery, enrol, reopen, lost):
    enrol(1, 2, 3, 4)
    with gallery.database.writing() as connection:
        if lost == "measured otherwise":
            connection.execute(update(meta).where(meta.c.key == META_SPREAD).values(value='{"version": 0}'))
        note_templates_added(connection)
    other = reopen()
    other.search(PROBE, 1)
    wait_for_thread()
    stamp = other.index.snapshot().revision.stamp
    assert gallery.index.snapshot().spread.stamp == stamp
    assert gallery.index.snapshot().spread.by_scoring == measured_now(gallery)


def test_a_large_gallery_counts_people_at_once_and_is_measured_when_a_tenth_has_changed(gallery, enrol, monkeypatch):
    for module in ("spread", "index.spread_keeper"):
        monkeypatch.setattr(f"knownface.gallery.{module}.SMALL", 10)
    enrol(*range(30))
    gallery.index.measure()
    before = gallery.index.snapshot().spread
    enrol(30)
    gallery.search(PROBE, 1)
    wait_for_thread()
    snapshot = gallery.index.snapshot()
    assert snapshot.spread == before
    assert snapshot.spread.people_among(len(snapshot.names)) == 31
    enrol(*range(31, 36))
    gallery.search(PROBE, 1)
    wait_for_thread()
    assert gallery.index.snapshot().spread.people == 36
