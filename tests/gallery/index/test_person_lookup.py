from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.gallery.index.person_lookup import NO_PERSON, PersonLookup

steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "move"]), st.sets(st.integers(0, 20), max_size=5), st.integers(0, 3)),
    max_size=12,
)


def ids(values):
    return np.array(sorted(values), dtype=np.int64)


@given(steps=steps)
def test_it_says_what_a_plain_dict_says_after_any_changes(steps):
    plain, lookup = {}, PersonLookup(ids([]), ids([]))
    for what, some, person in steps:
        if what == "add":
            new = ids(some - plain.keys())
            lookup.add(new, np.full(len(new), person))
            plain.update(dict.fromkeys(new.tolist(), person))
        else:
            held = lookup.held(ids(some))
            assert held.tolist() == sorted(some & plain.keys())
            if what == "remove":
                lookup.remove(held)
                for i in held.tolist():
                    del plain[i]
            else:
                lookup.move(held, np.full(len(held), person))
                plain.update(dict.fromkeys(held.tolist(), person))
        everything = np.arange(-1, 22).reshape(1, -1)
        assert lookup.people_of(everything).tolist() == [[plain.get(i, NO_PERSON) for i in range(-1, 22)]]
        assert dict(zip(*(array.tolist() for array in lookup.arrays()), strict=True)) == plain
        assert lookup.arrays()[0].tolist() == sorted(plain)
        assert len(lookup) == len(plain)
        assert lookup.templates_of(ids([person])).tolist() == sorted(i for i, p in plain.items() if p == person)


def test_the_arrays_it_was_made_from_stay_as_they_are():
    templates, people = ids([1, 2, 3]), ids([7, 8, 9])
    lookup = PersonLookup(templates, people)
    lookup.move(ids([2]), ids([1]))
    lookup.remove(ids([1]))
    lookup.add(ids([4]), ids([5]))
    assert (templates.tolist(), people.tolist()) == ([1, 2, 3], [7, 8, 9])


@pytest.mark.parametrize("shape", [(0,), (2, 0), (2, 3)])
def test_of_an_empty_one_everybody_is_nobody(shape):
    lookup = PersonLookup(ids([]), ids([]))
    assert (lookup.people_of(np.zeros(shape, dtype=np.int64)) == NO_PERSON).all()
