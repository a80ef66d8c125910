from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from tracking_world import of_quality

from knownface.errors import GalleryUnreachableError
from knownface.events import AlertRule, Alerts, RetentionPolicy, SightingLog, add_rule, list_offers
from knownface.gallery import Gallery, NewTemplate
from knownface.live import FrameResult, LiveEvent
from knownface.live.sinks import SampleOffers, SightingRecorder
from knownface.tracking import Identity, Sample, Segment, TrackIdentity, TrackSummary
from knownface.types import DecisionRule, EmbedderContract

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.db") as opened:
        opened.add_person("Ada", groups=["watch list"])
        yield opened


def track(number: int, state: str, start: float, end: float, *, past: tuple[Segment, ...] = ()) -> TrackSummary:
    who = {"named": (1, "Ada", None), "unknown": (None, None, 7), "pending": (None, None, None)}[state]
    segment = Segment(Identity(state, *who), start, end, 10, 0.6)
    picture = np.full((40, 30, 3), 128, np.uint8)
    embedding = np.ones(4, np.float32) / 2
    return TrackSummary(
        number,
        TrackIdentity(state, *who),
        start,
        end,
        10,
        embedding,
        picture,
        (*past, segment),
        (Sample(number, start, embedding, of_quality(0.8)),),
    )


def result(*, present: tuple[TrackSummary, ...] | None = None, ended: tuple[TrackSummary, ...] = ()) -> FrameResult:
    return FrameResult(None, present=present, ended=ended, began=BEGAN)


def seconds(log: SightingLog) -> list[tuple[str, float, float]]:
    rows = [
        (s.label, (s.first_seen - BEGAN).total_seconds(), (s.last_seen - BEGAN).total_seconds()) for s in log.find()
    ]
    return sorted(rows)


def test_a_sighting_is_there_while_the_person_is_and_grows(gallery: Gallery) -> None:
    log = SightingLog(gallery)
    with SightingRecorder(log, "door") as recorder:
        recorder.take(result(present=(track(1, "named", 0, 1), track(2, "pending", 0, 1))))
        assert seconds(log) == [("Ada", 0, 1)], "written at once, not at the end"
        recorder.take(result(present=(track(1, "named", 0, 2),)))
        recorder.take(result(ended=(track(1, "named", 0, 5),)))
    assert seconds(log) == [("Ada", 0, 5)]
    [sighting] = log.find()
    assert (sighting.source, sighting.frames, sighting.best_distance, sighting.has_picture) == ("door", 10, 0.6, False)


