"""The command line: one file a command, imported when it is called."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any

import click

from knownface import __version__
from knownface.errors import KnownFaceError, OutputError, UnreadableError

_COMMANDS = {
    "enroll": "Learn people from a folder that holds one folder a person.",
    "identify": "Name the faces in photos and videos.",
    "watch": "Follow and name the faces of a camera, stream or video, live.",
    "verify": "Tell whether two pictures show the same person.",
    "people": "List, show, rename, merge, split and remove people.",
    "sightings": "List, export and delete who was seen; name Unknowns.",
    "attendance": "Open and close sessions, tell who came, greet guests, add up working hours.",
    "alerts": "Rules that tell, run a command or ring when somebody is seen or missing.",
    "samples": "Look at new pictures of known people that are offered as templates.",
    "serve": "Answer the REST interface and the page.",
    "keys": "Make, list, rotate and revoke the keys of the service.",
    "audit": "Show who did what with the service.",
    "gallery": "Tell about, back up, restore and index the gallery.",
    "evaluate": "Tell how well your people are recognised, and with which parameters best.",
    "experiment": "Repeat the paper's experiments: growth, augment, degrade, background, one-video, video, compare.",
    "calibrate": "Set the threshold for the false alarms that you can accept.",
    "bench": "Tell how fast this machine detects, embeds, searches and names; compare with an earlier run.",
    "models": "List, fetch, verify, import and shrink weights, with their licences.",
    "doctor": "Tell what is installed, what would be used and why.",
    "demo": "Do the main job on real faces and leave the pictures.",
}


_INPUT_ERRORS = {errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EPERM}


class _LateGroup(click.Group):
    """Lists every command without importing any, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click names it
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"knownface.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LateGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="knownface")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what is done.")
def cli(verbose: bool) -> None:
    """Put names to faces in photos, videos and live cameras.

    Learn people with `knownface enroll PEOPLE/`, then name them with `knownface identify PHOTO...`. Everything
    stays on this machine.

    Exit status: 0 all well; 1 done, but some files were passed over (verify: not the same person); 2 wrong usage;
    3 input; 4 face; 5 model; 6 another embedder's gallery; 7 gallery; 8 settings; 9 person; 10 a part is not
    installed; 11 output; 12 calibration; 13 sightings, attendance, alerts or samples; 14 the service; 130 stopped.
    """
    from knownface.cli.common import show_log

    show_log(verbose)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; errors of knownface become a sentence, a hint and the exit status of their class."""
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
