from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knownface.errors import ModelError
from knownface.models.catalog import load_catalog
from knownface.models.joins import JoinName, join_name, parse_join, relative_weights, strictest_use

PARTS = st.lists(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,9}(:[A-Z][a-z]{0,5})?", fullmatch=True), min_size=2, unique=True)


@given(PARTS, st.data())
def test_a_name_says_all_of_a_join(parts: list[str], data: st.DataObject) -> None:
    size = len(parts)
    given_weights = data.draw(st.lists(st.floats(1e-3, 1e3), min_size=size, max_size=size))
    weights = relative_weights(given_weights)
    assert weights == pytest.approx([weight / given_weights[0] for weight in given_weights], rel=5e-3)
    assert parse_join(join_name(parts, weights)) == JoinName(tuple(parts), weights)


def test_names() -> None:
    assert parse_join("sface") == JoinName(("sface",))
    assert parse_join("my.net:Factory") == JoinName(("my.net:Factory",))
    assert parse_join("a+b") == JoinName(("a", "b"))
    assert parse_join("my.net:Factory:2+b") == JoinName(("my.net:Factory", "b"), (2.0, 1.0))
    for wrong in ("a+", "+a", "a+a", "a+b:0", "a+b:1.2.3"):
        with pytest.raises(ModelError, match=wrong.replace("+", r"\+")):
            parse_join(wrong)


def test_what_one_part_forbids_is_forbidden(tmp_path: Path) -> None:
    catalog = load_catalog(tmp_path)
    names = ("dlib-resnet", "dlib-resnet+sface:2", "dlib-resnet+sface:2+arcface-r50:1", "dlib-resnet+mine:Factory:1")
    assert [strictest_use(name, catalog) for name in names] == ["yes", "unclear", "no", "unclear"]
