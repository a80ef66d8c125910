from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from knownface.bench import BenchResult, Figure, compared, read_result, result_text
from knownface.errors import UnreadableError, UnsupportedError

WHEN = datetime(2027, 3, 1, 12, 30, tzinfo=UTC)


def _result(*figures: Figure) -> BenchResult:
    return BenchResult({"processor": "Z80"}, WHEN, figures, ("a note",))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    result = _result(Figure("search", "exact, 1000 x 512", 0.25, "ms"), Figure("end to end", "photos", 81.5, "/s"))
    (tmp_path / "b.json").write_text(result_text(result), encoding="utf-8")
    assert read_result(tmp_path / "b.json") == result


def test_larger_is_better_a_second_and_smaller_in_milliseconds() -> None:
    now = _result(Figure("a", "x", 5.0, "ms"), Figure("a", "y", 50.0, "/s"), Figure("a", "new", 1.0, "ms"))
    earlier = _result(Figure("a", "y", 100.0, "/s"), Figure("a", "x", 10.0, "ms"), Figure("b", "x", 1.0, "ms"))
    found = compared(now, earlier)
    assert [(ratio.figure.name, ratio.earlier, ratio.speedup) for ratio in found] == [
        ("x", 10.0, 2.0),
        ("y", 100.0, 0.5),
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 2}', "\x00", '{"machine": {}, "measured_at": "2027-03-01", "figures": []}']
)
def test_what_is_no_result_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(UnsupportedError, match=r"other\.json is no result of this benchmark"):
        read_result(path)


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity", '"fast"'])
def test_a_figure_is_a_number_above_zero(tmp_path: Path, value: str) -> None:
    path = tmp_path / "b.json"
    figure = f'{{"group": "a", "name": "x", "unit": "ms", "value": {value}}}'
    path.write_text(f'{{"machine": {{}}, "measured_at": "2027-03-01T00:00:00Z", "figures": [{figure}]}}')
    with pytest.raises(UnsupportedError):
        read_result(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"none\.json"):
        read_result(tmp_path / "none.json")
