"""Results by group: how often people are recognised, how often they get somebody else's name, and whose.

Groups are what a file says of people; none is guessed from a face. A group's FPIR is measured on its people left out of
the gallery in turn, and on strangers whom the file lists. Rates have intervals by person, since pictures of one person
err together. Who is taken for whom is counted over pairs of people, as in the demographic part of NIST's Face
Recognition Technology Evaluation (Grother, Ngan and Hanaoka, NISTIR 8280, 2019).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knownface.decision import NOBODY
from knownface.errors import InputError
from knownface.evaluation.embeddings import FoundFaces
from knownface.evaluation.faces import Searches, search_without_own_person
from knownface.evaluation.intervals import Interval, rate_interval
from knownface.evaluation.openset import THRESHOLDS, open_set
from knownface.evaluation.protocol import STRANGER, Evaluation
from knownface.gallery import name_key
from knownface.tables import read_csv
from knownface.types import Ids

Mask = npt.NDArray[np.bool_]
Attributes = Mapping[str, Mapping[str, str]]
"""By attribute, the group of each person; people by the key of their name."""

_MOST_VALUES = 8
"""Different numbers beyond which an attribute such as the age is cut into thirds."""
_UNTOLD = frozenset({"", "na", "n/a", "nan", "-", "?"})
_NEIGHBOURS = 50
_HINT = "Give a line a person: the name of the folder, then any attributes, with a first line that names the columns."


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of searches.

    Attributes:
        value: The share.
        interval: At 95 % confidence, by person.
        people: Searched.
        searches: Of theirs.
    """

    value: float
    interval: Interval
    people: int
    searches: int


@dataclass(frozen=True, slots=True)
class GroupResult:
    """One group.

    Attributes:
        group: As the file has it.
        tpir: Known people named rightly; None where nobody of the group was to be named.
        fpir: People who should be Unknown and got a name; None where there was nobody.
        missed: Pictures of known people in which no face was found.
    """

    group: str
    tpir: Rate | None
    fpir: Rate | None
    missed: int


@dataclass(frozen=True, slots=True, eq=False)
class AttributeResult:
    """All groups of one attribute.

    Attributes:
        attribute: Name of the column.
        groups: In the order of their names.
        pairs: Int64, shape (g, g): pairs of a person of one group and another person of one.
        mistaken: Int64, shape (g, g): such pairs where a picture of the first lies within the threshold of the second.
        untold: Enrolled people of whom the file does not tell the group.
    """

    attribute: str
    groups: tuple[GroupResult, ...]
    pairs: Ids
    mistaken: Ids
    untold: int


@dataclass(frozen=True, slots=True, eq=False)
class GroupResults:
    """All attributes, at one threshold for everybody.

    Attributes:
        threshold: The largest at which at most ``fpir`` of strangers, and of enrolled people left out in turn, get a
            name.
        fpir: The share wanted.
        attributes: In the order of the file's columns.
    """

    threshold: float
    fpir: float
    attributes: tuple[AttributeResult, ...]


def read_groups(path: Path) -> Attributes:
    """Read a CSV: a column ``person`` or ``name``, else the first, and attributes. Empty cells and NA tell nothing.

    Raises:
        UnreadableError: It is missing, or not UTF-8.
        InputError: It has no attribute, or a person twice.
    """
    columns, lines = read_csv(path, _HINT)
    if len(columns) < 2:
        raise InputError(f"{path} has no attribute.", _HINT)
    who = next((columns.index(name) for name in ("person", "name") if name in columns), 0)
    groups: dict[str, dict[str, str]] = {name: {} for i, name in enumerate(columns) if i != who}
    seen: set[str] = set()
    for number, cells in lines:
        key = name_key(cells[who]) if who < len(cells) else ""
        if not key or key in seen:
            raise InputError(f"{path}, line {number}: {'a person twice' if key else 'no person'}.", _HINT)
        seen.add(key)
        for name, cell in zip(columns, cells, strict=False):
            if name in groups and cell.casefold() not in _UNTOLD:
                groups[name][key] = cell
    return {name: _in_thirds(values) for name, values in groups.items() if values}


def _in_thirds(values: Mapping[str, str]) -> Mapping[str, str]:
    """Many different numbers as three groups of about as many people; anything else as it is."""
    try:
        numbers = np.array([float(value) for value in values.values()])
    except ValueError:
        return values
    if len(np.unique(numbers)) <= _MOST_VALUES or not np.isfinite(numbers).all():
        return values
    which = np.searchsorted(np.quantile(numbers, [1 / 3, 2 / 3]), numbers)
    labels = {third: _span(numbers[which == third]) for third in np.unique(which).tolist()}
    return {person: labels[third] for person, third in zip(values, which.tolist(), strict=True)}


