"""Faces tracked in a little world whose truth is known; the gallery decides by the real rule."""

from __future__ import annotations

import numpy as np
import pytest
from tracking_world import ADA, BEN, moved, stage

from knownface.tracking import Sample, TrackingOptions
from knownface.types import Box


def test_a_known_face_is_named_in_its_first_frames_and_stays_one_track() -> None:
    play = stage()
    labels, ids = [], set()
    for i in range(75):
        shown = play.frame({"Ada": moved(ADA, 2 * i)})
        labels.append(shown[0].identity.label)
        ids.add(shown[0].track_id)
    assert len(ids) == 1
    assert set(labels[3:]) == {"Ada"}
    assert play.tracker.ended() == ()
    play.tracker.finish()
    [summary] = play.tracker.ended()
    assert (summary.identity.name, summary.identity.person_id, summary.frames) == ("Ada", 1, 75)
    assert (summary.first_time, summary.last_time) == (0.0, pytest.approx(74 / 25))
    assert summary.best_distance is not None
    assert summary.best_distance < 1.0
    assert summary.picture is not None
    assert max(summary.picture.shape) <= 192
    assert [(s.identity.name, s.frames) for s in summary.segments] == [("Ada", 75)]
    assert summary.embedding is not None
    assert np.linalg.norm(summary.embedding) == pytest.approx(1, abs=1e-5)


def test_the_box_is_there_at_once_and_the_answer_may_come_frames_later() -> None:
    play = stage()
    [face] = play.frame({"Ada": ADA}, learn=False)
    assert (face.identity.label, face.identity.state, face.detected) == ("", "pending", True)
    assert face.box == ADA
    late = play.pending
    for _ in range(5):
        [face] = play.frame({"Ada": ADA}, learn=False)
        assert face.identity.label == ""
    play.tracker.learn(late)
    play.frame({"Ada": ADA})
    for _ in range(10):
        [face] = play.frame({"Ada": ADA})
    assert face.identity.label == "Ada"


def test_a_face_found_once_is_no_sighting() -> None:
    play = stage()
    play.frame({"Zoe": ADA})
    for _ in range(30):
        play.frame({})
    play.tracker.finish()
    assert play.tracker.ended() == ()
    assert play.tracker.summaries() == ()


def test_the_picture_of_a_track_is_its_best_one_and_has_its_own_embedding() -> None:
    play = stage()
    learned: dict[int, list[Sample]] = {}
    for i in range(60):
        # She comes nearer; another person takes her place, whose pictures must not be hers.
        people = {"Ada": Box(40, 60, 30 + i, 36 + i)} if i < 40 else {"Ben": Box(40, 60, 69, 75)}
        play.frame(people)
        for sample in play.pending:
            learned.setdefault(sample.track_id, []).append(sample)
    everything = [sample for samples in learned.values() for sample in samples]
    summaries = play.tracker.summaries()
    assert len(summaries) == 2
    for summary in summaries:
        assert summary.picture is not None
        best = summary.evidence[0]
        [sample] = [s for s in everything if np.array_equal(s.embedding, best.embedding)]
        assert summary.best_quality == sample.quality.score
        person = "Ada" if sample.time < 40 / 25 else "Ben"
        assert summary.identity.name == person
        assert not np.array_equal(summary.embedding, best.embedding)


def test_a_cut_ends_every_track() -> None:
    play = stage()
    for _ in range(40):
        before = play.frame({"Ada": ADA, "Zoe": BEN})
    play.scenery = 1
    after = play.frame({"Ben": ADA, "Zoe": BEN})
    assert {f.track_id for f in before}.isdisjoint(f.track_id for f in after)
    assert sorted(s.identity.label for s in play.tracker.ended()) == ["Ada", "Unknown 1"]
    for _ in range(40):
        after = play.frame({"Ben": ADA, "Zoe": BEN})
    assert [f.identity.label for f in after] == ["Ben", "Unknown 1"]


def test_a_stream_that_starts_anew_ends_every_track() -> None:
    play = stage()
    for _ in range(10):
        play.frame({"Ada": ADA})
    play.count, play.time = 0, 0.0
    shown = play.frame({"Ada": ADA})
    assert len(play.tracker.ended()) == 1
    assert [face.track_id for face in shown] == [2]


def test_a_track_that_left_waits_for_its_embedding() -> None:
    play = stage(answer_within=1.0, keep_lost=0.4)
    for _ in range(4):
        play.frame({"Ada": ADA}, learn=False)
        late = play.pending or late  # noqa: F821 - the first frame has one
    for _ in range(15):
        play.frame({}, learn=False)
    assert play.tracker.ended() == ()
    play.tracker.learn(late)
    [summary] = play.tracker.ended()
    assert summary.identity.samples == 1


@pytest.mark.parametrize("samples", [1, 5])
def test_answers_for_tracks_long_gone_are_passed_over(samples: int) -> None:
    play = stage()
    play.frame({"Ada": ADA}, learn=False)
    [late] = play.pending
    play.tracker.finish()
    play.tracker.learn([late] * samples)
    assert play.tracker.visible() == ()


def test_a_summary_holds_the_evidence_best_first_also_after_the_track_ended() -> None:
    play = stage()
    for _ in range(20):
        play.frame({"Zoe": ADA})
    [present] = play.tracker.summaries()
    assert len(present.evidence) == present.identity.samples > 1
    scores = [sample.quality.score for sample in present.evidence]
    assert scores == sorted(scores, reverse=True)
    play.tracker.finish()
    [ended] = play.tracker.ended()
    assert ended.evidence == present.evidence


def test_the_same_frames_give_the_same_answers() -> None:
    def play() -> list[object]:
        on = stage()
        told: list[object] = []
        for i in range(60):
            shown = on.frame({"Ada": moved(ADA, 2 * i), "Zoe": moved(BEN, -2 * i)}, look=i % 2 == 0)
            told.append([(f.track_id, f.box, f.identity.label) for f in shown])
        return told

    assert play() == play()


def test_options_that_make_no_sense_are_refused() -> None:
    for name in ("coast", "per_frame", "alike", "most_samples"):
        with pytest.raises(ValueError, match=name):
            TrackingOptions(**{name: 0})
