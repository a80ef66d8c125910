"""``knownface completion``: the Tab key completes commands and options."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from knownface.cli.common import out, say
from knownface.errors import OutputError
from knownface.files import replacing

_SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command(name="completion", short_help="Let the Tab key complete commands and options in your shell.")
@click.argument("shell", required=False, type=click.Choice(_SHELLS))
@click.option("--install", is_flag=True, help="Write it where the shell looks for it.")
def command(shell: str | None, install: bool) -> None:
    """Print what lets the Tab key complete commands and options, or install it.

    SHELL is taken from $SHELL where it is left out. PowerShell: knownface completion powershell >> $PROFILE
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name) if name in _SHELLS else None
    if kind is None:
        raise click.UsageError(f"Name the shell: {', '.join(_SHELLS)}.")
    from knownface.cli import cli

    script = kind(cli, {}, "knownface", "_KNOWNFACE_COMPLETE").source()
    if not install:
        click.echo(script)
        return
    place = _place(name)
    if place is None:
        raise OutputError("PowerShell has no folder for completions.", f"Run: knownface completion {name} >> $PROFILE")
    with replacing(place) as part:
        part.write_text(script, encoding="utf-8")
    out().print(f"Written to {place}. It works in every new shell.", soft_wrap=True, markup=False)
    if name == "zsh":
        say(f"Once, above compinit in ~/.zshrc: fpath+={place.parent}")


def _place(shell: str) -> Path | None:
    """The file from which a shell loads completions by itself."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return {
        "bash": data / "bash-completion" / "completions" / "knownface",
        "fish": config / "fish" / "completions" / "knownface.fish",
        "zsh": data / "zsh" / "site-functions" / "_knownface",
    }.get(shell)
