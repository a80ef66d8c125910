"""Joined embedders by name, ``A+B`` or with weights ``A+B:2``, and what the catalogue says of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knownface.errors import UnknownModelError
from knownface.models.catalog import Catalog
from knownface.models.entry import CommercialUse, DecisionDefaults

_WEIGHTED = re.compile(r"(?P<part>.+):(?P<weight>[\d.]+)")
"""A weight begins with a digit, which the factory in ``module:Factory`` cannot."""
_DIGITS = 3
"""Significant digits of a weight, so that the name says all of it."""


@dataclass(frozen=True, slots=True)
class JoinName:
    """What a name asks for.

    Attributes:
        parts: The embedders, two or more; one for a name that joins nothing.
        weights: Of the parts' squared distances; None where the name has none, so that the usual ones are meant.
    """

    parts: tuple[str, ...]
    weights: tuple[float, ...] | None = None


def parse_join(name: str) -> JoinName:
    """Take a name apart.

    Raises:
        UnknownModelError: A part is empty or named twice, or a weight is no positive number.
    """
    if "+" not in name:
        return JoinName((name,))
    found = [(piece, _WEIGHTED.fullmatch(piece)) for piece in name.split("+")]
    parts = tuple(piece if match is None else match["part"] for piece, match in found)
    if not all(parts) or len(set(parts)) < len(parts):
        raise UnknownModelError(
            f"{name!r} joins no embedders.", "Name two different ones or more, such as sface-int8bq+dlib-resnet."
        )
    if not any(match for _, match in found):
        return JoinName(parts)
    return JoinName(parts, tuple(1.0 if match is None else _weight(match["weight"], name) for _, match in found))


def _weight(text: str, name: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not weight > 0:
        raise UnknownModelError(f"{name!r}: {text} is no weight.", "A weight is a number greater than 0.")
    return weight


def relative_weights(weights: Sequence[float]) -> tuple[float, ...]:
    """Weights as a name states them: in units of the first, to three significant digits.

    Args:
        weights: Positive numbers.
    """
    return tuple(float(f"{weight / weights[0]:.{_DIGITS}g}") for weight in weights)


def join_name(parts: Sequence[str], weights: Sequence[float]) -> str:
    """The one name of a join: ``A+B:2``; the first part's weight is 1.

    Args:
        parts: Names of the embedders.
        weights: As :func:`relative_weights` gives them.
    """
    others = zip(parts[1:], weights[1:], strict=True)
    return "+".join([parts[0], *(f"{part}:{np.format_float_positional(weight, trim='-')}" for part, weight in others)])


def usual_weights(parts: Sequence[str], catalog: Catalog) -> list[float]:
    """The weights that are meant where a name has none; 1 for a part that the catalogue does not know."""
    return [1.0 if (known := _decision(part, catalog)) is None else known.weight for part in parts]


def strictest_use(name: str, catalog: Catalog) -> CommercialUse:
    """Whether the statements on an embedder allow commercial use, those on all of its parts where it joins some."""
    uses = {"unclear" if part not in catalog else catalog[part].commercial_use for part in parse_join(name).parts}
    return "no" if "no" in uses else "unclear" if "unclear" in uses else "yes"


def _decision(name: str, catalog: Catalog) -> DecisionDefaults | None:
    entry = catalog.get(name)
    return None if entry is None else entry.decision
