"""What is deleted, removed or too old is in no file any more: neither as a row, nor as a vector, nor as a picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from knownface.events import (
    Guest,
    RetentionPolicy,
    SampleCandidate,
    SeenTrack,
    SightingFilter,
    SightingLog,
    close_session,
    delete_session,
    list_offers,
    offer_sample,
    open_session,
)
from knownface.events.recording import jpeg, vector_bytes
from knownface.gallery import Gallery
from knownface.storage.events_schema import events
from knownface.storage.schema import META_SCRUB, meta, metadata


def traces(folder, *texts):
    return [(p.name, t[:20]) for p in folder.rglob("*") if p.is_file() for t in texts if t in p.read_bytes()]


def pieces(picture):
    """Parts of a JPEG, which lies over several pages; without its head, which is every picture's."""
    return [picture[i : i + 100] for i in range(700, len(picture) - 100, 300)]


def rows_of(gallery, person_id):
    """Names of the tables in which somebody has a row."""
    found = set()
    with gallery.database.reading() as connection:
        for table in metadata.tables.values():
            if (
                "person_id" in table.c
                and connection.execute(table.select().where(table.c.person_id == person_id)).all()
            ):
                found.add(table.name)
    return found


@pytest.fixture
def keeping(gallery):
    return SightingLog(gallery, RetentionPolicy(pictures=True, unknown_faces=True))


@pytest.fixture
def filled(gallery, keeping, made, ids):
    """A year of others, and of Ann everything that can be kept of somebody."""
    now = datetime.now(UTC)
    for number in range(60):
        when = now - timedelta(hours=number)
        others = [
            SeenTrack(
                f"o{number}-{i}", "door", ids["Ben"], None, when, when, picture=made.picture(1000 + 7 * number + i)
            )
            for i in range(3)
        ]
        keeping.record(others)
    near = made.away(made.unit(0), 0.7)
    offered = SampleCandidate(ids["Ann"], "yard-secret", now, near, made.picture(2), 0.9, 9, 0)
    assert offer_sample(gallery, offered, 1.0) == "offered"
    keeping.record([SeenTrack("key-secret", "place-secret", ids["Ann"], None, now, now, picture=made.picture(1))])
    guests = [Guest("Dr Ann Secretname", "4711-secret", {"profile": "profile-secret"})]
    gallery.set_external_id("Ann", "4711-secret")
    open_session(gallery.database, "Party", guests=guests, start=now - timedelta(hours=1))
    with gallery.database.writing() as connection:
        values = {"kind": "seen", "at": now, "person_id": ids["Ann"], "source": "event-secret"}
        connection.execute(events.insert(), values)
    return near


def secrets(made, near):
    texts = [b"key-secret", b"place-secret", b"yard-secret", b"4711-secret", b"Secretname", b"profile-secret"]
    return [*texts, b"event-secret", vector_bytes(near), jpeg(made.picture(1)), jpeg(made.picture(2))]


def test_removing_a_person_leaves_no_row_and_no_byte(filled, gallery, made, ids, tmp_path, file):
    everything = secrets(made, filled)
    whole = {text[:20] for _, text in traces(tmp_path, *everything[:-2])}
    assert whole == {text[:20] for text in everything[:-2]}
    assert rows_of(gallery, ids["Ann"]) == {
        "templates",
        "person_groups",
        "sightings",
        "attendance_entries",
        "events",
        "offers",
    }
    gallery.remove("Ann")
    assert rows_of(gallery, ids["Ann"]) == set()
    parts = [piece for picture in everything[-2:] for piece in pieces(picture)]
    assert traces(tmp_path, *everything, *parts) == []


def test_before_that_the_pieces_of_a_picture_are_found(filled, made, tmp_path, file):
    whole = jpeg(made.picture(1))
    assert traces(tmp_path, *pieces(whole))


def test_guests_of_a_removed_persons_name_go_from_every_list(gallery, tmp_path, file):
    open_session(gallery.database, "Party", guests=[Guest("Zoe Newname", None, {"table": "fact-secret"})])
    gallery.add_person("Zoe Newname")
    gallery.remove("zoe newname")
    assert traces(tmp_path, b"Zoe Newname", b"fact-secret") == []


def test_deleted_sightings_leave_no_byte(filled, keeping, made, tmp_path, file):
    whole = jpeg(made.picture(1))
    assert keeping.delete(SightingFilter(source="place-secret")) == 1
    assert traces(tmp_path, b"key-secret", b"place-secret", *pieces(whole)) == []
    assert keeping.count() == 180


