from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image as PilImage

from knownface.errors import UnknownPersonError, UnknownSightingError
from knownface.events import RetentionPolicy, SeenTrack, SightingFilter, SightingLog, name_unknown
from knownface.gallery import Gallery
from knownface.review import PersonReview
from knownface.storage.events_schema import sightings
from knownface.types import DecisionRule

REVIEW = PersonReview(DecisionRule(1, 3, 1.0))


def test_a_stay_comes_back_as_it_was_told(log, see, made, ids):
    track = see("Ann", 0, 5, first_time=1.5, last_time=301.5, best_distance=0.5, frames=70, quality=0.8)
    (found,) = log.find()
    assert (found.person_id, found.name, found.unknown, found.label) == (ids["Ann"], "Ann", None, "Ann")
    assert (found.key, found.source, found.first_seen, found.last_seen) == (
        track.key,
        "door",
        made.noon,
        made.noon + timedelta(minutes=5),
    )
    assert (found.first_time, found.last_time, found.best_distance, found.frames) == (1.5, 301.5, 0.5, 70)
    assert (found.quality, found.has_picture, found.has_face, found.dismissed) == (0.8, False, False, False)
    assert found.first_seen.tzinfo is UTC


def test_told_again_a_stay_grows_and_stays_one(log, see, made):
    see("Ann", 0, 1, frames=10, key="k")
    see("Ann", 0, 3, frames=30, key="k")
    see("Ann", 0, 2, frames=20, key="k")  # told late by another thread
    (found,) = log.find()
    assert (found.last_seen - found.first_seen, found.frames) == (timedelta(minutes=3), 30)


def test_of_two_with_one_key_in_one_call_the_later_counts(log, see, gallery):
    track = see("Ann", 0, 1, key="k")
    assert log.record([replace(track, frames=5), replace(track, frames=9)]) == 1
    assert log.find()[0].frames == 9


def test_a_clock_that_is_set_back_makes_no_negative_stay(log, see, made):
    see("Ann", 10, 8, key="k")
    (found,) = log.find()
    assert found.first_seen == made.noon + timedelta(minutes=8)
    see("Ann", 10, 2, key="k")
    (found,) = log.find()
    assert (found.last_seen - found.first_seen) == timedelta(minutes=8)


def test_a_track_that_gets_a_name_is_the_persons_from_then_on(log, see, ids):
    see(log.new_unknown_number(), key="k")
    see("Ben", 0, 1, key="k")
    assert [(s.label, s.unknown) for s in log.find()] == [("Ben", None)]


def test_who_was_removed_meanwhile_is_passed_over(log, see, gallery):
    track = see("Ann")
    gallery.remove("Ann")
    assert log.record([track]) == 0
    assert log.find() == []


@pytest.mark.parametrize("who", [{"person_id": None, "unknown": None}, {"person_id": 1, "unknown": 1}])
def test_a_sighting_is_of_a_person_or_of_an_unknown(who):
    now = datetime.now(UTC)
    with pytest.raises(ValueError, match="person or of an Unknown"):
        SeenTrack("k", "door", first_seen=now, last_seen=now, **who)


def test_times_carry_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        SeenTrack("k", "door", 1, None, datetime(2026, 1, 1), datetime(2026, 1, 1))


def test_numbers_of_unknowns_are_never_given_twice(gallery):
    logs = [SightingLog(gallery) for _ in range(4)]
    numbers = []
    threads = [
        threading.Thread(target=lambda own=own: numbers.extend(own.new_unknown_number() for _ in range(10)))
        for own in logs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 41))


