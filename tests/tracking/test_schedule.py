"""Which faces are embedded, in a little world whose truth is known."""

from __future__ import annotations

from dataclasses import asdict, replace

from tracking_world import ADA, BEN, draw, face_at, picture_of, scene, stage

from knownface.tracking import IN_HINDSIGHT, Sample, TrackingOptions
from knownface.types import Box


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


def test_a_second_picture_comes_soon_so_that_two_can_agree_on_a_name() -> None:
    play, wanted = stage("Ada"), []
    for _ in range(5):
        play.frame({"Ada": ADA})
        wanted.append(play.wanted)
    assert wanted == [1, 1, 2, 2, 2]


def test_in_hindsight_fewer_pictures_give_the_same_answers() -> None:
    wanted, answers = [], []
    for options in (TrackingOptions(), IN_HINDSIGHT):
        play = stage("Ben", **asdict(options))
        for _ in range(75):
            play.frame({"Ada": ADA, "Ben": BEN})
        play.tracker.finish()
        wanted.append(play.wanted)
        answers.append([track.identity.label for track in play.tracker.ended()])
    assert answers[0] == answers[1] == ["Unknown 1", "Ben"]
    assert wanted[1] <= 0.7 * wanted[0]


def test_in_hindsight_faces_that_meet_are_looked_at_before_their_time() -> None:
    alone, together = [stage("Ada", "Ben", **asdict(IN_HINDSIGHT)) for _ in range(2)]
    for _ in range(100):
        alone.frame({"Ada": ADA, "Ben": BEN})
        together.frame({"Ada": ADA, "Ben": replace(ADA, x=ADA.right + 5)})
    assert together.wanted > alone.wanted


def test_a_doubtful_face_is_embedded_once_it_was_found_several_times() -> None:
    sure, doubtful = [stage("Ada", doubtful=likely) for likely in (0.5, 1.0)]  # the faces of the little world have 0.9
    for play in (sure, doubtful):
        play.frame({"Ada": ADA})
    assert (sure.wanted, doubtful.wanted) == (1, 0)
    doubtful.frame({"Ada": ADA})
    doubtful.frame({"Ada": ADA})
    assert doubtful.wanted == 1


def test_the_first_pictures_are_scored_for_liveness_and_every_second_one_more() -> None:
    play = stage("Ben", most_samples=100, unknown_after=1000.0)  # she stays uncertain, so many pictures are taken
    for _ in range(10):
        play.frame({"Ada": ADA})
    assert play.scored == 3
    for _ in range(90):
        play.frame({"Ada": ADA})
    assert play.scored == 3 + 3
    assert play.wanted > 2 * play.scored


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
