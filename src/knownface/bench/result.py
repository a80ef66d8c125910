"""What was measured, as values, in a file, and beside what was measured earlier."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from knownface.errors import UnreadableError, UnsupportedError

FORMAT: Literal[1] = 1
_CONFIG = ConfigDict(extra="forbid")

Unit: TypeAlias = Literal["ms", "/s"]
"""Milliseconds for one: smaller is better. How many a second: larger is better."""


@checked_dataclass(frozen=True, slots=True, config=_CONFIG)
class Figure:
    """One thing measured.

    Attributes:
        group: Such as ``search``.
        name: What was measured; with the group it is the same in every run that measures the same.
        value: In the unit, above 0.
        unit: See :data:`Unit`.
    """

    group: str
    name: str
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    unit: Unit


@checked_dataclass(frozen=True, slots=True, config=_CONFIG)
class BenchResult:
    """A run.

    Attributes:
        machine: Facts about the machine and what is installed.
        measured_at: When, UTC.
        figures: In the order in which they were measured.
        notes: What could not be measured, and why.
        format: Of the file.
    """

    machine: dict[str, str]
    measured_at: AwareDatetime
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    format: Literal[1] = FORMAT


_RESULT = TypeAdapter(BenchResult)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure beside that of an earlier run.

    Attributes:
        figure: Of now.
        earlier: The earlier value.
        speedup: How many times as fast it is now: 2 is twice as fast, 0.5 half as fast.
    """

    figure: Figure
    earlier: float
    speedup: float


def compared(now: BenchResult, earlier: BenchResult) -> list[Ratio]:
    """What both runs measured, in the order of the first."""
    before = {(figure.group, figure.name, figure.unit): figure.value for figure in earlier.figures}
    found = []
    for figure in now.figures:
        value = before.get((figure.group, figure.name, figure.unit))
        if value is not None:
            speedup = value / figure.value if figure.unit == "ms" else figure.value / value
            found.append(Ratio(figure, value, speedup))
    return found


def result_text(result: BenchResult) -> str:
    """A run as JSON, which :func:`read_result` reads."""
    return json.dumps(asdict(result), default=_text, indent=2) + "\n"


def _text(value: datetime) -> str:
    return value.isoformat()


def read_result(path: Path) -> BenchResult:
    """Read a file with what :func:`result_text` gave.

    Raises:
        UnreadableError: The file is missing or may not be read.
        UnsupportedError: It is something else.
    """
    try:
        return _RESULT.validate_json(path.read_bytes())
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise UnsupportedError(
            f"{path} is no result of this benchmark: {error.errors()[0]['msg']}.",
            "Name a file that `knownface bench --json FILE` wrote.",
        ) from error
