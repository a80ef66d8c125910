from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from knownface.errors import ModelError
from knownface.models.contract import InputContract, fingerprinted

DOCS = Path(__file__).parents[2] / "docs" / "models.md"


def _contract(**keys: Any) -> InputContract:
    return InputContract(**{"crop": "square", "size": 8, "dim": 4, **keys})


def test_the_documentation_has_every_key_with_its_default() -> None:
    table = DOCS.read_text(encoding="utf-8").split("| key of `[input]`")[1].split("\n\n")[0]
    written = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, flags=re.MULTILINE))
    wanted = {}
    for key in fields(InputContract):
        default = list(key.default) if isinstance(key.default, tuple) else key.default
        wanted[key.name] = "required" if key.default is MISSING else f"`{_toml(default)}`"
    assert written == wanted


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def test_a_square_may_be_written_as_two_sides() -> None:
    assert _contract(size=[8, 8]) == _contract(size=8)
    tall = _contract(size=[112, 96])
    assert (tall.height, tall.width) == (112, 96)
    assert tall.shape(2) == (2, 3, 112, 96)
    assert _contract(size=[112, 96], layout="NHWC", colour="GRAY", mean=[1], std=[2]).shape(1) == (1, 112, 96, 1)


def test_what_takes_squares_only_says_so() -> None:
    assert _contract(size=9).side == 9
    with pytest.raises(ModelError, match="112 pixels high and 96 wide"):
        _ = _contract(size=[112, 96]).side


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"colour": "GRAY", "mean": (1, 2, 3)}, "mean must be 1 numbers for colour GRAY, got 3"),
        ({"mean": (1, 2)}, "mean must be 3 numbers for colour RGB, got 2"),
        ({"std": ()}, "std must be 3 numbers"),
        ({"std": (1, 0, 1)}, "greater than 0"),
        ({"size": (8, 4)}, "greater than or equal to 8"),
        ({"size": (8, 8, 8)}, "at most 2 items"),
        ({"colour": "grey"}, "'RGB', 'BGR' or 'GRAY'"),
    ],
)
def test_what_cannot_be_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _contract(**keys)


def test_a_key_at_its_default_and_one_that_changes_no_vector_are_not_fingerprinted() -> None:
    plain = fingerprinted(_contract())
    assert set(plain) == {
        "crop", "crop_factor", "size", "dim", "colour", "layout", "scale", "mean", "std", "output_name",
    }  # fmt: skip
    assert fingerprinted(_contract(input_name="x", per_item=True)) == plain
    assert fingerprinted(_contract(mirror=True)) == {**plain, "mirror": True}
    assert "crop_factor" not in fingerprinted(_contract(crop="aligned"))
