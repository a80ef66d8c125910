"""``knownface evaluate`` from the folder to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knownface.errors import OutputError, SettingsError
from knownface.evaluation.bench import Bench
from knownface.evaluation.datasets import Dataset, Sample, SplitOptions, read_dataset, read_strangers
from knownface.evaluation.evaluate_page import Dropped, evaluation_report
from knownface.evaluation.grid import COLUMNS, DEFAULT_GRID, Grid
from knownface.evaluation.page_parts import headline
from knownface.evaluation.protocol import Evaluation, Sides, Tick, embed_dataset, evaluate, no_tick, with_dropped
from knownface.evaluation.report import Cell, write_report

GRID_FILE = "grid_search_results.csv"


@dataclass(frozen=True, slots=True, eq=False)
class EvaluateOptions:
    """What is evaluated, and how.

    Attributes:
        split: How people are taken and their files split.
        strangers: Folder of people who are not enrolled, or None.
        grid: Parameters to try.
        criterion: A column of the grid table.
        drop_under: Repeat without people whose F1 is under this; None does not.
    """

    split: SplitOptions = field(default_factory=SplitOptions)
    strangers: Path | None = None
    grid: Grid = DEFAULT_GRID
    criterion: str = "accuracy"
    drop_under: float | None = None


def make_folder(folder: Path) -> Path:
    """The folder that results go to, made before the work begins.

    Raises:
        OutputError: It cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return folder


def embed_folder(
    bench: Bench, root: Path, options: EvaluateOptions, tick: Tick = no_tick
) -> tuple[Dataset, Sides, tuple[str, ...]]:
    """Read and embed a data set and its strangers.

    Returns:
        The data set, its faces, and remarks on the strangers.
    """
    dataset = read_dataset(root, options.split)
    samples: tuple[Sample, ...] = ()
    notes: tuple[str, ...] = ()
    if options.strangers is not None:
        samples, notes = read_strangers(options.strangers, [person.name for person in dataset.people])
    return dataset, embed_dataset(dataset, samples, bench.reader, tick), notes


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
        tick: Told how far it is.

    Returns:
        The evaluation, and the headline.

    Raises:
        InputError, NoFaceError: The data set does not allow it; the sentence says why.
        SettingsError: The criterion measures nothing.
        OutputError: The report cannot be written.
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    if options.criterion not in COLUMNS:
        raise SettingsError(f"The grid has no column {options.criterion!r}.", f"Choose one of {', '.join(COLUMNS)}.")
    make_folder(out)
    dataset, sides, remarks = embed_folder(bench, root, options, tick)
    steps = 3
    tick("Searching the grid", 0, steps)
    sides = Sides(sides.train, sides.val, sides.strangers, (*remarks, *sides.notes))
    evaluation = evaluate(sides, options.grid, options.criterion)
    evaluation.table.write_csv(out / GRID_FILE)
    tick("Searching the grid", 1, steps)
    dropped = None
    if options.drop_under is not None:
        fewer, people = with_dropped(evaluation, options.drop_under, options.grid)
        dropped = Dropped(fewer, people, options.drop_under)
    tick("Writing the report", 2, steps)
    write_report(evaluation_report(dataset, evaluation, {**bench.facts(), **facts}, dropped), out)
    tick("Writing the report", 3, steps)
    return evaluation, headline(evaluation)