def test_filters(log, see, made):
    see("Ann", 0, 5)
    see("Ben", 10, 20, source="yard")
    see("Dan", 30, 40)
    see(7, 50, 60)

    def labels(**which):
        return [s.label for s in log.find(SightingFilter(**which))]

    assert labels() == ["Unknown 7", "Dan", "Ben", "Ann"]
    assert labels(person="ANN") == ["Ann"]
    assert labels(group="Staff") == ["Ben", "Ann"]
    assert labels(group="nobody") == []
    assert labels(unknown=True) == ["Unknown 7"]
    assert labels(unknown=False) == ["Dan", "Ben", "Ann"]
    assert labels(numbers=(7, 8)) == ["Unknown 7"]
    assert labels(source="yard") == ["Ben"]
    at = [made.noon + timedelta(minutes=m) for m in (15, 30)]
    assert labels(after=at[0], before=at[1]) == ["Ben"]
    assert labels(after=at[1]) == ["Unknown 7", "Dan"]
    assert labels(person="Ann", source="yard") == []
    with pytest.raises(UnknownPersonError):
        labels(person="Nobody")
    assert log.sources() == ["door", "yard"]


def test_pages_follow_each_other_without_gap(log, see, monkeypatch):
    monkeypatch.setattr("knownface.events.sighting_log._PAGE", 3)
    for minute in range(8):
        see("Ann", minute)
    first = log.find(limit=5)
    assert first + log.find(below=first[-1].id) == log.find() == list(log.each())
    assert log.count() == 8


def test_pictures_are_kept_only_if_asked_and_only_better_ones(gallery, see, made):
    poor, good, worse = (made.picture(seed) for seed in (1, 2, 3))
    see("Ann", key="k", quality=0.5, picture=poor)
    plain = SightingLog(gallery)
    assert plain.picture(plain.find()[0].id) is None
    keeping = SightingLog(gallery, RetentionPolicy(pictures=True))
    (found,) = keeping.find()
    track = SeenTrack("k", "door", found.person_id, None, found.first_seen, found.last_seen)
    keeping.record([replace(track, quality=0.4, picture=poor)])
    first = keeping.picture(found.id)
    keeping.record([replace(track, quality=0.9, picture=good)])
    better = keeping.picture(found.id)
    keeping.record([replace(track, quality=0.6, picture=worse)])
    assert first != better == keeping.picture(found.id)
    assert PilImage.open(io.BytesIO(better)).size == (48, 48)
    assert keeping.find()[0].quality == 0.9
    with pytest.raises(UnknownSightingError):
        keeping.picture(10_000)


def test_faces_of_unknowns_are_kept_only_if_asked_and_of_nobody_else(gallery, see, made, ids):
    def kept():
        with gallery.database.reading() as connection:
            rows = connection.execute(sightings.select().order_by(sightings.c.id)).all()
        return [(row.embedding is not None, row.fingerprint) for row in rows]

    see(1, key="u", embedding=made.unit(5))
    assert kept() == [(False, None)]
    keeping = SightingLog(gallery, RetentionPolicy(unknown_faces=True))
    now = made.noon
    unknown = SeenTrack("u", "door", None, 1, now, now, embedding=made.unit(5))
    keeping.record([unknown, replace(unknown, key="p", person_id=ids["Ann"], unknown=None)])
    assert kept() == [(True, "a" * 64), (False, None)]
    keeping.record([replace(unknown, person_id=ids["Ann"], unknown=None)])
    assert kept() == [(False, None), (False, None)]


def test_deleting_takes_what_is_meant_and_nothing_else(log, see):
    see("Ann")
    see("Ben")
    see(1)
    assert log.delete(SightingFilter(person="Ann")) == 1
    assert [s.label for s in log.find()] == ["Unknown 1", "Ben"]
    assert log.delete(SightingFilter()) == 2
    assert log.count() == 0


def test_merging_moves_sightings(log, see, gallery):
    see("Ann")
    see("Ben")
    gallery.merge(["Ann"], "Ben")
    assert [s.name for s in log.find()] == ["Ben", "Ben"]


