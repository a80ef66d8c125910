"""The report of ``knownface evaluate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knownface.evaluation.curves_page import confusion_figure, curves_section, parameter_figures
from knownface.evaluation.datasets import Dataset
from knownface.evaluation.displays import DetDisplay, OpenSetDisplay
from knownface.evaluation.examples import example_of, picture_of
from knownface.evaluation.groups import GroupResults
from knownface.evaluation.groups_page import groups_section
from knownface.evaluation.in_force import InForce
from knownface.evaluation.metrics import UNKNOWN, confused_pairs
from knownface.evaluation.page_parts import (
    SCORINGS,
    best_rows_table,
    dataset_facts,
    edge_notes,
    groups_table,
    headline,
    misses_table,
    notes_section,
    people_table,
    person_sentences,
    plateau_text,
    points_table,
    rule_text,
    summary_table,
    unknown_sentence,
    unrestricted_text,
)
from knownface.evaluation.protocol import Evaluation
from knownface.evaluation.quality_page import quality_section
from knownface.evaluation.report import Cell, FigureData, PictureData, Report, Section, TableData
from knownface.wording import plural

SHOWN_PAIRS = 20
PICTURED_PEOPLE = 120
"""People beyond whom only those with a mistake get example pictures, so that the page stays light."""


@dataclass(frozen=True, slots=True, eq=False)
class Dropped:
    """The evaluation without some of the people.

    Attributes:
        evaluation: Of the others.
        people: Who was dropped.
        bound: Whose F1 is under this was dropped; None where only names were given.
    """

    evaluation: Evaluation
    people: Sequence[str]
    bound: float | None


def evaluation_report(
    dataset: Dataset,
    evaluation: Evaluation,
    in_force: InForce,
    facts: Mapping[str, Cell],
    dropped: Dropped | None = None,
    groups: GroupResults | None = None,
) -> Report:
    """Everything on one page.

    Args:
        dataset: What was read.
        evaluation: What came of it.
        in_force: What a gallery of these people has by itself.
        facts: More facts for the top of the page: embedder, detector, command.
        dropped: The second number, which flatters.
        groups: Results by group.
    """
    table = evaluation.table
    notes = (*evaluation.sides.notes, *edge_notes(evaluation))
    sections = [
        *notes_section(notes),
        Section(
            "The result",
            f"{in_force.sentence}\n\n{unrestricted_text(evaluation)}",
            [summary_table(evaluation), best_rows_table(evaluation)],
        ),
        *_dropped_section(evaluation, dropped),
        _parameters(evaluation),
        Section(
            "People",
            "Precision: how many of those who got this name were this person. Recall: how many pictures of this "
            "person got the name. F1 lies between the two.",
            [groups_table(evaluation.report), people_table(evaluation.report)],
            [confusion_figure(evaluation)],
        ),
        _confused(evaluation),
        _gallery_of_people(evaluation),
        curves_section(evaluation),
        *_open_set(evaluation),
        *_details_without(dropped),
        *quality_section(evaluation),
        *([groups_section(groups)] if groups else []),
        *_unused(evaluation),
    ]
    best = table.row(evaluation.best)
    all_facts = {
        **dataset_facts(dataset, evaluation.sides),
        **facts,
        "Grid": f"{len(table):,} combinations, {table.rows['threshold'].min():.2f} ≤ threshold ≤ "
        f"{table.rows['threshold'].max():.2f}",
        "Scoring": SCORINGS[evaluation.rule.scoring],
        "Best row by": evaluation.criterion,
        "Best parameters": rule_text(evaluation.rule),
        "In force without a calibration": f"{rule_text(in_force.found.rule)} ({in_force.found.source})",
    }
    data = {
        "best": best,
        "in_force": in_force,
        "report": evaluation.report,
        "plateau": table.plateau(),
        "open_set": evaluation.points,
        "groups": groups,
    }
    if dropped is not None and dropped.people:
        second = dropped.evaluation
        data["without_problem_people"] = {
            "people": dropped.people,
            "bound": dropped.bound,
            "best": second.table.row(second.best),
            "report": second.report,
        }
    return Report("How well are these people recognised?", headline(evaluation), all_facts, sections, data)


def _dropped_section(evaluation: Evaluation, dropped: Dropped | None) -> list[Section]:
    if dropped is None:
        return []
    title = "Without some people"
    if not dropped.people:
        return [Section(title, f"Nobody has an F1 under {dropped.bound:.0%}, so nobody was dropped.")]
    who = plural(len(dropped.people), "person", "people")
    why = "chosen by name" if dropped.bound is None else f"an F1 under {dropped.bound:.0%}, or chosen by name"
    text = (
        f"Taken out: {who} ({why}). Everything was measured again. This second number flatters: whoever removes what "
        "fails until nothing fails has measured nothing. Quote the first one. The second shows only how much these "
        f"people's pictures cost: {', '.join(dropped.people)}. Its confusion matrix, pairs and plots are further down."
    )
    return [Section(title, text, [summary_table(evaluation, dropped.evaluation, "without them")])]


def _details_without(dropped: Dropped | None) -> list[Section]:
    """The second confusion matrix, pairs and plots."""
    if dropped is None or not dropped.people:
        return []
    fewer, end, suffix = dropped.evaluation, " without them", "-without"
    return [
        Section(
            "People" + end,
            f"With {rule_text(fewer.rule)}, their own best row.",
            [groups_table(fewer.report), people_table(fewer.report)],
            [confusion_figure(fewer, suffix), *parameter_figures(fewer, suffix)],
        ),
        _confused(fewer, end),
        curves_section(fewer, end, suffix),
    ]


def _parameters(evaluation: Evaluation) -> Section:
    table = evaluation.table
    text = (
        "k1 nearest pictures vote first, k2 if the first vote fails; nobody farther than the threshold is named. Every "
        f"combination is a row of grid_search_results.csv.\n\n{plateau_text(table)}\n\n"
        "These parameters were chosen on the very pictures that they are judged by, so expect a little less on new "
        "ones. To set the threshold for the false alarms you accept, use knownface calibrate."
    )
    return Section("Parameters", text, [], parameter_figures(evaluation))


def _confused(evaluation: Evaluation, end: str = "") -> Section:
    title = "Who gets mixed up" + end
    pairs = confused_pairs(evaluation.searches, evaluation.answers, limit=SHOWN_PAIRS, examples=1)
    if not pairs:
        return Section(title, "Nobody: every picture was named rightly.")
    sides = evaluation.sides
    rows: list[list[Cell]] = []
    for pair in pairs:
        mistake = pair.examples[0]
        probe = picture_of(sides.val.places[mistake.probe], f"{pair.person} (val)")
        train = None
        if mistake.template is not None:
            shown = pair.person if pair.taken_for == UNKNOWN else pair.taken_for
            train = picture_of(sides.train.places[mistake.template], f"{shown} (train)")
        file = sides.val.places[mistake.probe].path
        rows.append(
            [pair.person, pair.taken_for, pair.count, probe, train, mistake.distance, f"{file.parent.name}/{file.name}"]
        )
    text = (
        "Look at the two pictures of each row: a wrong label or a face in the background is the data's mistake, two "
        "people who look alike are ours. Where the answer was Unknown, the train picture is the person's own nearest."
    )
    columns = ["was", "answered", "times", "picture (val)", "nearest picture (train)", "distance", "file"]
    return Section(title, text, [TableData(columns, rows, "The pairs confused most.", {"distance": ".3f"})])


def _gallery_of_people(evaluation: Evaluation) -> Section:
    sides, scores = evaluation.sides, evaluation.report.people
    rows: list[list[Cell]] = []
    for score, sentence in zip(scores, person_sentences(evaluation), strict=True):
        pictured = len(scores) <= PICTURED_PEOPLE or score.fn or score.fp
        train = example_of(sides.train, score.person, f"{score.person} (train)") if pictured else None
        val = example_of(sides.val, score.person, f"{score.person} (val)") if pictured else None
        rows.append([score.person, train, val, sentence])
    rows.append([UNKNOWN, None, _a_stranger(evaluation), unknown_sentence(evaluation)])
    caption = "Everybody, with the most typical picture of each side."
    return Section("Person by person", "", [TableData(["person", "enrolled", "named", "how it went"], rows, caption)])


def _a_stranger(evaluation: Evaluation) -> PictureData | None:
    strangers = evaluation.sides.strangers
    return picture_of(strangers.places[0], "a stranger") if strangers is not None else None


def _open_set(evaluation: Evaluation) -> list[Section]:
    counts = evaluation.open_set
    if counts is None or evaluation.sides.strangers is None:
        text = "No strangers were given (--strangers DIR), so how often strangers get a name is not known."
        return [Section("Strangers", text)]
    sides = evaluation.sides
    text = (
        "FPIR is the share of searches by strangers that end with a name, TPIR the share of searches by known people "
        "that end with the right one. "
        f"Faces that were not found are in neither: {counts.undetected_mated} pictures of known people and "
        f"{counts.undetected_strangers} of strangers. Whoever was not seen was not refused."
    )
    figures = [
        FigureData("open_set", "Both errors over the threshold.", OpenSetDisplay(counts, evaluation.rule.threshold)),
        FigureData("det", "DET: one error against the other.", DetDisplay(counts)),
    ]
    title = f"Strangers: {len(set(sides.strangers.faces.people.tolist())):,} people"  # type: ignore[union-attr]
    return [Section(title, text, [points_table(evaluation.points)], figures)]


def _unused(evaluation: Evaluation) -> list[Section]:
    sides = evaluation.sides
    table = misses_table([sides.train, sides.val, sides.strangers])
    return [Section("Pictures that were not used", "", [table])] if table is not None else []
