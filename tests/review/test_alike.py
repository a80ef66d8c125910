"""One person under two names is found, and two people are not."""

from __future__ import annotations

import numpy as np
import pytest

from knownface.errors import PersonError
from knownface.gallery import Gallery, NewTemplate
from knownface.review.alike import alike_people
from knownface.types import DecisionRule, EmbedderContract

CONTRACT = EmbedderContract("net", 32, "aligned", "a" * 64, "Apache-2.0", DecisionRule(1, 3, 1.0, 0.0), True)


@pytest.fixture
def gallery():
    with Gallery.open(":memory:") as opened:
        opened.bind(CONTRACT)
        yield opened


def enrol(gallery, name, look, count=3, seed=0):
    rng = np.random.default_rng(seed)
    for number in range(count):
        vector = np.zeros(32) + rng.normal(0, 0.05, 32)
        vector[look] += 1
        vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        gallery.add_templates(name, [NewTemplate(vector, f"{name}{number}.jpg", f"{name}{number}".ljust(64, "0"))])


def test_one_person_under_two_names_is_listed_once(gallery):
    assert alike_people(gallery, CONTRACT, CONTRACT.rule) == []
    for number, (name, look) in enumerate((("Ada", 0), ("Ben", 1), ("Cy", 2), ("Ada K", 0))):
        enrol(gallery, name, look, seed=number)
    gallery.add_person("Nobody yet")
    [pair] = alike_people(gallery, CONTRACT, CONTRACT.rule)
    assert (pair.first, pair.second) == ("Ada", "Ada K")
    assert 0 < pair.distance < 0.5


def test_one_picture_in_the_wrong_folder_does_not_make_two_people_one(gallery):
    enrol(gallery, "Ada", 0)
    enrol(gallery, "Ben", 1)
    enrol(gallery, "Ben", 0, count=1, seed=9)
    enrol(gallery, "Cy", 0, count=1, seed=5)
    assert [(pair.first, pair.second) for pair in alike_people(gallery, CONTRACT, CONTRACT.rule)] == [("Ada", "Cy")]


def test_two_who_were_said_to_be_two_are_not_listed_whoever_is_joined_into_them(gallery):
    for number, name in enumerate(("Ada", "Twin", "Ada K")):
        enrol(gallery, name, 0, seed=number)
    store = gallery.people_store
    with pytest.raises(PersonError):
        store.note_different("Ada", ["Ada"])
    store.note_different("Twin", ["Ada K"])
    assert {(pair.first, pair.second) for pair in alike_people(gallery, CONTRACT, CONTRACT.rule)} == {
        ("Ada", "Twin"),
        ("Ada", "Ada K"),
    }
    gallery.merge(["Ada K"], "Ada")
    assert alike_people(gallery, CONTRACT, CONTRACT.rule) == []
    gallery.remove("Twin")
    assert store.different() == set()
