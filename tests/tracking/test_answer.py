from __future__ import annotations

from knownface.tracking import Identity
from knownface.tracking.answer import Answer
from knownface.tracking.identity import Estimate

ADA, NOBODY, PENDING = Estimate("named", 1, 1, 2), Estimate("unknown"), Estimate()


def frames(answer: Answer, first: int, last: int) -> None:
    for n in range(first, last):
        answer.count_frame(n / 10)


def test_what_came_before_the_first_answer_belongs_to_it() -> None:
    answer = Answer(since=0.0, last_time=0.0)
    frames(answer, 0, 5)
    answer.give(ADA, "Ada", None)
    frames(answer, 5, 10)
    [segment] = answer.segments()
    assert (segment.identity, segment.first_time, segment.frames) == (Identity("named", 1, "Ada"), 0.0, 10)
    assert answer.changes == 0


def test_another_answer_begins_a_segment_with_distances_of_its_own() -> None:
    answer = Answer(since=0.0, last_time=0.0)
    frames(answer, 0, 5)
    answer.give(NOBODY, None, 7)
    answer.note(1.2)
    answer.note(1.3)
    answer.give(ADA, "Ada", None)
    answer.note(0.8)
    frames(answer, 5, 9)
    before, now = answer.segments()
    assert (before.identity.label, before.frames, before.best_distance) == ("Unknown 7", 5, 1.2)
    assert (now.identity.label, now.first_time, now.last_time, now.frames) == ("Ada", 0.4, 0.8, 4)
    assert (now.best_distance, answer.changes) == (0.8, 1)


def test_the_same_answer_again_changes_nothing_and_another_name_does() -> None:
    answer = Answer(since=0.0, last_time=0.0)
    frames(answer, 0, 2)
    answer.give(ADA, "Ada", None)
    answer.note(0.8)
    answer.give(Estimate("named", 1, 1, 3), "Ada", None)
    assert (len(answer.segments()), answer.best_distance, answer.estimate.streak) == (1, 0.8, 3)
    answer.give(ADA, "Ada Lovelace", None)
    assert [segment.identity.name for segment in answer.segments()] == ["Ada", "Ada Lovelace"]


def test_an_answer_that_no_frame_showed_is_no_segment() -> None:
    answer = Answer(since=0.0, last_time=0.0)
    frames(answer, 0, 2)
    answer.give(NOBODY, None, 7)
    answer.give(ADA, "Ada", None)
    answer.give(PENDING, None, None)
    assert [segment.identity.state for segment in answer.segments()] == ["unknown", "pending"]
    assert answer.changes == 2


def test_frames_that_coasted_are_those_of_the_track_that_found_the_face_again() -> None:
    answer = Answer(since=0.0, last_time=0.0)
    frames(answer, 0, 6)
    answer.resume(frames=4, coasted=2, last_time=2.0)
    assert (answer.frames, answer.last_time) == (6 - 2 + 4, 2.0)
