"""The report of a liveness check."""

from __future__ import annotations

from collections.abc import Mapping

from knownface.evaluation.attacks import REAL, AttackReport, ErrorRate, Presentations
from knownface.evaluation.displays.liveness import LivenessDisplay
from knownface.evaluation.report import Cell, FigureData, Report, Section, TableData
from knownface.wording import plural

_LIMITS = (
    "These rates hold for attacks of these kinds, in this light, before this camera. A check that looks at single "
    "pictures stops many prints and screens; it is not made for masks, and says nothing of a stream that is fed into "
    "the camera's place."
)


def attack_headline(found: AttackReport) -> str:
    """The result in two sentences."""
    worst = found.apcer[found.worst]
    return (
        f"At threshold {found.threshold:.3f} {found.bpcer.rate:.1%} of {plural(found.bpcer.count, 'living face')} are "
        f"refused (BPCER), and of the worst kind of attack, {found.worst}, {worst.rate:.1%} of {worst.count} pass "
        f"(APCER). The equal error rate is {found.eer:.1%}, at threshold {found.eer_threshold:.3f}."
    )


def rates_table(found: AttackReport, missed: Mapping[str, int]) -> TableData:
    """Every kind with its rate and interval."""

    def row(kind: str, what: str, rate: ErrorRate) -> list[Cell]:
        low, high = rate.interval.low, rate.interval.high
        return [kind, what, rate.count, rate.errors, rate.rate, low, high, missed.get(kind, 0)]

    rows = [row(REAL, "refused (BPCER)", found.bpcer)]
    rows += [row(kind, "passed (APCER)", rate) for kind, rate in found.apcer.items()]
    columns = ["presentation", "error", "pictures", "errors", "rate", "from", "to", "without a face"]
    return TableData(
        columns,
        rows,
        "Intervals hold with 95 % confidence (Clopper and Pearson), pictures taken as independent.",
        dict.fromkeys(columns[4:7], ".1%"),
    )


def attack_report(shown: Presentations, found: AttackReport, facts: Mapping[str, Cell]) -> Report:
    """The page."""
    figure = FigureData(
        "liveness",
        "The share refused of each kind at each threshold.",
        LivenessDisplay(shown.real, shown.attacks, found.threshold),
    )
    return Report(
        "Living faces and attacks",
        attack_headline(found),
        facts,
        [Section("Error rates", _LIMITS, [rates_table(found, shown.missed)], [figure])],
    )
