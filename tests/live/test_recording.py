from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from knownface import FaceRecognizer
from knownface.events import AlertRule, add_rule
from knownface.live import FrameResult, LiveEvent
from knownface.live.recording import Recorder
from knownface.live.sinks import SampleOffers, SightingRecorder
from knownface.tracking import Identity, Segment, TrackIdentity, TrackSummary

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ended(unknown: int) -> FrameResult:
    segment = Segment(Identity("unknown", unknown=unknown), 0.0, 4.0, 100, 1.2)
    track = TrackSummary(1, TrackIdentity("unknown", unknown=unknown), 0.0, 4.0, 100, None, None, (segment,))
    return FrameResult(None, ended=(track,), began=BEGAN)


@pytest.mark.parametrize(
    ("samples", "sinks"), [("off", [SightingRecorder]), ("offer", [SightingRecorder, SampleOffers])]
)
def test_the_settings_say_what_is_recorded(enrolled_toys: Path, samples: str, sinks: list[type]) -> None:
    with FaceRecognizer.open(samples=samples) as recognizer:
        assert [type(sink) for sink in Recorder(recognizer).sinks("door", list[LiveEvent]().append)] == sinks


def test_streams_of_one_gallery_share_numbers_and_sightings_and_raise_alerts(enrolled_toys: Path) -> None:
    with FaceRecognizer.open() as recognizer:
        add_rule(recognizer.gallery.database, AlertRule("anybody new", "unknown"))
        here, there = Recorder(recognizer), Recorder(recognizer)
        numbers = [here.new_unknown_number(), there.new_unknown_number(), here.new_unknown_number()]
        alerts: list[LiveEvent] = []
        for recorder, source, number in ((here, "door", numbers[0]), (there, "yard", numbers[1])):
            for sink in recorder.sinks(source, alerts.append):
                with sink:
                    sink.take(ended(number))
        assert numbers == [1, 2, 3]
        assert {(s.source, s.unknown) for s in here.sightings.find()} == {("door", 1), ("yard", 2)}
        assert {(alert.source, alert.unknown) for alert in alerts} == {("door", 1), ("yard", 2)}
