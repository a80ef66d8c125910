"""What a report says about quality and mistakes."""

from __future__ import annotations

from knownface.evaluation.displays.quality import ErrorRejectDisplay
from knownface.evaluation.protocol import Evaluation
from knownface.evaluation.quality_errors import check_limits, reject_curves
from knownface.evaluation.report import Cell, FigureData, Section, TableData
from knownface.wording import plural

_SHARES = (0.0, 0.05, 0.1, 0.2)
_FEW = 10
_TEXT = (
    "If the poorest pictures had been refused by a measurement, would fewer of the rest be missed (called Unknown, or "
    "by somebody else's name)? A measurement whose line falls foretells mistakes; one whose line stays level, or "
    "rises, does not, and a limit on it only loses pictures."
)


def quality_section(evaluation: Evaluation) -> list[Section]:
    """The error-versus-reject curve of the probes, and what the limits of enrolment would have refused.

    Nothing where the quality of the probes is not known.
    """
    qualities = [place.quality for place in evaluation.sides.val.places if place.quality is not None]
    missed = evaluation.answers != evaluation.searches.truth
    if len(qualities) != len(missed):
        return []
    curves = reject_curves(qualities, missed)
    columns = ["refused by", *(f"missed, {share:.0%} refused" for share in _SHARES)]
    rows: list[list[Cell]] = [[curve.measurement, *(curve.at(share) for share in _SHARES)] for curve in curves]
    text = _TEXT
    if missed.sum() < _FEW:
        text += f" Here {plural(int(missed.sum()), 'picture')} of {len(missed):,} were missed: too few to say much."
    tables = [TableData(columns, rows, "Share missed among the pictures left.", dict.fromkeys(columns[1:], ".2%"))]
    checks = check_limits(qualities, missed)
    if checks:
        limits: list[list[Cell]] = [[one.code, one.pictures, one.missed, one.missed / one.pictures] for one in checks]
        caption = (
            "Pictures that enrolment would refuse, and how many of those are missed; of all pictures "
            f"{missed.mean():.1%} are."
        )
        tables.append(TableData(["limit", "pictures", "missed", "share"], limits, caption, {"share": ".1%"}))
    figures = [FigureData("error_reject", "Error versus reject.", ErrorRejectDisplay(curves))]
    return [Section("Quality and mistakes", text, tables, figures)]
