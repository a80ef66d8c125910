"""The command line: one file a command, imported when it is called."""

from __future__ import annotations

import atexit
import difflib
import errno
import gc
import io
import os
import sys
from importlib.metadata import EntryPoint
from typing import Any

import click

from knownface import __version__
from knownface.errors import KnownFaceError, OutputError, PartError, UnreadableError
from knownface.parts import COMMANDS, load_part, registered

_NEW_OBJECTS = 200_000
"""Between two searches for garbage, about as many as a short command makes: at Python's 700 they take a fifth of its
time, at 50,000 a thirtieth."""
_SPIN = "4"
"""How long OpenBLAS's threads spin before they sleep, as a power of two of cycles: its own 26 takes a twentieth of the
processor time of a short command."""
_INPUT_ERRORS = {errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EPERM}


class _Registered(click.Group):
    """The commands that this package and others register, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click names it
        return list(registered(COMMANDS))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        point = registered(COMMANDS).get(cmd_name)
        return None if point is None else _command(point)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; the error for a misspelt one names what may be meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 3)
            if not near or isinstance(error, click.NoSuchOption):
                raise
            raise click.UsageError(f"{error.format_message()} Did you mean {' or '.join(near)}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, _short_help(point)) for name, point in registered(COMMANDS).items()])


def _command(point: EntryPoint) -> click.Command:
    command = load_part(point)
    if not isinstance(command, click.Command):
        raise PartError(f"The command {point.name} ({point.value}) cannot be used: it is no command of click.")
    return command


def _short_help(point: EntryPoint) -> str:
    try:
        return _command(point).get_short_help_str(limit=200)
    except PartError as error:  # of another package; ours must go on
        return error.message


@click.group(cls=_Registered, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="knownface")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what is done.")
def cli(verbose: bool) -> None:
    """Put names to faces in photos, videos and live cameras.

    Learn people with `knownface enroll PEOPLE/`, then name them with `knownface identify PHOTO...`. Everything
    stays on this machine.

    Exit status: 0 all well; 1 done, but some files were passed over (verify: not the same person); 2 wrong usage;
    3 input; 4 face; 5 model; 6 another embedder's gallery; 7 gallery; 8 settings; 9 person; 10 a part is not
    installed; 11 output; 12 calibration; 13 sightings, attendance, alerts or samples; 14 the service; 15 receipts;
    130 stopped.
    """
    from knownface.cli.common import show_log

    show_log(verbose)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; errors of knownface become a sentence, a hint and the exit status of their class."""
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", _SPIN)
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(gc.freeze)  # what is left then goes with the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that this terminal cannot show is no reason to stop
    try:
        status = cli.main(arguments, prog_name="knownface", standalone_mode=False)
        sys.stdout.flush()
    except KnownFaceError as error:
        from knownface.cli.common import complain

        complain(error)
        status = error.exit_status
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        status = 130
    except BrokenPipeError:
        # Whoever read our output has enough of it; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except OSError as error:
        click.echo(f"Error: {error.filename or 'Output'}: {error.strerror or error}.", err=True)
        status = UnreadableError.exit_status if error.errno in _INPUT_ERRORS else OutputError.exit_status
    sys.exit(status or 0)
