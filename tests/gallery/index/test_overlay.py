from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from knownface.gallery.index import overlay
from knownface.gallery.index.overlay import OverlayMap

keys = st.integers(0, 12)
values = st.text(max_size=2)
changes = st.lists(st.tuples(st.lists(keys, max_size=4), st.dictionaries(keys, values, max_size=4)), max_size=8)


@settings(max_examples=50)
@given(start=st.dictionaries(keys, values), changes=changes, most=st.integers(0, 5))
def test_it_says_what_a_plain_dict_says_after_any_changes(start, changes, most):
    before, overlay._MOST_LAID_OVER = overlay._MOST_LAID_OVER, most
    try:
        plain, made = dict(start), OverlayMap(start)
        for gone, new in changes:
            held, told = made, dict(made)
            made = made.changed(gone, new)
            for key in gone:
                plain.pop(key, None)
            plain.update(new)
            assert dict(made) == plain
            assert len(made) == len(plain)
            assert sorted(made) == sorted(plain)
            assert all((key in made) is (key in plain) for key in range(13))
            assert dict(held) == told, "what was handed out before stays as it was"
    finally:
        overlay._MOST_LAID_OVER = before


def test_a_change_does_not_copy_what_there_is():
    names = {number: str(number) for number in range(100_000)}
    made = OverlayMap(names).changed([5], {100_000: "new"})
    assert made._below is names
    assert len(made) == 100_000
    assert 5 not in made
    assert made.get(5) is None
