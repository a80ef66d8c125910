"""``knownface evaluate``, and what the experiments share with it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.markup import escape

from knownface.cli.common import (
    batch_size_option,
    detector_options,
    embedder_option,
    machine_options,
    progress,
    say,
    scoring_option,
)
from knownface.cli.common import out as console_out
from knownface.cli.liveness import MACHINE, Pictures, attack_options, present_pictures, taken_pictures
from knownface.cli.outputs import OutputFolder, claim, overwrite_option
from knownface.errors import SettingsError

if TYPE_CHECKING:
    from knownface.evaluation.bench import Bench
    from knownface.evaluation.grid import Grid
    from knownface.evaluation.runs import EvaluateOptions

Command = TypeVar("Command", bound=Callable[..., Any])

_FOLDER = click.Path(path_type=Path, file_okay=False)


def _apply(options: Sequence[Callable[[Any], Any]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def strangers_options(command: Command) -> Command:
    """``--strangers`` and ``--fpir``."""
    options = [
        click.option("--strangers", type=_FOLDER,
                     help="Pictures of people who are not enrolled: files named after them, or a folder each."),
        click.option("--fpir", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.01,
                     show_default=True,
                     help="Share of strangers that may get a name: the best row is chosen within it."),
    ]  # fmt: skip
    return _apply(options, command)


def bench_options(command: Command) -> Command:
    """Detector, cache and output folder."""
    options = [
        click.option("--out", required=True, type=OutputFolder(), help="Folder of the report."),
        overwrite_option,
        detector_options,
        machine_options,
        batch_size_option,
        click.option("--every", type=click.FloatRange(0.001), default=0.5, show_default=True,
                     help="Seconds between the frames of a video that are examined."),
        click.option("--cache/--no-cache", "use_cache", default=True,
                     help="Keep embeddings by the files' content, so that a second run is quick."),
    ]  # fmt: skip
    return _apply(options, command)


def split_options(command: Command, without: Sequence[str] = ()) -> Command:
    """Who is taken, and how files are split; ``without`` the options of these parameters."""
    options = {
        "people": click.option("--people", type=click.IntRange(1), help="Only the first N people by name."),
        "seed": click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the split."),
        "ratio": click.option("--ratio", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.8,
                     show_default=True, help="Share of a person's pictures that is enrolled."),
        "per_person": click.option("--per-person", type=click.IntRange(1), help="Enrol N pictures a person instead."),
        "by": click.option("--split", "by", type=click.Choice(["files", "frames"]), default="files", show_default=True,
                     help="`frames` puts frames of one video on both sides, as the paper's first experiment does."),
    }  # fmt: skip
    return _apply([option for name, option in options.items() if name not in without], command)


def grid_options(command: Command) -> Command:
    """The parameters to try."""
    options = [
        click.option("--k1", type=(int, int), metavar="LOW HIGH", help="Range of k1. Default: 1 9."),
        click.option("--k2", type=(int, int), metavar="LOW HIGH", help="Range of k2. Default: 2 10."),
        click.option("--thresholds", type=(float, float, float), metavar="LOW HIGH STEP",
                     help="Default: 0.50 1.30 0.01."),
        click.option("--paper-grid", is_flag=True, help="The paper's grid: thresholds 0.50 to 1.00."),
        click.option("--criterion", default="accuracy", show_default=True, metavar="COLUMN",
                     help="Column of the grid table by which the best row is chosen."),
    ]  # fmt: skip
    return _apply(options, command)


def chosen_options(
    options: dict[str, Any],
    strangers: Path | None,
    drop_under: float | None = None,
    drop: tuple[str, ...] = (),
    groups: Path | None = None,
) -> EvaluateOptions:
    """What the options of split, grid and strangers read, taken out of ``options``, as one value."""
    from knownface.evaluation.datasets import SplitOptions
    from knownface.evaluation.protocol import DEFAULT_FPIR
    from knownface.evaluation.runs import EvaluateOptions

    split = SplitOptions(
        options.pop("people"),
        options.pop("seed"),
        options.pop("ratio"),
        options.pop("per_person", None),
        options.pop("by", "files") == "frames",
    )
    grid = _grid(*(options.pop(name) for name in ("k1", "k2", "thresholds", "paper_grid")))
    criterion, fpir = options.pop("criterion"), options.pop("fpir", DEFAULT_FPIR)
    return EvaluateOptions(split, strangers, grid, criterion, fpir, drop_under, drop, groups)


def _grid(
    k1: tuple[int, int] | None,
    k2: tuple[int, int] | None,
    thresholds: tuple[float, float, float] | None,
    paper_grid: bool,
) -> Grid:
    from knownface.evaluation.grid import DEFAULT_GRID, PAPER_GRID, Grid, threshold_range

    base = PAPER_GRID if paper_grid else DEFAULT_GRID
    return Grid(
        tuple(range(k1[0], k1[1] + 1)) if k1 else base.k1,
        tuple(range(k2[0], k2[1] + 1)) if k2 else base.k2,
        threshold_range(*thresholds) if thresholds else base.thresholds,
    )


def command_line() -> str:
    """The command as it was given, for the report."""
    context = click.get_current_context()
    words = context.command_path.split()
    for parameter in context.command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) is not click.core.ParameterSource.COMMANDLINE:
            continue
        if name not in context.params:  # an option that its own callback keeps, such as --overwrite
            words.append(parameter.opts[0])
            continue
        value = context.params[name]
        values = list(value) if isinstance(value, tuple) else [value]
        if isinstance(parameter, click.Argument):
            words += [str(v) for v in values]
        elif getattr(parameter, "is_flag", False):
            words.append(parameter.opts[0] if value else parameter.secondary_opts[0])
        elif parameter.multiple:
            words += [word for v in values for word in (parameter.opts[0], str(v))]
        else:
            words += [parameter.opts[0], *(str(v) for v in values)]
    return shlex.join(words)


@contextlib.contextmanager
def opened(every: float, use_cache: bool, show_embedder: bool = True, **overrides: Any) -> Iterator[Bench]:
    """The bench, with a line on what was chosen."""
    from knownface.evaluation.bench import open_bench

    with open_bench(every=every, use_cache=use_cache, **overrides) as bench:
        for note in bench.notes[0 if show_embedder else 1 :]:
            say(note)
        yield bench


@contextlib.contextmanager
def ticking() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar a kind of work."""
    tasks: dict[str, Any] = {}
    with progress() as bar:

        def tick(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tick


def show_result(headline: str, folder: Path) -> None:
    """The result, and where the rest is."""
    console_out().print(escape(headline), soft_wrap=True)
    console_out().print(f"Report: {escape(str(folder / 'index.html'))}", soft_wrap=True)


def _evaluate_liveness(pictures: Pictures, out: Path, options: dict[str, Any]) -> None:
    from knownface.evaluation.attack_page import attack_headline, attack_report
    from knownface.evaluation.attacks import report
    from knownface.evaluation.report import write_report
    from knownface.evaluation.runs import prepare_report
    from knownface.liveness import rule_of
    from knownface.settings import load_settings

    prepare_report(out)
    settings = load_settings(**{name: options[name] for name in MACHINE})
    shown, check = present_pictures(pictures, settings)
    threshold = rule_of(settings, check).threshold
    found = report(shown, threshold)
    facts = {"Liveness check": check.name, "Fingerprint": check.fingerprint, "Command": command_line()}
    write_report(attack_report(shown, found, facts), out)
    show_result(attack_headline(found), out)


@click.command(
    name="evaluate", short_help="Measure how well your people are recognised, and with which parameters best."
)
@click.argument("dataset", type=click.Path(path_type=Path), required=False)
@bench_options
@embedder_option
@split_options
@grid_options
@scoring_option
@strangers_options
@click.option("--drop-problem-people", type=click.FloatRange(0, 1), metavar="BOUND",
              help="Repeat without people whose F1 is under BOUND (0 to 1), and show both.")  # fmt: skip
@click.option("--drop", multiple=True, metavar="NAME",
              help="Repeat without this person, and show both; may be given several times.")  # fmt: skip
@click.option("--groups", type=click.Path(path_type=Path, dir_okay=False),
              help="CSV file with a line a person and any attributes, for results by group.")  # fmt: skip
@attack_options
def command(
    dataset: Path | None,
    out: Path,
    strangers: Path | None,
    drop_problem_people: float | None,
    drop: tuple[str, ...],
    groups: Path | None,
    **options: Any,
) -> int:
    """Measure how well the people of DATASET are recognised, and with which parameters best.

    DATASET holds a folder a person, with pictures, with videos, or with the folders `train` and `val`. The report
    has the grid search, everybody's result, who gets mixed up, and with --strangers how often strangers get a name.

    With --attacks and --real instead of DATASET, how well living faces are told from prints and screens.
    """
    from knownface.evaluation.runs import run_evaluation

    pictures = taken_pictures(options)
    if (dataset is None) == (pictures is None):
        raise SettingsError("Give either DATASET, or --attacks and --real.")
    claim(out)
    if pictures is not None:
        _evaluate_liveness(pictures, out, options)
        return 0
    assert dataset is not None  # noqa: S101 - one of the two is given
    chosen = chosen_options(options, strangers, drop_problem_people, drop, groups)
    with opened(**options) as bench, ticking() as tick:
        evaluation, headline = run_evaluation(bench, dataset, out, chosen, {"Command": command_line()}, tick)
    for note in evaluation.sides.notes:
        say(note, style="yellow")
    show_result(headline, out)
    return 0
