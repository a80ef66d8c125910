"""Parts of reports that several experiments share: tables and sentences made from an evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from knownface.decision import NOBODY
from knownface.evaluation.datasets import Dataset
from knownface.evaluation.embeddings import FoundFaces
from knownface.evaluation.grid import GridTable
from knownface.evaluation.metrics import (
    UNKNOWN,
    ClassificationReport,
    Metric,
    Score,
    confused_pairs,
    performance_groups,
)
from knownface.evaluation.openset import OperatingPoint
from knownface.evaluation.protocol import STRANGER, Evaluation, Sides
from knownface.evaluation.report import Cell, Section, TableData
from knownface.scorings import Scoring
from knownface.types import DecisionRule
from knownface.wording import plural

_MOST_MISSES = 200
_METRICS: tuple[Metric, ...] = ("precision", "recall", "f1")


SCORINGS: Mapping[Scoring, str] = {
    "nearest": "nearest: each person's templates",
    "nearest+mean": "nearest+mean: each person's templates and their mean",
}
"""What each scoring measures distances to, in a few words."""


def rule_text(rule: DecisionRule) -> str:
    """The parameters in a few words."""
    return f"k1 = {rule.k1}, k2 = {rule.k2}, threshold = {rule.threshold:.2f}"


def dataset_facts(dataset: Dataset, sides: Sides) -> dict[str, str | int]:
    """What was measured on."""
    options = dataset.options
    files = sum(len(person.files) for person in dataset.people)
    share = f"{options.train_share:.0%} of the pictures enrolled"
    if options.per_person is not None:
        share = f"{options.per_person} pictures a person enrolled"
    facts: dict[str, str | int] = {
        "Data set": str(dataset.root),
        "People": len(dataset.people),
        "Files": files,
        "Split": f"{'frames of every video, ' if options.by_frames else ''}{share} where there is no train folder",
        "Seed": options.seed,
        "Faces enrolled (train)": len(sides.train),
        "Faces named (val)": len(sides.val),
    }
    if sides.strangers is not None:
        facts["Faces of strangers"] = len(sides.strangers)
    return facts


def notes_section(notes: Sequence[str]) -> list[Section]:
    """What must be known before the numbers are read; nothing without notes."""
    return [Section("Read this first", "\n\n".join(notes))] if notes else []


def counts_of(evaluation: Evaluation) -> tuple[int, int, int]:
    """Right answers, other people's names, and Unknown."""
    answers, truth = evaluation.answers, evaluation.searches.truth
    right = int((answers == truth).sum())
    unknown = int((answers == NOBODY).sum())
    return right, len(answers) - right - unknown, unknown


def headline(evaluation: Evaluation) -> str:
    """The result for somebody who reads nothing else."""
    right, wrong, unknown = counts_of(evaluation)
    total = len(evaluation.searches)
    text = (
        f"{right:,} of {plural(total, 'picture')} of {plural(len(evaluation.enrolled), 'person', 'people')} were named "
        f"rightly ({right / total:.1%}); {wrong} got somebody else's name and {unknown} were called Unknown, with "
        f"{rule_text(evaluation.rule)}."
    )
    if evaluation.strangers is not None:
        named = int((evaluation.strangers.answers(evaluation.rule) != NOBODY).sum())
        strangers = len(evaluation.strangers)
        text += (
            f" Of {plural(strangers, 'picture')} of strangers {named} got a name ({named / strangers:.1%}); "
            f"at most {evaluation.fpir:.1%} may."
        )
    else:
        text += " No strangers were tried, so nothing is known about false alarms."
    return text


def summary_rows(evaluation: Evaluation) -> list[tuple[str, float]]:
    """The best row in words and numbers."""
    row, report = evaluation.table.row(evaluation.best), evaluation.report
    rows = [
        ("Accuracy (Unknown counts as a wrong answer)", row["accuracy"]),
        ("Macro F1: every person counts the same", report.macro.f1),
        ("Macro precision", report.macro.precision),
        ("Macro recall", report.macro.recall),
        ("Micro precision = micro recall", row["precision"]),
        ("Precision of names given (Unknown seen as a refusal)", row["answered_precision"]),
        ("F1 of names given", row["answered_f1"]),
        ("Unknown among pictures of enrolled people", row["unknown_rate"]),
    ]
    if evaluation.strangers is not None:
        rows.append(("Strangers who got a name", row["strangers_named_rate"]))
    return rows


