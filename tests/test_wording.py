from __future__ import annotations

import pytest

from knownface.wording import plural


@pytest.mark.parametrize(("count", "text"), [(0, "0 cats"), (1, "1 cat"), (1200, "1,200 cats")])
def test_plurals(count: int, text: str) -> None:
    assert plural(count, "cat") == text
    assert plural(1, "person", "people") == "1 person"