def _span(numbers: npt.NDArray[np.float64]) -> str:
    return f"{numbers.min():g} to {numbers.max():g}"


def by_group(evaluation: Evaluation, attributes: Attributes) -> GroupResults:
    """Measure every group; attributes that concern nobody here are left out.

    Args:
        evaluation: Of everybody.
        attributes: See :func:`read_groups`.
    """
    searches = evaluation.searches
    k = max(evaluation.rule.k2, _NEIGHBOURS)
    left_out = search_without_own_person(evaluation.sides.train.faces, k, scoring=searches.scoring)
    rule = replace(evaluation.rule, threshold=_largest_within(evaluation, left_out))
    named = [(left_out, left_out.answers(rule) != NOBODY)]
    if evaluation.strangers is not None:
        named.append((evaluation.strangers, evaluation.strangers.answers(rule) != NOBODY))
    right = searches.answers(rule) == searches.truth
    near = left_out.neighbours
    first, rank = np.nonzero(near.distances <= rule.threshold)
    mistaken = np.unique(np.stack([left_out.people[first], near.people[first, rank]], axis=1), axis=0)
    results = []
    for attribute, told in attributes.items():
        labels = [told.get(name_key(name.removeprefix(STRANGER))) for name in left_out.labels]
        names = sorted({told_of for found, _ in [(searches, right), *named] for told_of in _groups(found, told)})
        if not names:
            continue
        groups = tuple(_result(name, told, (searches, right), named, evaluation.sides.val) for name in names)
        code = np.array([names.index(label) if label is not None else NOBODY for label in labels])[: left_out.enrolled]
        results.append(AttributeResult(attribute, groups, *_across(code, mistaken, len(names)), int((code < 0).sum())))
    return GroupResults(rule.threshold, evaluation.fpir, tuple(results))


def _largest_within(evaluation: Evaluation, left_out: Searches) -> float:
    """The largest threshold at which the wanted share of strangers, and of people left out, gets a name."""
    rule = evaluation.rule
    kinds = [evaluation.open_set, open_set(left_out, k1=rule.k1, k2=rule.k2)]
    highest = np.max([counts.fpir for counts in kinds if counts is not None], axis=0)
    within = np.flatnonzero(np.maximum.accumulate(highest) <= evaluation.fpir)
    return float(THRESHOLDS[within[-1]]) if len(within) else rule.threshold


def _groups(searches: Searches, told: Mapping[str, str]) -> set[str]:
    keys = {name_key(searches.labels[code].removeprefix(STRANGER)) for code in np.unique(searches.people).tolist()}
    return {told[key] for key in keys if key in told}


def _result(
    group: str,
    told: Mapping[str, str],
    known: tuple[Searches, Mask],
    impostors: Sequence[tuple[Searches, Mask]],
    val: FoundFaces,
) -> GroupResult:
    missed = sum(miss.pictures for miss in val.misses if told.get(name_key(miss.person)) == group)
    counted = _counts(known[0], known[1], told, group)
    tpir = _rate({person: (searches - right, searches) for person, (right, searches) in counted.items()})
    if tpir is not None:
        low, high = 1.0 - tpir.interval.high, 1.0 - tpir.interval.low
        tpir = Rate(1.0 - tpir.value, Interval(low, high), tpir.people, tpir.searches)
    errors: dict[str, tuple[int, int]] = {}
    for searches, named in impostors:
        errors |= _counts(searches, named, told, group)
    return GroupResult(group, tpir, _rate(errors), missed)


def _counts(searches: Searches, marked: Mask, told: Mapping[str, str], group: str) -> dict[str, tuple[int, int]]:
    """By person of the group: marked searches, and all."""
    total = Counter(searches.people.tolist())
    hit = Counter(searches.people[marked].tolist())
    return {
        searches.labels[code]: (hit[code], count)
        for code, count in total.items()
        if told.get(name_key(searches.labels[code].removeprefix(STRANGER))) == group
    }


def _rate(errors: Mapping[str, tuple[int, int]]) -> Rate | None:
    if not errors:
        return None
    wrong, searches = np.array(list(errors.values()), dtype=np.float64).T
    return Rate(float(wrong.sum() / searches.sum()), rate_interval(wrong, searches), len(searches), int(searches.sum()))


def _across(groups: Ids, mistaken: Ids, count: int) -> tuple[Ids, Ids]:
    """Pairs of people by their groups, and those mistaken: both of shape (g, g)."""
    size = np.bincount(groups[groups >= 0], minlength=count)
    pairs = np.outer(size, size) - np.diag(size)
    one, other = groups[mistaken[:, 0]], groups[mistaken[:, 1]]
    told = (one >= 0) & (other >= 0)
    counts = np.bincount(one[told] * count + other[told], minlength=count * count)
    return pairs.astype(np.int64), counts.reshape(count, count).astype(np.int64)