def summary_table(evaluation: Evaluation, other: Evaluation | None = None, name: str = "") -> TableData:
    """The best row; with another evaluation beside it."""
    first = summary_rows(evaluation)
    if other is None:
        return TableData(["measure", "value"], first, f"The best row by {evaluation.criterion}.", {"value": ".2%"})
    second = dict(summary_rows(other))
    return TableData(
        ["measure", "everybody", name],
        [(label, value, second.get(label)) for label, value in first],
        "Both, each with its own best parameters.",
        {"everybody": ".2%", name: ".2%"},
    )


def unrestricted_text(evaluation: Evaluation) -> str:
    """What could be had if strangers did not count: a footnote, since nobody may quote it alone; empty without any."""
    if evaluation.strangers is None:
        return ""
    table, wanted = evaluation.table, evaluation.fpir
    row, free = table.row(evaluation.best), table.row(table.best_row(evaluation.criterion))
    if row["strangers_named_rate"] > wanted:
        text = (
            f"No row of the grid names at most {wanted:.1%} of the strangers. The one taken names the fewest, "
            f"{row['strangers_named_rate']:.1%}: try smaller thresholds (--thresholds LOW HIGH STEP), or ask for less "
            "(--fpir)."
        )
    else:
        text = f"The best row among those that name at most {wanted:.1%} of the strangers (--fpir)."
    if free["threshold"] == row["threshold"]:
        return f"{text} It is the best of all rows too."
    return (
        f"{text} Footnote: a threshold of {free['threshold']:.2f} names {free['accuracy']:.1%} of the known faces "
        f"rightly, and {free['strangers_named_rate']:.1%} of the strangers get a name as well. That is no result to "
        "be quoted."
    )


def best_rows_table(evaluation: Evaluation) -> TableData:
    """The best row by each of the usual criteria, strangers within the wanted share; last, whatever strangers get."""
    table = evaluation.table
    criteria = ("accuracy", "macro_f1", "answered_precision", "answered_f1")
    best = [(criterion, table.best_row(criterion, evaluation.fpir)) for criterion in criteria]
    if evaluation.strangers is not None:
        best.append(("accuracy, whatever strangers get", table.best_row("accuracy")))
    rows: list[list[Cell]] = []
    for what, index in best:
        row = table.row(index)
        values = [row[name] for name in ("accuracy", "macro_f1", "answered_precision", "unknown_rate")]
        rows.append([what, int(row["k1"]), int(row["k2"]), row["threshold"], *values, row["strangers_named_rate"]])
    columns = [
        "best by",
        "k1",
        "k2",
        "threshold",
        "accuracy",
        "macro F1",
        "names right",
        "Unknown",
        "strangers named",
    ]
    shares = dict.fromkeys(columns[4:], ".2%")
    return TableData(columns, rows, "Ties go to the smaller threshold.", {"threshold": ".2f", **shares})


def plateau_text(table: GridTable) -> str:
    """From where on the threshold does not matter."""
    start, last = table.plateau(), float(table.rows["threshold"].max())
    if start is None:
        return (
            f"The threshold still matters at the end of the grid ({last:.2f}) for at least one pair of k1 and k2: "
            "there is no plateau yet."
        )
    return (
        f"From a threshold of {start:.2f} on nothing changes any more, whatever k1 and k2 are (the plateau): everybody "
        "who will get a name has one. A threshold there refuses nobody, strangers included."
    )


def edge_notes(evaluation: Evaluation) -> list[str]:
    """A remark where the best threshold lies at the lower end of the grid, so that a stricter one was not tried."""
    lowest = float(evaluation.table.rows["threshold"].min())
    if evaluation.rule.threshold > lowest:
        return []
    return [
        f"The best threshold is the smallest that was tried ({lowest:.2f}). This embedder's distances may be smaller "
        "than others': try smaller ones with --thresholds LOW HIGH STEP."
    ]


def people_table(report: ClassificationReport) -> TableData:
    """The classification report."""
    scores = (*report.people, *([report.unknown] if report.unknown.support or report.unknown.fp else []))
    rows: list[list[Cell]] = [[s.person, s.precision, s.recall, s.f1, s.support, s.tp, s.fp, s.fn] for s in scores]
    columns = ["person", "precision", "recall", "F1", "support", "tp", "fp", "fn"]
    return TableData(
        columns, rows, "One row a person; support is the number of pictures named.", dict.fromkeys(columns[1:4], ".1%")
    )


