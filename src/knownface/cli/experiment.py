"""``knownface experiment``: the paper's experiments, a subcommand each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from knownface.cli.common import embedder_option, part_option
from knownface.cli.evaluate import (
    bench_options,
    chosen_options,
    command_line,
    grid_options,
    opened,
    show_result,
    split_options,
    strangers_options,
    ticking,
)
from knownface.cli.outputs import claim

if TYPE_CHECKING:
    from knownface.evaluation.report import Report

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(
    name="experiment",
    short_help="Repeat the paper's experiments: growth, augment, degrade, background, one-video, video, compare.",
)
def command() -> None:
    """Repeat the experiments of the CLIP + FAISS paper on your own data, with any embedder."""


def _shared(without: Sequence[str] = ()) -> Callable[[Command], Command]:
    """DATASET and the options that the experiments take, ``without`` some of how files are split."""

    def add(function: Command) -> Command:
        function = bench_options(split_options(grid_options(function), without))
        return click.argument("dataset", type=click.Path(path_type=Path))(function)

    return add


def _run(
    experiment: Callable[..., Report],
    dataset: Path,
    out: Path,
    options: dict[str, Any],
    strangers: Path | None = None,
    **more: Any,
) -> int:
    from knownface.evaluation.report import write_report
    from knownface.evaluation.runs import prepare_report

    claim(out)
    chosen = chosen_options(options, strangers)
    prepare_report(out)
    with opened(**options) as bench, ticking() as tick:
        report = experiment(bench, dataset, chosen, facts={"Command": command_line()}, tick=tick, **more)
        write_report(report, out)
    show_result(report.headline, out)
    return 0


@command.command()
@_shared()
@embedder_option
@click.option("--draws", type=click.IntRange(1, 1000), default=5, show_default=True,
              help="Random choices of people for each number of them.")  # fmt: skip
def growth(dataset: Path, out: Path, draws: int, **options: Any) -> int:
    """Measure with 1, 5, 10, 25, 50 and more people: results, and loading time."""
    from knownface.research.growth import growth as experiment

    return _run(experiment, dataset, out, options, draws=draws)


@command.command()
@_shared(without=["by"])
@embedder_option
@strangers_options
def augment(dataset: Path, out: Path, strangers: Path | None, **options: Any) -> int:
    """Add mirrored, rotated, cropped, blurred and contrast-changed copies of train pictures."""
    from knownface.research.altered import augment as experiment

    return _run(experiment, dataset, out, options, strangers)


@command.command()
@_shared(without=["by"])
@embedder_option
def degrade(dataset: Path, out: Path, **options: Any) -> int:
    """Name worse and worse pictures: small, dark, turned, blurred, covered."""
    from knownface.research.altered import degrade as experiment

    return _run(experiment, dataset, out, options)


@command.command()
@_shared(without=["by"])
@embedder_option
def background(dataset: Path, out: Path, **options: Any) -> int:
    """Crop tight and loose, blur and replace what is around the face."""
    from knownface.research.altered import background as experiment

    return _run(experiment, dataset, out, options)


@command.command(name="one-video")
@_shared(without=["by", "per_person"])
@embedder_option
def one_video(dataset: Path, out: Path, **options: Any) -> int:
    """One video or burst a person, frames split 80-20: the paper's 100 %, and why it says little."""
    from knownface.research.one_video import one_video as experiment

    return _run(experiment, dataset, out, options)


@command.command()
@_shared()
@embedder_option
@strangers_options
def video(dataset: Path, out: Path, strangers: Path | None, **options: Any) -> int:
    """Decide frame by frame, and over whole clips."""
    from knownface.research.clips import video as experiment

    return _run(experiment, dataset, out, options, strangers)


@command.command()
@_shared()
@part_option("--embedder", "embedders", multiple=True,
             help="To compare; may be given several times. Default: all that the paper names, and ours.")  # fmt: skip
@strangers_options
def compare(dataset: Path, out: Path, strangers: Path | None, embedders: tuple[str, ...], **options: Any) -> int:
    """Compare embedders on the same split, with the same detector and search."""
    from knownface.research.compare import compare as experiment

    # The bench wants an embedder, which is not used; dlib's is on every machine.
    options.update(embedder="dlib-resnet", show_embedder=False)
    return _run(experiment, dataset, out, options, strangers, embedders=embedders)
