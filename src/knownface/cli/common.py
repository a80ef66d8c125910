"""What the commands share: options, the consoles, progress, and how errors are shown."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from knownface.cli.auditing import note_when_done
from knownface.errors import KnownFaceError
from knownface.parts import is_script
from knownface.scorings import DEFAULT_SCORING, Scoring

if TYPE_CHECKING:
    from knownface.gallery import Gallery
    from knownface.recognizer import FaceRecognizer
    from knownface.settings import Settings
    from knownface.types import EmbedderContract

Command = TypeVar("Command", bound=Callable[..., Any])

PIPE_WIDTH = 240
"""Columns of a table that goes into a file or another program, where nobody sees where it breaks."""


def out() -> Console:
    """Where results go: standard output."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def err() -> Console:
    """Where everything else goes: standard error."""
    return Console(stderr=True, highlight=False)


def say(text: str, style: str = "dim") -> None:
    """One line for people, beside the result."""
    err().print(escape(text), style=style, soft_wrap=True)


def complain(error: KnownFaceError) -> None:
    """Show an error: its sentence, then what to do about it."""
    console = err()
    console.print(f"[bold red]Error:[/] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        console.print(f"  {escape(with_options(error.hint))}", soft_wrap=True)


_ARGUMENT = re.compile(r'\b([a-z][a-z0-9_]*)=(?:"([^"]*)"|(True)|([0-9.]*[0-9]))')


def with_options(hint: str) -> str:
    """A hint of the library, which names arguments as Python has them, with the options of the command line.

    ``faces="largest"`` becomes ``--faces largest``, ``overwrite=True`` becomes ``--overwrite``.
    """

    def option(found: re.Match[str]) -> str:
        name, text, flag, number = found.groups()
        return f"--{name.replace('_', '-')}" + ("" if flag else f" {text if number is None else number}")

    return _ARGUMENT.sub(option, hint)


def show_log(verbose: bool) -> None:
    """Warnings of the library on standard error; with ``verbose`` what it does as well."""
    handler = RichHandler(console=err(), show_time=False, show_path=False, markup=False)
    logger = logging.getLogger("knownface")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO if verbose else logging.WARNING)


def gallery_option(command: Command) -> Command:
    """``--gallery``."""
    option = click.option(
        "--gallery",
        metavar="FILE",
        callback=note_when_done,
        help="Gallery file or database URL. Default: one in your data folder.",
    )
    return option(command)


def open_gallery(gallery: str | None, *, create: bool = False) -> Gallery:
    """Open the gallery that the option or the settings name; there must be one, unless it may be made."""
    from knownface.gallery import Gallery
    from knownface.settings import load_settings

    return Gallery.open_by(load_settings(gallery=gallery), create=create)


def look_here(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """Lets Python look for the modules of ``module:Factory`` in the working folder too; click's callback."""
    if any(is_script(name) for name in ([value] if isinstance(value, str) else value or ())):
        sys.path.append(str(Path.cwd()))
    return value


def part_option(*names: str, help: str, multiple: bool = False) -> Callable[[Command], Command]:  # noqa: A002
    """An option whose value is the name of a part, or ``module:Factory``, which may lie in the working folder."""
    return click.option(*names, metavar="NAME", multiple=multiple, callback=look_here, help=help)


embedder_option = part_option(
    "--embedder", help="Face embedder (`knownface models list`), auto, your own as module:Factory, or some joined: A+B."
)


def detector_options(command: Command) -> Command:
    """What finds faces."""
    text = "Face detector (`knownface models list`), auto, or your own as module:Factory."
    score = click.option(
        "--detector-score", type=click.FloatRange(0, 1, min_open=True), help="Smallest score of YuNet's. Default: 0.6."
    )
    thorough = click.option(
        "--thorough", is_flag=True, default=None, help="Search large pictures in their own size, for small faces."
    )
    return part_option("--detector", help=text)(score(thorough(command)))


def machine_options(command: Command) -> Command:
    """``--device`` and ``--threads``."""
    device = click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where networks run.")
    return device(click.option("--threads", type=click.IntRange(1, 256), help="Worker threads.")(command))


batch_size_option = click.option("--batch-size", type=click.IntRange(1, 4096), help="Faces a batch.")


def network_options(command: Command) -> Command:
    """Which networks are used, and how."""
    return embedder_option(detector_options(machine_options(batch_size_option(command))))


def recognizer_options(command: Command) -> Command:
    """The settings that a recogniser takes, each of which wins over the variable and the file."""
    return gallery_option(network_options(command))


def open_recognizer(gallery: str | None = None, *, create: bool = True, **options: Any) -> FaceRecognizer:
    """Open a recogniser and say what it took and why; a progress bar shows where weights are fetched."""
    from knownface.recognizer import FaceRecognizer

    with progress() as bar:
        task = bar.add_task("Fetching weights", total=None, visible=False)

        def on_download(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        recognizer = FaceRecognizer.open(gallery, create=create, on_download=on_download, **options)
    for note in recognizer.notes:
        say(note)
    return recognizer


scoring_option = click.option(
    "--scoring",
    type=click.Choice(get_args(Scoring)),
    help=f"What a person is compared by: templates and their mean, or templates alone. Default: {DEFAULT_SCORING}.",
)


def contract_of(gallery: Gallery, settings: Settings) -> EmbedderContract | None:
    """Of the embedder that filled a gallery, with what the catalogue knows of it; None before the first template."""
    from knownface.embedding.base import as_known_now
    from knownface.models import ModelStore

    stored = gallery.contract
    return None if stored is None else as_known_now(stored, ModelStore(settings.models, settings.cache).catalog)


def rule_options(command: Command) -> Command:
    """The parameters of the decision."""
    options = [
        click.option("--k1", type=click.IntRange(1), help="Nearest templates that vote first."),
        click.option("--k2", type=click.IntRange(2), help="Nearest templates that vote if the first vote fails."),
        click.option("--threshold", type=click.FloatRange(0, 2), help="Largest distance of a name; lower is stricter."),
        click.option(
            "--fpir",
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            help="Share of strangers who may get a name, which the threshold is estimated for. Default: 0.01.",
        ),
        click.option("--margin", type=click.FloatRange(0, 2), help="How much farther anybody else must be."),
        scoring_option,
        click.option("--liveness", type=click.Choice(["off", "show", "require"]),
                     help="Whether faces are checked for being alive, and whether only those that are get a name."),
        click.option("--require-live", "liveness", flag_value="require", help="The same as --liveness require."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


class _RateColumn(ProgressColumn):
    """Files a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.0f}/s" if speed and speed >= 10 else f"{speed:.1f}/s" if speed else "", style="cyan")


def gallery_is_there(location: str) -> bool:
    """Whether a gallery's file exists; of a server that is known only when it is opened."""
    return "://" in location or Path(location).expanduser().exists()


def progress() -> Progress:
    """A progress bar with rate and time left, on standard error, gone when done; none where nobody sees it."""
    console = err()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def table(*columns: str, title: str | None = None) -> Table:
    """A table whose cells are plain text."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        right = column in {"distance", "votes", "time", "templates", "files", "MB", "id"}
        made.add_column(column, justify="right" if right else "left", overflow="fold")
    return made