def groups_table(report: ClassificationReport) -> TableData:
    """The paper's three groups."""
    rows: list[list[Cell]] = []
    for metric in _METRICS:
        groups = performance_groups(report, metric)
        rows.append(
            [metric if metric != "f1" else "F1", *(_group(g) for g in (groups.low, groups.middle, groups.high))]
        )
    return TableData(
        ["by", "0-49 %", "50-74 %", "75-100 %"],
        rows,
        "People in three groups, as the paper sorts them.",
    )


def _group(people: Sequence[str]) -> str:
    return f"{len(people)}: {', '.join(people)}" if people else "0"


def person_sentences(evaluation: Evaluation) -> list[str]:
    """How it went for each person, in the order of the classification report."""
    mixed_up: dict[str, list[str]] = {}
    for pair in confused_pairs(evaluation.searches, evaluation.answers, examples=0):
        how = "called Unknown" if pair.taken_for == UNKNOWN else f"taken for {pair.taken_for}"
        mixed_up.setdefault(pair.person, []).append(f"{pair.count} {how}")
    return [_sentence(score, mixed_up.get(score.person, [])) for score in evaluation.report.people]


def _sentence(score: Score, mixed_up: Sequence[str]) -> str:
    called = f" {_called(score.fp)}" if score.fp else ""
    if not score.support:
        return f"No picture was left to be named.{called}"
    if score.fn:
        return f"{score.tp} of {score.support} right; {', '.join(mixed_up)}.{called}"
    if score.support == 1:
        return f"The only picture was named rightly.{called}"
    return f"All {score.support} pictures were named rightly.{called}"


def _called(count: int) -> str:
    return f"{plural(count, 'picture')} of others got this name."


def unknown_sentence(evaluation: Evaluation) -> str:
    """What Unknown was answered to, and what strangers got instead."""
    report = evaluation.report
    were = "was" if report.unknown.fp == 1 else "were"
    text = f"{plural(report.unknown.fp, 'picture')} of enrolled people {were} called Unknown."
    if evaluation.strangers is None:
        return text + " No strangers were tried."
    answers = evaluation.strangers.answers(evaluation.rule)
    named = answers[answers != NOBODY]
    text += (
        f" Of {plural(len(answers), 'picture')} of strangers {len(answers) - len(named)} were rightly called Unknown"
    )
    if not len(named):
        return text + "."
    most = ", ".join(f"{evaluation.enrolled[code]} ({n})" for code, n in Counter(named.tolist()).most_common(5))
    return f"{text} and {len(named)} got a name: {most}."


def points_table(points: Sequence[OperatingPoint], what: str = "") -> TableData:
    """TPIR at given FPIR."""
    rows: list[list[Cell]] = [
        [
            p.wanted_fpir,
            p.threshold,
            p.fpir,
            f"{p.fpir_interval.low:.2%} to {p.fpir_interval.high:.2%}",
            p.tpir if p.threshold is not None else None,
            f"{p.tpir_interval.low:.2%} to {p.tpir_interval.high:.2%}",
            p.strangers,
            "yes" if p.strangers >= p.strangers_needed else f"no: needs {plural(p.strangers_needed, 'stranger')}",
        ]
        for p in points
    ]
    columns = ["FPIR wanted", "threshold", "FPIR seen", "95 % interval", "TPIR", "95 % interval of TPIR", "strangers"]
    formats = {"FPIR wanted": ".1%", "threshold": ".3f", "FPIR seen": ".2%", "TPIR": ".2%"}
    caption = (
        f"{what}{': how' if what else 'How'} many known people are found when so many strangers may get a name. "
        "Intervals by bootstrap over people; where no error was seen, by the rule of three. The last column shows "
        "whether so many strangers can show such a rate at all."
    )
    return TableData([*columns, "shown"], rows, caption, formats)


def misses_table(found: Sequence[FoundFaces | None]) -> TableData | None:
    """Files without a face; None without any."""
    misses = [miss for one in found if one is not None for miss in one.misses]
    if not misses:
        return None
    rows: list[list[Cell]] = [
        [str(m.path), m.person.removeprefix(STRANGER), m.pictures, m.reason] for m in misses[:_MOST_MISSES]
    ]
    more = f" The first {_MOST_MISSES} of {len(misses)} files." if len(misses) > _MOST_MISSES else ""
    return TableData(["file", "person", "pictures", "why"], rows, f"Pictures that were not used.{more}")