def test_a_deleted_session_leaves_no_byte(filled, gallery, tmp_path, file):
    delete_session(gallery.database, 1)
    assert traces(tmp_path, b"Secretname", b"profile-secret") == []


def test_what_is_too_old_goes_by_itself_and_leaves_no_byte(filled, gallery, ids, made, tmp_path, file):
    day_ago = datetime.now(UTC) - timedelta(days=1)
    with gallery.database.reading() as connection:
        assert connection.execute(events.select()).all()
    log = SightingLog(gallery, RetentionPolicy(days=1))
    assert all(s.last_seen >= day_ago for s in log.find())
    assert 60 < log.count() < 80
    assert [o.source for o in list_offers(gallery.database)] == ["yard-secret"]
    old = [jpeg(made.picture(1000 + 7 * number + i)) for number in range(30, 60) for i in range(3)]
    gallery.close()
    assert traces(tmp_path, *(piece for picture in old for piece in pieces(picture))) == []


def test_offers_and_alerts_that_are_too_old_go_as_well(filled, gallery):
    log = SightingLog(gallery, RetentionPolicy(days=30))
    assert log.purge(datetime.now(UTC) + timedelta(days=29)) > 0
    assert list_offers(gallery.database)
    assert log.purge(datetime.now(UTC) + timedelta(days=31)) > 0
    assert (log.count(), list_offers(gallery.database)) == (0, [])
    with gallery.database.reading() as connection:
        assert connection.execute(events.select()).all() == []


def test_a_purge_does_not_rewrite_the_file_each_time(filled, gallery, monkeypatch):
    """The file is written anew once a day, however often something was purged."""
    log, now, scrubbed = SightingLog(gallery, RetentionPolicy(days=1000)), datetime.now(UTC), []
    monkeypatch.setattr(type(gallery.database), "scrub", lambda _: scrubbed.append(1))
    for hours in (20, 30, 40):
        assert log.purge(now + timedelta(days=1000) - timedelta(hours=60 - hours)) > 0
    assert scrubbed == []
    yesterday = (now - timedelta(hours=25)).isoformat()
    with gallery.database.writing() as connection:
        connection.execute(meta.update().where(meta.c.key == META_SCRUB).values(value=yesterday))
    log.purge(now + timedelta(days=1000))
    assert scrubbed == [1]


def test_in_a_large_file_traces_wait_a_day_and_then_go(filled, gallery, made, tmp_path, file, monkeypatch):
    monkeypatch.setattr("knownface.storage.scrub.PROMPT_BYTES", 0)
    gone = [jpeg(made.picture(1000 + 7 * number + i)) for number in range(30, 60) for i in range(3)]
    log = SightingLog(gallery, RetentionPolicy(days=1000))
    log.purge(datetime.now(UTC) + timedelta(days=999))
    yesterday = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    with gallery.database.writing() as connection:
        connection.execute(meta.update().where(meta.c.key == META_SCRUB).values(value=yesterday))
    log.purge()
    assert traces(tmp_path, *(piece for picture in gone for piece in pieces(picture))) == []
    with gallery.database.reading() as connection:
        assert connection.execute(meta.select().where(meta.c.key == META_SCRUB)).all() == []


def test_recording_purges_now_and_then(gallery, made, ids, monkeypatch):
    log = SightingLog(gallery, RetentionPolicy(days=1))
    now = datetime.now(UTC)
    old = SeenTrack("old", "door", ids["Ann"], None, now - timedelta(days=2), now - timedelta(days=2))
    log.record([old])
    assert log.count() == 1  # looked an instant ago
    log._next_purge = 0.0
    log.record([SeenTrack("new", "door", ids["Ann"], None, now, now)])
    assert [s.key for s in log.find()] == ["new"]


def test_a_killed_purge_is_finished_by_the_next_start(filled, gallery, made, tmp_path, file, monkeypatch):
    gone = jpeg(made.picture(1000 + 7 * 59))
    log = SightingLog(gallery, RetentionPolicy(days=1000))
    with monkeypatch.context() as patched:
        patched.setattr("knownface.storage.Database.scrub", lambda *_, **__: False)
        log.purge(datetime.now(UTC) + timedelta(days=999))
        gallery.close()
    Gallery.open(file).close()
    assert traces(tmp_path, *pieces(gone)) == []


def test_closing_a_session_is_no_reason_to_keep_a_removed_person(filled, gallery, ids):
    close_session(gallery.database, 1)
    gallery.remove("Ann")
    assert rows_of(gallery, ids["Ann"]) == set()
