from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tracking_world import of_quality

from knownface.errors import OutputError
from knownface.live import FrameResult
from knownface.live.sinks import Timeline
from knownface.media import read_image
from knownface.tracking import Identity, Sample, Segment, TrackIdentity, TrackSummary

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADA = ("named", 1, "Ada", None)
BOB = ("named", 2, "=Bob", None)
NOBODY = ("unknown", None, None, 7)
PENDING = ("pending", None, None, None)


def track(*segments: tuple[tuple, float, float], shade: int | None = None, quality: float = 0.5) -> TrackSummary:
    parts = tuple(
        Segment(Identity(*who), start, end, round(10 * (end - start)), 0.5 + start / 100)
        for who, start, end in segments
    )
    last = parts[-1]
    return TrackSummary(
        1,
        TrackIdentity(*segments[-1][0]),
        parts[0].first_time,
        last.last_time,
        sum(part.frames for part in parts),
        None,
        None if shade is None else np.full((20, 16, 3), shade, np.uint8),
        parts,
        (Sample(1, 0.0, np.ones(4, np.float32) / 2, of_quality(quality)),),
    )


def ended(*tracks: TrackSummary, began: datetime | None = None) -> FrameResult:
    return FrameResult(None, ended=tracks, began=began)


def told(timeline: Timeline) -> list[tuple[str, float, float, int]]:
    return [(row.label, row.first_time, row.last_time, row.frames) for row in timeline.rows]


def test_a_row_a_stretch_in_the_order_of_time() -> None:
    timeline = Timeline()
    timeline.take(ended(track((BOB, 5, 9))))
    timeline.take(ended(track((NOBODY, 1, 2), (ADA, 2, 4)), track((PENDING, 0, 1))))
    assert told(timeline) == [("Unknown 7", 1, 2, 10), ("Ada", 2, 4, 20), ("=Bob", 5, 9, 40)]


def test_the_times_of_each_together() -> None:
    timeline = Timeline()
    timeline.take(ended(track((ADA, 0, 2)), track((ADA, 5, 6)), track((NOBODY, 1, 5)), track((PENDING, 0, 9))))
    assert [(t.label, t.stretches, t.seconds, t.frames) for t in timeline.totals] == [
        ("Unknown 7", 1, 4, 40),
        ("Ada", 2, 3, 30),
    ]


def test_tracks_of_one_person_with_hardly_a_gap_are_one_stretch() -> None:
    timeline = Timeline()
    timeline.take(ended(track((ADA, 0, 2)), track((NOBODY, 0, 2))))
    timeline.take(ended(track((ADA, 2.5, 4)), track((ADA, 6, 7)), track((NOBODY, 9, 10))))
    assert told(timeline) == [
        ("Unknown 7", 0, 2, 20),
        ("Ada", 0, 4, 35),
        ("Ada", 6, 7, 10),
        ("Unknown 7", 9, 10, 10),
    ]
    assert timeline.rows[1].best_distance == 0.5


@pytest.mark.parametrize("suffix", [".csv", ".json", ".CSV"])
def test_what_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "deep" / f"seen{suffix}"
    with Timeline(path) as timeline:
        assert path.exists(), "a folder that cannot be written shows before the first frame"
        timeline.take(ended(track((ADA, 1, 4), shade=90), track((BOB, 5, 6)), began=BEGAN))
        timeline.take(ended(track((ADA, 4.2, 8), shade=200, quality=0.9), began=BEGAN))
        timeline.take(ended(track((ADA, 8.2, 9), shade=10, quality=0.1), began=BEGAN))
    text = path.read_text(encoding="utf-8")
    rows = json.loads(text) if suffix == ".json" else list(csv.DictReader(text.splitlines()))
    assert [str(row["frames"]) for row in rows] == ["76", "10"]
    ada, bob = rows
    assert ada["name"] == "Ada"
    assert bob["name"] == ("=Bob" if suffix == ".json" else "'=Bob"), "no formula for a spreadsheet"
    assert (float(ada["from"]), float(ada["to"])) == (1, 9)
    assert ada["from_at"] == "2026-03-01T12:00:01.000+00:00"
    assert ada["thumbnail"] == "seen-faces/0001.jpg"
    assert read_image(path.parent / ada["thumbnail"]).mean() == pytest.approx(200, abs=2), "the best picture"
    assert not bob["thumbnail"]


def test_what_happened_is_written_whatever_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "seen.csv"
    timeline = Timeline(path)
    timeline.__enter__()
    timeline.take(ended(track((ADA, 1, 4))))
    timeline.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert "Ada" in path.read_text(encoding="utf-8")


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.csv or \.json"):
        Timeline(tmp_path / "seen.xlsx")