def test_two_programs_record_at_once(log, place, see, ids):
    other = SightingLog(Gallery.open(place, create=False))
    now = datetime.now(UTC)

    def record(own, prefix):
        for number in range(25):
            own.record([SeenTrack(f"{prefix}{number}", "door", ids["Ann"], None, now, now)])

    threads = [threading.Thread(target=record, args=pair) for pair in ((log, "a"), (other, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.count() == 50
    other.gallery.close()


KILLED = """
import sys, time
from datetime import UTC, datetime
from knownface.events import SeenTrack, SightingLog
from knownface.gallery import Gallery
log = SightingLog(Gallery.open(sys.argv[1]))
number = log.new_unknown_number()
for count in range(1, 100_000):
    now = datetime.now(UTC)
    log.record([SeenTrack(f"k{i}", "door", None, number, now, now, frames=count) for i in range(5)])
    print(count, flush=True)
"""


@pytest.mark.slow
def test_what_was_recorded_survives_kill_9(file):
    for _ in range(3):
        program = subprocess.Popen([sys.executable, "-c", KILLED, str(file)], stdout=subprocess.PIPE, text=True)
        reported = 0
        while reported < 20:
            reported = int(program.stdout.readline())
        program.send_signal(signal.SIGKILL)
        reported = max([reported, *(int(line) for line in program.stdout.read().splitlines() if line.isdigit())])
        program.wait()
        program.stdout.close()
        with Gallery.open(file, create=False) as gallery:
            frames = {s.frames for s in SightingLog(gallery).find()}
            assert len(frames) == 1, "a transaction was torn"
            assert frames.pop() >= reported
            SightingLog(gallery).delete(SightingFilter())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a limit on file sizes")
@pytest.mark.slow
def test_a_full_disk_is_said_and_loses_nothing(file, tmp_path):
    code = """
import resource, sys
from datetime import UTC, datetime
import numpy as np
from knownface.errors import OutputError
from knownface.events import RetentionPolicy, SeenTrack, SightingLog
from knownface.gallery import Gallery
import signal
gallery = Gallery.open(sys.argv[1])
log = SightingLog(gallery, RetentionPolicy(pictures=True))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
done = 0
now = datetime.now(UTC)
picture = np.random.default_rng(0).integers(0, 255, (192, 192, 3), dtype=np.uint8)
try:
    for done in range(200):
        log.record([SeenTrack(f"k{done}", "door", None, 1, now, now, picture=picture)])
except OutputError:
    print(done)
"""
    ran = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    done = int(ran.stdout)
    assert 0 < done < 199
    with Gallery.open(file, create=False) as gallery:
        assert SightingLog(gallery).count() == done


def test_a_gallery_of_an_earlier_version_is_brought_forward(file):
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine

    from knownface.storage import migrate

    engine = create_engine(f"sqlite:///{file}")
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    with engine.begin() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": migrate.VERSION_TABLE, "fn": lambda rev, _: scripts._upgrade_revs("0002", rev)},
        )
        with Operations.context(context):
            context.run_migrations()
    engine.dispose()
    with Gallery.open(file, create=False) as gallery:
        ann = gallery.add_person("Ann")
        log = SightingLog(gallery)
        now = datetime.now(UTC)
        log.record([SeenTrack("k", "door", ann.id, None, now, now)])
        assert log.find()[0].name == "Ann"


def test_naming_an_unknown_holds_while_the_camera_still_calls_it_unknown(gallery, log, see):
    track = see(3, key="k")
    name_unknown(gallery, [3], "Eve", REVIEW)
    log.record([replace(track, last_seen=track.last_seen + timedelta(minutes=1), frames=9)])
    (found,) = log.find()
    assert (found.name, found.frames, found.unknown) == ("Eve", 9, 3)


def test_retention_days_must_make_sense():
    with pytest.raises(ValueError, match="above 0"):
        RetentionPolicy(days=0)
    with pytest.raises(ValueError, match="above 0"):
        RetentionPolicy(days=float("nan"))


def test_recording_nothing_writes_nothing(log, file, gallery):
    before = file.read_bytes()
    assert log.record([]) == 0
    assert file.read_bytes() == before
