"""``knownface bench``: how fast this machine is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from knownface.cli.common import detector_options, machine_options, out, part_option, progress, say, table
from knownface.cli.outputs import json_option, overwrite_option
from knownface.cli.writing import write_text

if TYPE_CHECKING:
    from knownface.bench import BenchResult

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    name="bench",
    short_help="Measure how fast this machine detects, embeds, searches and names; compare with an earlier run.",
)
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Photos to measure on. Default: a made one.")
@part_option("--embedder", "embedders", multiple=True, help="Measure only this. May be repeated.")
@detector_options
@machine_options
@click.option(
    "--size",
    "sizes",
    multiple=True,
    type=click.IntRange(1),
    metavar="N",
    help="Templates in the gallery that is searched. May be repeated. Default: 1,000, 10,000 and 100,000.",
)
@click.option(
    "--dim", type=click.IntRange(2, 4096), default=512, show_default=True, help="Length of a vector searched."
)
@click.option("--seconds", type=click.FloatRange(0.01, 60), default=1.0, show_default=True, help="For each figure.")
@json_option("machine", help="Write the figures.")
@overwrite_option
@click.option("--compare", "earlier_file", type=_FILE, help="Show how many times as fast each figure is as in FILE.")
def command(
    data: Path | None, embedders: tuple[str, ...], sizes: tuple[int, ...], dim: int, seconds: float,
    json_file: Path | None, earlier_file: Path | None, **options: Any,
) -> None:  # fmt: skip
    """Measure detection, every embedder at hand, search, and all of it together; about a minute."""
    from knownface.bench import BenchOptions, read_result, result_text, run_bench
    from knownface.settings import load_settings

    earlier = read_result(earlier_file) if earlier_file is not None else None
    wanted = BenchOptions(data, embedders, dim=dim, seconds=seconds)
    if sizes:
        wanted = BenchOptions(data, embedders, sizes, dim, seconds)
    with progress() as bar:
        task = bar.add_task("Measuring", total=None)
        found = run_bench(
            load_settings(**options), wanted, lambda figure: bar.update(task, advance=1, description=figure.name)
        )
    if json_file is not None:
        write_text(json_file, result_text(found))
    for note in found.notes:
        say(note)
    if str(json_file) != "-":
        _show(found, earlier)


def _show(found: BenchResult, earlier: BenchResult | None) -> None:
    from knownface.bench import compared

    ratios = {ratio.figure: ratio for ratio in compared(found, earlier)} if earlier is not None else {}
    rows = table("what", "measured", "figure", *(("earlier", "times as fast") if earlier is not None else ()))
    for figure in found.figures:
        cells = [figure.group, escape(figure.name), _value(figure.value, figure.unit)]
        if earlier is not None:
            ratio = ratios.get(figure)
            cells += [_value(ratio.earlier, figure.unit), f"{ratio.speedup:.2f}"] if ratio else ["", ""]
        rows.add_row(*cells)
    out().print(rows)
    out().print(escape(", ".join(f"{what} {value}" for what, value in found.machine.items())), soft_wrap=True)


def _value(value: float, unit: str) -> str:
    digits = 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} ms" if unit == "ms" else f"{value:,.{digits}f} a second"