def test_what_a_server_does_not_take_waits_until_it_does(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    log, away = SightingLog(gallery), GalleryUnreachableError("The database did not answer.")
    record = log.record
    monkeypatch.setattr("knownface.live.sinks.sightings.WRITE_EVERY", 0.0)
    with SightingRecorder(log, "door") as recorder:
        monkeypatch.setattr(log, "record", mock.Mock(side_effect=away))
        recorder.take(result(present=(track(1, "named", 0, 1),)))
        recorder.take(result(ended=(track(1, "named", 0, 5),), present=()))
        monkeypatch.setattr(log, "record", record)
        recorder.take(result(present=(track(2, "named", 7, 8),)))
        assert seconds(log) == [("Ada", 0, 5), ("Ada", 7, 8)]
        monkeypatch.setattr(log, "record", mock.Mock(side_effect=away))
        with pytest.raises(GalleryUnreachableError):
            recorder.__exit__(None, None, None)  # at the end it is said
        monkeypatch.setattr(log, "record", record)


def test_an_unknown_who_turns_out_to_be_somebody_is_one_sighting(gallery: Gallery) -> None:
    log = SightingLog(gallery, RetentionPolicy(pictures=True))
    before = Segment(Identity("unknown", None, None, 7), 0.0, 2.0, 20, 1.1)
    with SightingRecorder(log, "door") as recorder:
        recorder.take(result(present=(track(1, "unknown", 0, 2),)))
        assert seconds(log) == [("Unknown 7", 0, 2)]
        recorder.take(result(ended=(track(1, "named", 2, 5, past=(before,)),)))
    assert seconds(log) == [("Ada", 0, 5)]
    [sighting] = log.find()
    assert (sighting.frames, sighting.has_picture) == (30, True)


def test_each_other_answer_of_a_track_is_a_sighting_of_its_own(gallery: Gallery) -> None:
    log = SightingLog(gallery, RetentionPolicy(pictures=True))
    before = Segment(Identity("named", 1, "Ada"), 0.0, 2.0, 20, 0.9)
    with SightingRecorder(log, "door") as recorder:
        recorder.take(result(ended=(track(1, "unknown", 2, 5, past=(before,)),)))
    assert seconds(log) == [("Ada", 0, 2), ("Unknown 7", 2, 5)]
    assert {s.label: s.has_picture for s in log.find()} == {"Ada": False, "Unknown 7": True}


def test_two_runs_do_not_overwrite_each_other(gallery: Gallery) -> None:
    log = SightingLog(gallery)
    for start in (0, 10):
        with SightingRecorder(log, "door") as recorder:
            recorder.take(result(ended=(track(1, "named", start, start + 1),)))
    assert seconds(log) == [("Ada", 0, 1), ("Ada", 10, 11)]


def test_an_alert_is_told_with_its_sentence(gallery: Gallery) -> None:
    add_rule(gallery.database, AlertRule("watched", "seen", group="watch list"))
    told: list[LiveEvent] = []
    with SightingRecorder(SightingLog(gallery), "door", Alerts(gallery.database, lambda: 1.0), told.append) as recorder:
        recorder.take(result(present=(track(1, "named", 0, 1),)))
    [event] = told
    assert (event.kind, event.label, event.source, event.distance) == ("alert", "Ada", "door", 0.6)
    assert event.why.startswith("watched: Ada seen at door")


def test_without_wall_clock_times_nothing_is_recorded(gallery: Gallery) -> None:
    log = SightingLog(gallery)
    with SightingRecorder(log, "file") as recorder:
        recorder.take(FrameResult(None, ended=(track(1, "named", 0, 1),)))
    assert log.count() == 0


@pytest.fixture
def enrolled(tmp_path: Path) -> Iterator[Gallery]:
    """Ada, with one template, and a threshold of 1 in mind."""
    with Gallery.open(tmp_path / "faces.db") as opened:
        opened.bind(EmbedderContract("net", 4, "aligned", "a" * 64, "none", DecisionRule(1, 3, 1.0, 0.0), True))
        opened.enrol([("Ada", NewTemplate(np.array([1, 0, 0, 0], np.float32), "/photos/ada.jpg", "1" * 64))])
        yield opened


def sure(*, changes: int = 0) -> TrackSummary:
    """A track of Ada's that has ended, named on six pictures; its best one is 0.7 from her template."""
    identity = replace(track(1, "named", 0, 4).identity, samples=6, changes=changes)
    like_ada = np.array([0.755, 0.6557, 0, 0], np.float32)
    return replace(track(1, "named", 0, 4), identity=identity, evidence=(Sample(1, 0.0, like_ada, of_quality(0.9)),))


def test_a_sure_track_offers_its_best_picture_to_learn_from(enrolled: Gallery) -> None:
    with SampleOffers(enrolled, "door", lambda: 1.0, accept=False) as sink:
        sink.take(result(present=(sure(),)))
        assert list_offers(enrolled.database) == [], "only of tracks that have ended"
        sink.take(result(ended=(sure(),)))
    [offer] = list_offers(enrolled.database)
    assert (offer.name, offer.source, offer.seen_at, offer.quality) == (
        "Ada",
        "door",
        BEGAN + timedelta(seconds=4),
        0.9,
    )
    assert offer.distance == pytest.approx(0.7, abs=0.01)
    assert enrolled.person("Ada").templates == 1


@pytest.mark.parametrize(
    "unfit",
    [
        result(ended=(sure(changes=1),)),
        result(ended=(replace(sure(), identity=track(1, "unknown", 0, 4).identity),)),
        result(ended=(replace(sure(), picture=None),)),
        replace(result(ended=(sure(),)), began=None),
    ],
    ids=["another name before", "nobody known", "no picture", "no date"],
)
def test_other_tracks_offer_nothing(enrolled: Gallery, unfit: FrameResult) -> None:
    with SampleOffers(enrolled, "door", lambda: 1.0, accept=True) as sink:
        sink.take(unfit)
    assert list_offers(enrolled.database) == []
    assert enrolled.person("Ada").templates == 1
