"""Faces that come back, and others that take their place, in a little world whose truth is known."""

from __future__ import annotations

import itertools

import numpy as np
from tracking_world import ADA, BEN, at_distance, draw, face_at, moved, picture_of, scene, stage

from knownface.tracking import Sample


def play_image() -> np.ndarray:
    image = scene()
    draw(image, "Ada", ADA)
    return image


def test_a_stranger_gets_a_number_and_keeps_it_on_coming_back() -> None:
    play = stage()
    for _ in range(40):
        [zoe] = play.frame({"Zoe": ADA})
    for _ in range(40):
        play.frame({"Yan": BEN})
    for _ in range(100):
        play.frame({})
    for _ in range(40):
        [again] = play.frame({"Zoe": moved(BEN, 10)})
    assert zoe.identity.label == again.identity.label == "Unknown 1"
    assert zoe.track_id != again.track_id
    play.tracker.finish()
    assert [s.identity.unknown for s in play.tracker.ended()] == [1, 2, 1]


def test_a_short_occlusion_keeps_the_track_and_a_long_one_does_not() -> None:
    play = stage()
    ids = []
    for gap in (10, 40, 60):
        for _ in range(20):
            shown = play.frame({"Ada": ADA})
        ids.append(shown[0].track_id)
        for i in range(gap):
            shown = play.frame({})
            assert len(shown) == (1 if i <= 6 else 0)
            assert all(not face.detected for face in shown)
    for _ in range(20):
        shown = play.frame({"Ada": moved(ADA, 30)})
    ids.append(shown[0].track_id)
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert shown[0].identity.label == "Ada"


def test_a_face_back_at_its_place_goes_on_with_a_poor_picture_and_elsewhere_it_does_not() -> None:
    for place, same in ((moved(ADA, 5), True), (moved(ADA, 200), False)):
        play = stage("Ben")
        for _ in range(30):
            play.frame({"Ada": ADA})
        [before] = play.tracker.visible()
        for _ in range(12):
            play.frame({})
        # A picture between the two bounds: neither surely the same face nor surely another one.
        evidence = next(t.embedding for t in play.tracker.summaries())
        poor = at_distance(evidence, 1.03)
        image = scene()
        draw(image, "Ada", place)
        wanted = play.tracker.observe(image, play.time, [face_at(place)])
        play.tracker.learn([Sample(wanted[0].track_id, play.time, poor, wanted[0].quality)])
        [after] = play.tracker.visible()
        assert (after.track_id == before.track_id) is same


def test_whoever_takes_the_place_of_a_face_does_not_take_its_name() -> None:
    play = stage()
    for _ in range(30):
        [face] = play.frame({"Ada": ADA})
    named = face.track_id
    labels = []
    for _ in range(30):
        [face] = play.frame({"Zoe": moved(ADA, 3)})
        labels.append(face.identity.label)
    assert "Ada" not in labels[4:]
    assert face.identity.label == "Unknown 1"
    assert face.track_id != named


def test_a_twin_in_looks_is_told_apart_by_the_next_pictures() -> None:
    # Nothing in the picture tells that somebody else has come: only the embeddings do.
    play = stage()
    for _ in range(30):
        play.frame({"Ada": ADA})
    labels = []
    for i in range(150):
        wanted = play.tracker.observe(play_image(), play.time + i / 25, [face_at(ADA)])
        play.tracker.learn(Sample(w.track_id, w.time, picture_of("Zoe", i), w.quality) for w in wanted)
        labels.append(play.tracker.visible()[0].identity.label)
    assert labels[0] == "Ada"
    assert labels[-1] == "Unknown 1"
    assert len([1 for a, b in itertools.pairwise(labels) if a != b]) <= 2


def test_where_nobody_is_within_the_threshold_no_face_is_taken_for_another_out_of_sight() -> None:
    play = stage()
    play.tracker.threshold = 0.0
    ids = set()
    for place in (ADA, moved(ADA, 5)):
        for _ in range(20):
            ids |= {face.track_id for face in play.frame({"Zoe": place})}
        for _ in range(12):
            play.frame({})
    assert len(ids) == 2
