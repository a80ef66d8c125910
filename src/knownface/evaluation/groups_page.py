"""What a report says about groups of people."""

from __future__ import annotations

import numpy as np

from knownface.evaluation.displays.groups import GroupsDisplay
from knownface.evaluation.groups import AttributeResult, GroupResult, GroupResults, Rate
from knownface.evaluation.report import Cell, FigureData, Section, TableData
from knownface.wording import plural

_FEWEST = 5
"""People of whom a group must have so many to be compared in a sentence."""
_TEXT = (
    "Groups are what the file says of people; none was guessed from a face. TPIR: pictures of known people that got "
    "the right name. FPIR: the same people left out of the gallery in turn (and strangers whom the file lists) who got "
    "somebody else's name. All at one threshold, {threshold:.3f}, the largest at which at most {fpir:.1%} of the "
    "strangers, and of all people left out, get a name. Intervals are at 95 % and by person; where two of them "
    "overlap, the difference may be chance. The sentences leave groups of fewer than {fewest} people out."
)
_FOR_DECIDERS = (
    "For those who decide about use: a group that is recognised less often is turned away or asked again more often, "
    "and a group that gets others' names more often is suspected more often for what somebody else did. Neither shows "
    "in the overall rate. Decide whether the worst group's figures are acceptable for everybody, not the mean; "
    "calibrate on strangers like those who will come; enrol more pictures of whoever is missed; and let no name alone "
    "decide what happens to a person."
)


def groups_section(results: GroupResults) -> Section:
    """Tables and a plot for each attribute."""
    tables, figures = [], []
    text = _TEXT.format(threshold=results.threshold, fpir=results.fpir, fewest=_FEWEST)
    for number, result in enumerate(results.attributes):
        tables += [_rates(result), _across(result)]
        display = GroupsDisplay(result.groups, result.attribute)
        figures.append(FigureData(f"groups-{number + 1}", f"Rates by {result.attribute}.", display))
    return Section("Groups of people", "\n\n".join([text, *group_sentences(results), _FOR_DECIDERS]), tables, figures)


def group_sentences(results: GroupResults) -> list[str]:
    """A sentence an attribute: the worst pair of groups by each rate, and who is taken for whom most easily."""
    return [_sentence(result) for result in results.attributes]


def _sentence(result: AttributeResult) -> str:
    found = []
    known = [(group, group.tpir) for group in result.groups if group.tpir and group.tpir.people >= _FEWEST]
    if len(known) > 1:
        least, most = min(known, key=_value), max(known, key=_value)
        found.append(_compared("are recognised", least, most, "least often", "most often"))
    others = [(group, group.fpir) for group in result.groups if group.fpir and group.fpir.people >= _FEWEST]
    if len(others) > 1:
        most, least = max(others, key=_value), min(others, key=_value)
        found.append(_compared("get somebody else's name", most, least, "most often", "least often"))
    return f"By {result.attribute}: {' '.join([*found, _most_mistaken(result)])}"


def _value(item: tuple[GroupResult, Rate]) -> float:
    return item[1].value


def _compared(
    what: str, one: tuple[GroupResult, Rate], other: tuple[GroupResult, Rate], how: str, opposite: str
) -> str:
    if one[1].value == other[1].value:
        return f"All groups {what} equally often ({one[1].value:.1%})."
    apart = one[1].interval.high < other[1].interval.low or other[1].interval.high < one[1].interval.low
    doubt = "chance alone does not explain that" if apart else "with so few people that may be chance"
    return f"{_told(*one)} {what} {how}, {_told(*other)} {opposite}: {doubt}."


def _told(group: GroupResult, rate: Rate) -> str:
    return f"“{group.group}” ({rate.value:.1%}, {plural(rate.people, 'person', 'people')})"


def _most_mistaken(result: AttributeResult) -> str:
    if not result.mistaken.any():
        return "Nobody lies within the threshold of anybody else."
    enough = result.pairs >= _FEWEST * (_FEWEST - 1)
    shares = np.where(enough, result.mistaken / np.maximum(result.pairs, 1), 0.0)
    one, other = np.unravel_index(int(shares.argmax()), shares.shape)
    names = [group.group for group in result.groups]
    inside, all_inside = int(result.mistaken.trace()), int(result.mistaken.sum())
    return (
        f"Most easily taken for another are “{names[one]}” for “{names[other]}”: "
        f"{result.mistaken[one, other]} of {result.pairs[one, other]:,} pairs of people ({shares[one, other]:.2%}, "
        f"against {result.mistaken.sum() / max(1, result.pairs.sum()):.2%} of all pairs); "
        f"{inside} of {plural(all_inside, 'such pair')} lie within one group."
    )


def _rates(result: AttributeResult) -> TableData:
    rows: list[list[Cell]] = [
        [group.group, *_cells(group.tpir), *_cells(group.fpir), group.missed] for group in result.groups
    ]
    columns = [
        "group",
        "known people",
        "TPIR",
        "95 % interval",
        "left out",
        "FPIR",
        "interval of FPIR",
        "no face found",
    ]
    untold = (
        ""
        if not result.untold
        else f" Of {plural(result.untold, 'enrolled person', 'enrolled people')} it does not tell."
    )
    formats = {"TPIR": ".1%", "FPIR": ".2%"}
    return TableData(columns, rows, f"By {result.attribute}, as the file tells.{untold}", formats)


def _cells(rate: Rate | None) -> list[Cell]:
    if rate is None:
        return [0, None, None]
    return [rate.people, rate.value, f"{rate.interval.low:.1%} to {rate.interval.high:.1%}"]


def _across(result: AttributeResult) -> TableData:
    names = [group.group for group in result.groups]
    rows: list[list[Cell]] = []
    for name, mistaken, pairs in zip(names, result.mistaken.tolist(), result.pairs.tolist(), strict=True):
        cells = [f"{m} of {p:,} ({m / p:.2%})" if p else None for m, p in zip(mistaken, pairs, strict=True)]
        rows.append([name, *cells])
    caption = (
        "Who is taken for whom: pairs of people, those with a picture of the first within the threshold of the second."
    )
    return TableData([f"{result.attribute}: was", *(f"for {name}" for name in names)], rows, caption)
