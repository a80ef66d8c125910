"""Detections that become tracks, and tracks that meet, in a little world whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from tracking_world import ADA, HEIGHT, WIDTH, moved, stage

from knownface.types import Box


@pytest.mark.parametrize("every", [1, 2, 3])
def test_two_faces_that_cross_keep_their_names(every: int) -> None:
    play = stage()
    wrong = 0
    for i in range(100):
        people = {"Ben": Box(250 - 2.5 * i, 84, 50, 60), "Ada": Box(20 + 2.5 * i, 80, 50, 60)}
        hidden = ["Ben"] if abs(people["Ben"].x - people["Ada"].x) < 35 else []
        shown = play.frame(people, hidden, look=i % every == 0)
        if i > 10 and not hidden and abs(people["Ben"].x - people["Ada"].x) > 60:
            wrong += sum(label not in (name, "") for name, label in play.labels(shown, people).items())
    assert wrong == 0
    assert play.labels(shown, people) == {"Ada": "Ada", "Ben": "Ben"}
    play.tracker.finish()
    summaries = play.tracker.ended()
    assert sorted(s.identity.label for s in summaries) == ["Ada", "Ben"]
    assert all(s.identity.changes == 0 for s in summaries)


def test_a_face_that_comes_back_elsewhere_is_not_counted_twice_in_a_frame() -> None:
    play = stage()
    for _ in range(20):
        play.frame({"Ada": ADA})
    for _ in range(20):
        # Seen at once, but too far from where it was: its old box goes on for 0.3 seconds beside the new one.
        shown = play.frame({"Ada": moved(ADA, 150)})
    assert [face.identity.label for face in shown] == ["Ada"]
    play.tracker.finish()
    [summary] = play.tracker.ended()
    assert summary.frames == sum(segment.frames for segment in summary.segments) == 40


def test_a_face_that_comes_running_is_one_track() -> None:
    play = stage()
    ids = set()
    for i in range(8):
        # Two widths of the face between two looks, and nothing known of its speed at the second one.
        shown = play.frame({"Ada": Box(20 + 30 * i, 80, 30, 36)}, look=i % 2 == 0, learn=False)
        ids |= {face.track_id for face in shown}
        assert len(shown) == 1
    assert len(ids) == 1


def test_a_hidden_face_has_no_box_on_the_one_before_it_in_any_frame() -> None:
    play = stage()
    for i in range(30):
        play.frame({"Ben": Box(150 - i, 84, 50, 60), "Ada": Box(90 + i, 80, 50, 60)})
    for i in range(6):
        shown = play.frame({"Ben": Box(121, 84, 50, 60), "Ada": Box(119, 80, 50, 60)}, ["Ben"], look=i % 2 == 0)
        assert [face.identity.label for face in shown] == ["Ada"]


def test_where_one_face_hides_another_there_is_no_name_until_a_picture_tells_whose_it_is() -> None:
    play = stage()
    for i in range(30):
        play.frame({"Ben": Box(150 - i, 84, 50, 60), "Ada": Box(90 + i, 80, 50, 60)})
    seen = {"Ben": Box(121, 84, 50, 60), "Ada": Box(119, 80, 50, 60)}
    [face] = play.frame(seen, ["Ben"], learn=False)
    assert face.identity.label == ""
    play.tracker.learn(play.pending)
    assert [face.identity.label for face in play.tracker.visible()] == ["Ada"]


def test_where_a_face_comes_out_from_behind_another_one_there_is_no_name_until_a_picture_tells_whose_it_is() -> None:
    play = stage()
    for i in range(30):
        play.frame({"Ben": Box(150 - i, 84, 50, 60), "Ada": Box(90 + i, 80, 50, 60)})
    for _ in range(14):
        play.frame({"Ben": Box(121, 84, 50, 60), "Ada": Box(119, 80, 50, 60)}, ["Ben"])
    assert [face.identity.label for face in play.tracker.visible()] == ["Ada"]
    out = {"Ben": Box(95, 84, 50, 60), "Ada": Box(140, 80, 50, 60)}
    assert {face.identity.label for face in play.frame(out, learn=False)} == {""}
    play.tracker.learn(play.pending)
    assert play.labels(play.tracker.visible(), {"Ada": out["Ada"]}) == {"Ada": "Ada"}


def test_a_track_that_would_jump_to_where_another_one_should_be_waits_for_a_picture() -> None:
    play = stage()
    people = {"Ben": Box(131, 80, 50, 60), "Ada": Box(100, 80, 50, 60)}
    for _ in range(30):
        play.frame(people)
    play.frame(people, ["Ben", "Ada"])
    [face] = [face for face in play.frame({"Ada": people["Ben"]}, learn=False) if face.detected]
    assert face.identity.label == ""
    play.tracker.learn(play.pending)
    assert [face.identity.label for face in play.tracker.visible() if face.detected] == ["Ada"]


def test_who_was_behind_a_face_that_a_picture_has_told_needs_none_to_have_the_name_back() -> None:
    play = stage()
    ben = Box(180, 84, 50, 60)
    labels = []
    for i in range(34):
        people = {"Ben": ben, "Ada": Box(10 + 8 * i, 80, 50, 60)}
        hidden = abs(people["Ada"].x - ben.x) < 25
        # The newest picture is one of Ada's, before Ben.
        shown = play.frame(people, ["Ben"] if hidden else [], learn=i < 24)
        labels.append((hidden, play.labels(shown, people)["Ben"]))
    behind = [i for i, (hidden, _) in enumerate(labels) if hidden]
    assert behind[0] < 23 < behind[-1]
    assert {label for hidden, label in labels[behind[-1] + 1 :]} == {"Ben"}


def test_a_cut_in_a_frame_without_a_look_leaves_no_box() -> None:
    play = stage()
    for _ in range(10):
        play.frame({"Ada": ADA})
    play.scenery = 1
    assert play.frame({}, look=False) == ()


def test_frames_without_a_look_show_the_box_where_the_motion_puts_it() -> None:
    play = stage()
    for i in range(30):
        people = {"Ada": moved(ADA, 3 * i)}
        [face] = play.frame(people, look=i % 3 == 0)
        assert face.detected == (i % 3 == 0)
        if i > 6:
            assert face.box.x == pytest.approx(people["Ada"].x, abs=3)


def test_noise_of_the_detector_makes_no_new_tracks() -> None:
    random = np.random.default_rng(0)
    play = stage()
    for _ in range(100):
        jitter = random.normal(0, 2.5, 4)
        [face] = play.frame({"Ada": Box(40 + jitter[0], 80 + jitter[1], 50 + jitter[2], 60 + jitter[3])})
    assert face.track_id == 1


def test_a_face_that_leaves_the_picture_has_no_box_outside_it() -> None:
    play = stage()
    for i in range(40):
        box = Box(WIDTH - 120 + 6 * i, 80, 50, 60)
        shown = play.frame({"Ada": box} if box.x < WIDTH - 20 else {})
        assert all(0 <= f.box.center[0] < WIDTH and 0 <= f.box.center[1] < HEIGHT for f in shown if not f.detected)
    assert shown == ()
