"""``knownface evaluate`` from the folder to the report."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from knownface.errors import InputError, MissingExtraError, SettingsError
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import Dataset, Sample, SplitOptions, read_dataset, read_strangers
from knownface.evaluation.evaluate_page import Dropped, evaluation_report
from knownface.evaluation.grid import COLUMNS, DEFAULT_GRID, Grid
from knownface.evaluation.groups import by_group, read_groups
from knownface.evaluation.groups_page import group_sentences
from knownface.evaluation.in_force import measure_in_force
from knownface.evaluation.page_parts import headline
from knownface.evaluation.protocol import (
    DEFAULT_FPIR,
    Evaluation,
    Sides,
    Tick,
    embed_dataset,
    evaluate,
    no_tick,
    with_dropped,
)
from knownface.evaluation.report import Cell, write_report
from knownface.files import unwritable

GRID_FILE = "grid_search_results.csv"
CRITERIA = tuple(name for name in COLUMNS if name not in {"k1", "k2", "threshold"})
"""Columns of the grid table by which a best row can be chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class EvaluateOptions:
    """What is evaluated, and how.

    Attributes:
        split: How people are taken and their files split.
        strangers: Folder of people who are not enrolled, or None.
        grid: Parameters to try.
        criterion: A column of the grid table.
        fpir: The share of strangers that may get a name by the best row, where there are strangers.
        drop_under: Repeat without people whose F1 is under this; None does not.
        drop: Repeat without these people.
        groups: A CSV file with what groups people belong to, or None.

    Raises:
        SettingsError: The criterion is no column that measures something.
    """

    split: SplitOptions = field(default_factory=SplitOptions)
    strangers: Path | None = None
    grid: Grid = DEFAULT_GRID
    criterion: str = "accuracy"
    fpir: float = DEFAULT_FPIR
    drop_under: float | None = None
    drop: tuple[str, ...] = ()
    groups: Path | None = None

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise SettingsError(f"{self.criterion!r} cannot tell which row is best.", f"Choose {', '.join(CRITERIA)}.")


def prepare_report(folder: Path) -> None:
    """Make the folder of a report, and see before the work begins that the report can be written.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
        OutputError: The folder cannot be made, or is a file.
    """
    missing = [name for name in ("matplotlib", "jinja2") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Reports need {' and '.join(missing)}, which is not installed.",
            "evaluation",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def embed_folder(bench: Bench, root: Path, options: EvaluateOptions, tick: Tick = no_tick) -> tuple[Dataset, Sides]:
    """Read and embed a data set and its strangers.

    Returns:
        The data set, and its faces with all remarks.
    """
    dataset = read_dataset(root, options.split)
    nobody = [name for name in options.drop if name not in {person.name for person in dataset.people}]
    if nobody:
        raise InputError(f"Nobody in {root} is {nobody[0]!r}.", "Name folders of people to be dropped.")
    samples: tuple[Sample, ...] = ()
    notes: tuple[str, ...] = ()
    if options.strangers is not None:
        samples, notes = read_strangers(options.strangers, [person.name for person in dataset.people])
    sides = embed_dataset(dataset, samples, bench.reader, tick)
    return dataset, replace(sides, notes=(*dataset.notes, *notes, *sides.notes))


def run_evaluation(
    bench: Bench,
    root: Path,
    out: Path,
    options: EvaluateOptions,
    facts: Mapping[str, Cell],
    tick: Tick = no_tick,
) -> tuple[Evaluation, str]:
    """Evaluate a data set and write the report, the grid table and the plots.

    Args:
        bench: Detector and embedder.
        root: The data set.
        out: Folder of the report.
        options: How.
        facts: More facts for the page, such as the command.
        tick: Called with how far it is.

    Returns:
        The evaluation, and the headline.

    Raises:
        InputError, NoFaceError: The data set, or the file of groups, does not allow it; the sentence says why.
        SettingsError: The criterion is about strangers, and there are none.
        OutputError: The report cannot be written.
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    attributes = read_groups(options.groups) if options.groups is not None else None
    prepare_report(out)
    dataset, sides = embed_folder(bench, root, options, tick)
    steps = 3
    tick("Searching the grid", 0, steps)
    evaluation = evaluate(sides, options.grid, options.criterion, options.fpir, bench.settings.scoring)
    evaluation.table.write_csv(out / GRID_FILE)
    tick("Searching the grid", 1, steps)
    dropped = None
    if options.drop_under is not None or options.drop:
        fewer, people = with_dropped(evaluation, options.drop_under, options.grid, options.drop)
        dropped = Dropped(fewer, people, options.drop_under)
    groups = by_group(evaluation, attributes) if attributes is not None else None
    tick("Writing the report", 2, steps)
    in_force = measure_in_force(sides, bench.embedder.contract, bench.settings)
    write_report(evaluation_report(dataset, evaluation, in_force, {**bench.facts(), **facts}, dropped, groups), out)
    tick("Writing the report", 3, steps)
    sentences = group_sentences(groups) if groups is not None else []
    return evaluation, "\n".join([headline(evaluation), in_force.sentence, *sentences])
