from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import BadNameError, UnknownSightingError
from knownface.events import (
    RetentionPolicy,
    SeenTrack,
    SightingFilter,
    SightingLog,
    group_by_likeness,
    group_unknowns,
    name_unknown,
)
from knownface.events.together import Together
from knownface.review import PersonReview
from knownface.types import DecisionRule

REVIEW = PersonReview(DecisionRule(1, 3, 1.0))


def faces_of(made, *people, each=3, spread=0.5):
    """Several pictures of each of some people, one after the other."""
    return np.stack([made.away(made.unit(p), spread, 100 + 10 * p + i) for p in people for i in range(each)])


def test_pictures_of_one_person_come_together_and_no_others(made):
    faces = faces_of(made, 1, 2, 3)
    assert group_by_likeness(faces, 0.9) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert group_by_likeness(faces, 0.0) == [[row] for row in range(9)]
    assert group_by_likeness(faces, 2.0) == [list(range(9))]


def test_two_people_of_one_picture_stay_apart(made):
    faces = np.stack([made.unit(1), made.away(made.unit(1), 0.3)])
    assert group_by_likeness(faces, 0.9) == [[0, 1]]
    assert group_by_likeness(faces, 0.9, Together([[("door", 0.0, 5.0)], [("door", 4.0, 9.0)]])) == [[0], [1]]


@given(st.integers(0, 12), st.floats(0, 2), st.integers(0, 2**31))
def test_every_face_is_in_one_group_and_order_does_not_matter(count, threshold, seed):
    rng = np.random.default_rng(seed)
    faces = rng.normal(size=(count, 6)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True) if count else 1
    groups = group_by_likeness(faces, threshold)
    assert sorted(row for group in groups for row in group) == list(range(count))
    turned = group_by_likeness(faces[::-1], threshold)
    assert {frozenset(group) for group in groups} == {frozenset(count - 1 - row for row in group) for group in turned}


@pytest.fixture
def keeping(gallery):
    return SightingLog(gallery, RetentionPolicy(unknown_faces=True))


@pytest.fixture
def strangers(keeping, made):
    """Stranger A seen as 1 and 3, stranger B as 2, somebody whose face was not kept as 4."""
    vectors = {1: made.unit(71), 2: made.unit(72), 3: made.away(made.unit(71), 0.4), 4: None}
    for number, vector in vectors.items():
        when = made.noon + timedelta(minutes=number)
        keeping.record([SeenTrack(f"u{number}", "door", None, number, when, when, embedding=vector, quality=0.7)])
    return keeping


def test_the_same_stranger_seen_again_is_one_group(strangers, gallery, made):
    groups = group_unknowns(gallery, 1.0)
    assert [group.numbers for group in groups] == [(4,), (1, 3), (2,)]
    assert [s.unknown for s in groups[1].sightings] == [3, 1]
    assert groups[1].last_seen - groups[1].first_seen == timedelta(minutes=2)


def test_dismissed_ones_are_left_out_until_asked_for(strangers, gallery):
    assert strangers.dismiss([2]) == 1
    assert [group.numbers for group in group_unknowns(gallery, 1.0)] == [(4,), (1, 3)]
    assert len(group_unknowns(gallery, 1.0, SightingFilter(unknown=True))) == 3
    strangers.dismiss([2], dismissed=False)
    assert len(group_unknowns(gallery, 1.0)) == 3


def test_two_whom_one_camera_saw_at_once_are_two(keeping, gallery, made):
    """Twins: alike, but in one picture."""
    for number in (1, 2):
        track = SeenTrack(f"u{number}", "door", None, number, made.noon, made.noon + timedelta(minutes=1))
        keeping.record([track])
    alike = [made.unit(71), made.away(made.unit(71), 0.2)]
    for number, vector in enumerate(alike, start=1):
        last = made.noon + timedelta(minutes=1)
        keeping.record([SeenTrack(f"u{number}", "door", None, number, made.noon, last, embedding=vector)])
    assert [group.numbers for group in group_unknowns(gallery, 1.0)] == [(2,), (1,)]
    keeping.record([SeenTrack("u3", "yard", None, 3, made.noon, last, embedding=alike[0])])
    assert (1, 3) in [group.numbers for group in group_unknowns(gallery, 1.0)]


def test_faces_of_another_embedder_are_not_compared(strangers, gallery, made):
    with gallery.database.writing() as connection:
        from knownface.storage.events_schema import sightings

        connection.execute(sightings.update().where(sightings.c.unknown == 3).values(fingerprint="b" * 64))
    assert [group.numbers for group in group_unknowns(gallery, 1.0)] == [(4,), (3,), (2,), (1,)]
    assert name_unknown(gallery, [3], "Eve", REVIEW).enrolled == 0


def test_naming_makes_a_person_who_is_recognised(strangers, gallery, made):
    named = name_unknown(gallery, [1, 3], "Eve", REVIEW)
    assert (named.person.name, named.sightings, named.enrolled, named.person.templates) == ("Eve", 2, 2, 2)
    near = gallery.search(made.away(made.unit(71), 0.1, 3)[None], 1)
    assert near.people[0, 0] == named.person.id
    assert [s.label for s in strangers.find()] == ["Unknown 4", "Eve", "Unknown 2", "Eve"]
    assert not any(s.has_face for s in strangers.find(SightingFilter(person="Eve")))
    again = name_unknown(gallery, [1, 3], "eve", REVIEW)
    assert (again.sightings, again.enrolled, again.person.templates) == (2, 0, 2)


def test_naming_without_enrolling_or_without_a_face(strangers, gallery):
    assert name_unknown(gallery, [2], "Ann", REVIEW, enrol=False).enrolled == 0
    assert name_unknown(gallery, [4], "Ann", REVIEW).enrolled == 0
    assert gallery.person("Ann").templates == 2
    assert [s.label for s in strangers.find(SightingFilter(person="Ann"))] == ["Ann", "Ann"]


def test_what_cannot_be_named_is_refused(strangers, gallery):
    with pytest.raises(UnknownSightingError):
        name_unknown(gallery, [77], "Eve", REVIEW)
    with pytest.raises(BadNameError):
        name_unknown(gallery, [1], "unknown", REVIEW)
    assert [p.name for p in gallery.people()] == ["Ann", "Ben", "Cy", "Dan"]
