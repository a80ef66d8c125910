"""Faces followed in a little world whose truth is known; the gallery decides by the real rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tracking_world import HEIGHT, WIDTH, Stage, TestGallery, draw, face_at, picture_of, scene

from knownface.tracking import FaceTracker, Sample, TrackingOptions
from knownface.types import Box

ADA, BEN = Box(40, 80, 50, 60), Box(200, 80, 50, 60)


def stage(*people: str, **options: float) -> Stage:
    return Stage(TestGallery(*(people or ("Ada", "Ben"))), TrackingOptions(**options))  # type: ignore[arg-type]


def moved(box: Box, dx: float, dy: float = 0.0) -> Box:
    return Box(box.x + dx, box.y + dy, box.width, box.height)


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


def test_a_face_found_once_is_no_sighting() -> None:
    play = stage()
    play.frame({"Zoe": ADA})
    for _ in range(30):
        play.frame({})
    play.tracker.finish()
    assert play.tracker.ended() == ()
    assert play.tracker.summaries() == ()


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


def test_where_one_face_hides_another_there_is_no_name_until_a_picture_tells_whose_it_is() -> None:
    play = stage()
    for i in range(30):
        play.frame({"Ben": Box(150 - i, 84, 50, 60), "Ada": Box(90 + i, 80, 50, 60)})
    seen = {"Ben": Box(121, 84, 50, 60), "Ada": Box(119, 80, 50, 60)}
    [face] = play.frame(seen, ["Ben"], learn=False)
    assert face.identity.label == ""
    play.tracker.learn(play.pending)
    assert [face.identity.label for face in play.tracker.visible()] == ["Ada"]


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


def at_distance(vector: np.ndarray, distance: float) -> np.ndarray:
    """A unit vector so far away."""
    aside = np.random.default_rng(3).standard_normal(vector.size)
    aside -= (aside @ vector) * vector
    cosine = 1 - distance**2 / 2
    found = cosine * vector + np.sqrt(1 - cosine**2) * aside / np.linalg.norm(aside)
    return (found / np.linalg.norm(found)).astype(np.float32)


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


def play_image() -> np.ndarray:
    image = scene()
    draw(image, "Ada", ADA)
    return image


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


def test_a_cut_in_a_frame_without_a_look_leaves_no_box() -> None:
    play = stage()
    for _ in range(10):
        play.frame({"Ada": ADA})
    play.scenery = 1
    assert play.frame({}, look=False) == ()


def test_a_stream_that_starts_anew_ends_every_track() -> None:
    play = stage()
    for _ in range(10):
        play.frame({"Ada": ADA})
    play.count, play.time = 0, 0.0
    shown = play.frame({"Ada": ADA})
    assert len(play.tracker.ended()) == 1
    assert [face.track_id for face in shown] == [2]


def test_frames_without_a_look_show_the_box_where_the_motion_puts_it() -> None:
    play = stage()
    for i in range(30):
        people = {"Ada": moved(ADA, 3 * i)}
        [face] = play.frame(people, look=i % 3 == 0)
        assert face.detected == (i % 3 == 0)
        if i > 6:
            assert face.box.x == pytest.approx(people["Ada"].x, abs=3)


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


def test_a_frame_wants_no_more_faces_than_the_budget_and_all_get_their_turn() -> None:
    play = stage(per_frame=2)
    crowd = {f"stranger {i}": Box(26 * (i % 12) + 2, 20 + 60 * (i // 12), 20, 24) for i in range(12)}
    asked: set[int] = set()
    for _ in range(12):
        image = scene()
        for person, box in crowd.items():
            draw(image, person, box)
        wanted = play.tracker.observe(image, play.time, [face_at(box) for box in crowd.values()])
        assert len(wanted) <= 2
        asked |= {w.track_id for w in wanted}
        play.tracker.learn(Sample(w.track_id, w.time, picture_of(str(w.track_id), 0), w.quality) for w in wanted)
        play.time += 0.04
    assert len(asked) == 12


def test_a_settled_track_costs_few_embeddings() -> None:
    play = stage()
    for _ in range(25):
        play.frame({"Ada": ADA})
    play.wanted = 0
    for _ in range(250):
        play.frame({"Ada": ADA})
    assert 4 <= play.wanted <= 6


def test_a_better_picture_is_taken_before_its_time() -> None:
    play = stage(check_every=1000.0)
    for _ in range(50):
        play.frame({"Ada": Box(40, 80, 30, 36)})
    play.wanted = 0
    for i in range(60):
        play.frame({"Ada": Box(40, 80, 30 + i, 36 + 1.2 * i)})
    assert play.wanted >= 2


def test_faces_too_small_to_tell_are_followed_and_not_embedded() -> None:
    play = stage()
    for i in range(40):
        [face] = play.frame({"Ada": Box(40 + i, 80, 12, 14)})
    assert play.wanted == 0
    assert face.identity.state == "pending"
    play.tracker.finish()
    [summary] = play.tracker.ended()
    assert (summary.identity.label, summary.embedding, summary.best_distance) == ("", None, None)


def test_an_answer_that_does_not_come_is_asked_for_again() -> None:
    play = stage(answer_within=0.5)
    for _ in range(40):
        play.frame({"Ada": ADA}, learn=False)
    assert 2 <= play.wanted <= 4


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


def test_options_that_make_no_sense_are_refused() -> None:
    for name in ("coast", "per_frame", "alike", "most_samples"):
        with pytest.raises(ValueError, match=name):
            TrackingOptions(**{name: 0})
