"""Who the tracks of a little world are; the gallery decides by the real rule."""

from __future__ import annotations

import numpy as np
from tracking_world import ADA, BEN, at_distance, draw, face_at, of_quality, picture_of, scene, stage

from knownface.tracking import FaceTracker, Sample
from knownface.types import Box


def test_numbers_come_from_the_caller_and_are_not_spent_on_known_faces_or_mistakes() -> None:
    numbers = iter([41, 42])
    play = stage()
    play.tracker = FaceTracker(play.gallery.decide, 1.0, new_number=numbers.__next__)
    play.frame({"Ada": ADA, "a shadow": BEN})
    for _ in range(40):
        play.frame({"Ada": ADA})
    for _ in range(40):
        shown = play.frame({"Ada": ADA, "Zoe": BEN})
    assert {face.identity.label for face in shown} == {"Ada", "Unknown 41"}
    play.tracker.finish()
    assert {s.identity.label for s in play.tracker.ended()} == {"Ada", "Unknown 41"}


def test_a_face_waits_for_its_number_without_an_answer_and_others_do_not_wait() -> None:
    numbers: list[int] = []
    play = stage()
    play.tracker = FaceTracker(play.gallery.decide, 1.0, new_number=lambda: numbers.pop() if numbers else None)
    for _ in range(30):
        shown = play.frame({"Ada": ADA, "Zoe": BEN})
    assert sorted(face.identity.label for face in shown) == ["", "Ada"]
    numbers.append(7)
    shown = play.frame({"Ada": ADA, "Zoe": BEN}, look=False)
    assert sorted(face.identity.label for face in shown) == ["Ada", "Unknown 7"], "without another picture"


def test_an_unknown_who_left_before_the_number_came_gets_it_later() -> None:
    numbers: list[int] = []
    play = stage()
    play.tracker = FaceTracker(play.gallery.decide, 1.0, new_number=lambda: numbers.pop() if numbers else None)
    for _ in range(30):
        play.frame({"Zoe": ADA})
    for _ in range(60):
        play.frame({})
    assert play.tracker.ended() == ()
    numbers.append(7)
    play.frame({})
    assert [s.identity.label for s in play.tracker.ended()] == ["Unknown 7"]


def learned(distance: float, light: float = 1.0) -> list[str]:
    """Labels of a face in the frames of four seconds whose pictures all lie so far from Ada."""
    play = stage("Ada")
    picture = at_distance(picture_of("Ada", 1000, noise=0.3), distance)
    image = scene()
    draw(image, "Ada", ADA)
    image = (image * light).astype(np.uint8)
    labels = []
    for i in range(100):
        wanted = play.tracker.observe(image, i / 25, [face_at(ADA)])
        play.tracker.learn(Sample(w.track_id, w.time, picture, w.quality) for w in wanted)
        labels += [face.identity.label for face in play.tracker.visible()]
    return labels


def test_a_face_with_hardly_any_light_is_named_only_if_that_is_clear() -> None:
    assert learned(0.95)[-1] == learned(0.8, light=0.1)[-1] == "Ada"
    assert "Ada" not in learned(0.95, light=0.1)


def test_who_is_nearly_somebody_is_unknown_later_than_who_is_like_nobody() -> None:
    near, far = learned(1.04), learned(1.2)
    assert near[-1] == far[-1] == "Unknown 1"
    assert near.index("Unknown 1") > far.index("Unknown 1") + 10


def test_a_person_is_in_one_place_at_a_time() -> None:
    play = stage()
    for _ in range(30):
        shown = play.frame({"Ada": ADA})
    for i in range(60):
        faces = {"Ada": ADA, "her photo": BEN}
        wanted = play.tracker.observe(scene(), play.time + i / 25, [face_at(box) for box in faces.values()])
        play.tracker.learn(
            Sample(w.track_id, w.time, picture_of("Ada", i, 0.3 if w.face.box == BEN else 0.6), w.quality)
            for w in wanted
        )
        shown = play.tracker.visible()
        assert [face.identity.label for face in shown].count("Ada") <= 1
    assert [face.identity.label for face in shown].count("Ada") == 1


def test_nobody_who_was_removed_stays_named_and_who_is_renamed_is_called_so() -> None:
    play = stage()
    for _ in range(50):
        play.frame({"Ada": ADA, "Ben": BEN, "Zoe": Box(120, 150, 40, 50)})
    del play.gallery.names[1]
    play.gallery.names[3] = "Zoe"
    play.tracker.redecide()
    assert sorted(face.identity.label for face in play.tracker.visible()) == ["Ben", "Unknown 2", "Zoe"]


def test_after_redeciding_summaries_hold_both_segments() -> None:
    play = stage("Ada")
    for _ in range(20):
        play.frame({"Ada": ADA})
    play.gallery.names.clear()
    play.tracker.redecide()
    for _ in range(10):
        play.frame({"Ada": ADA})
    [summary] = play.tracker.summaries()
    assert [(s.identity.state, s.identity.name, s.frames) for s in summary.segments] == [
        ("named", "Ada", 20),
        ("unknown", None, 10),
    ]
    assert summary.identity.changes == 1


def test_an_empty_gallery_knows_nobody() -> None:
    play = stage()
    play.gallery.names.clear()
    for _ in range(40):
        shown = play.frame({"Ada": ADA, "Ben": BEN})
    assert {face.identity.label for face in shown} == {"Unknown 1", "Unknown 2"}
    assert shown[0].identity.decision is not None
    assert shown[0].identity.decision.reason == "empty gallery"


def test_every_answer_says_why() -> None:
    play = stage()
    [face] = play.frame({"Ada": ADA}, learn=False)
    assert face.identity.why == "No picture of this face was good enough to tell yet."
    for _ in range(80):
        shown = play.frame({"Ada": ADA, "Zoe": BEN})
    ada, zoe = (face.identity.why for face in shown)
    assert "from Ada" in ada
    assert "Ben" not in ada
    assert "too far" in zoe


def test_in_hindsight_the_last_decision_on_several_pictures_names_who_left_undecided() -> None:
    answers = []
    for named_at_end in (False, True):
        play = stage("Ada", clear=0.01, named_at_end=named_at_end)
        for _ in range(3):
            image = scene()
            draw(image, "Ada", ADA)
            play.tracker.observe(image, play.time, [face_at(ADA)])
            play.time += 0.04
        play.tracker.learn([Sample(1, 0.0, picture_of("Ada", 0, noise=3.0), of_quality(0.2))])
        play.tracker.learn([Sample(1, 0.04, picture_of("Ada", 1), of_quality(0.8))])
        assert play.tracker.visible()[0].identity.state == "pending", "one decision"
        play.tracker.finish()
        answers += [track.identity.label for track in play.tracker.ended()]
    assert answers == ["", "Ada"]
