from __future__ import annotations

from dataclasses import replace

import numpy as np
from tracking_world import at_distance, direction, of_quality

from knownface.tracking import Sample, Segment, TrackIdentity, TrackSummary, in_hindsight
from knownface.tracking.values import State

THRESHOLD = 1.0
ADA, BEN = direction("Ada"), direction("Ben")


def seen(
    number: int,
    embedding: np.ndarray,
    first: float,
    last: float,
    *,
    state: State = "unknown",
    person: int | None = None,
    quality: float = 0.5,
) -> TrackSummary:
    """A track with four pictures."""
    vector = embedding.astype(np.float32)
    identity = TrackIdentity(state, person, person and f"Person {person}", number if state == "unknown" else None)
    samples = tuple(Sample(number, first, vector, of_quality(quality)) for _ in range(4))
    segment = Segment(identity, last, last, 1, None)
    return TrackSummary(number, identity, first, last, 10, vector, None, (segment,), samples)


def labels(*tracks: TrackSummary) -> list[str]:
    return [track.identity.label for track in in_hindsight(tracks, THRESHOLD)]


def test_the_last_answer_holds_from_the_first_frame_on() -> None:
    [track] = in_hindsight([seen(1, ADA, 2.0, 9.0, state="named", person=5)], THRESHOLD)
    [segment] = track.segments
    assert (segment.identity.label, segment.first_time, segment.last_time) == ("Person 5", 2.0, 9.0)


def test_who_looks_like_somebody_named_elsewhere_is_that_person() -> None:
    named = seen(1, ADA, 0.0, 3.0, state="named", person=5)
    alike, later = at_distance(ADA, 0.8), (5.0, 6.0)
    assert labels(named, seen(2, alike, *later)) == ["Person 5", "Person 5"]
    assert labels(named, seen(2, alike, *later, state="pending")) == ["Person 5", "Person 5"]
    assert labels(named, seen(2, alike, 2.0, 6.0)) == ["Person 5", "Unknown 1"]
    assert labels(named, seen(2, alike, *later, quality=0.1)) == ["Person 5", "Unknown 1"]
    assert labels(named, seen(2, at_distance(ADA, 1.1), *later)) == ["Person 5", "Unknown 1"]
    [_, joined] = in_hindsight([named, seen(2, alike, *later)], THRESHOLD)
    assert joined.identity.alike is not None
    assert abs(joined.identity.alike - 0.8) < 1e-3


def test_who_was_joined_draws_nobody_else_along() -> None:
    towards = at_distance(ADA, 0.6)
    farther = (towards * 2 * (towards @ ADA) - ADA).astype(np.float32)  # as far from the joined one, on its other side
    chain = [seen(1, ADA, 0.0, 1.0, state="named", person=5), seen(2, towards, 2.0, 3.0), seen(3, farther, 4.0, 5.0)]
    assert labels(*chain) == ["Person 5", "Person 5", "Unknown 1"]


def test_means_of_unlike_pictures_count_as_far_apart_as_the_pictures() -> None:
    named, alike = seen(1, ADA, 0.0, 3.0, state="named", person=5), seen(2, at_distance(ADA, 0.9), 5.0, 6.0)
    pictures = [replace(alike.evidence[0], embedding=at_distance(alike.embedding, d)) for d in (0.0, 0.8)]
    spread = replace(alike, evidence=tuple(2 * pictures))
    found = [[t.identity.label for t in in_hindsight([named, t], THRESHOLD, None, 1.0)] for t in (alike, spread)]
    assert found == [["Person 5", "Person 5"], ["Person 5", "Unknown 1"]]


def test_an_unknown_is_one_person_with_numbers_in_the_order_of_coming() -> None:
    tracks = [seen(9, BEN, 4.0, 5.0), seen(7, ADA, 1.0, 2.0), seen(8, at_distance(ADA, 0.6), 6.0, 7.0)]
    assert labels(*tracks) == ["Unknown 1", "Unknown 2", "Unknown 1"]
    numbers = iter([40, 41])
    told = in_hindsight(tracks, THRESHOLD, lambda: next(numbers))
    assert [track.identity.unknown for track in told] == [40, 41, 40]


def test_what_is_undecided_and_like_nobody_stays_so() -> None:
    assert labels(seen(1, ADA, 0.0, 1.0, state="pending"), seen(2, BEN, 2.0, 3.0)) == ["", "Unknown 1"]
